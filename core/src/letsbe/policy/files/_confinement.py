"""Which files a plugin may use, decided where the walk to them ends."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from letsbe.errors import LetsBeError, PathRefused
from letsbe.policy.files._linked import linked_files
from letsbe.policy.files._place import Place, explain
from letsbe.policy.files._walk import Identity, Walk, WalkFailed, identity
from letsbe.policy.paths import LONGEST_PATH

LONGEST_NAME = 255
"""NAME_MAX of Linux, in bytes."""


class Confinement:
    """The allowed roots, less what is forbidden inside them.

    A path is allowed if the kernel, walking it, would end below a root; how it gets
    there (by ``..``, by links) does not matter, where it ends does. Forbidden files
    are recognised by device and inode, so by any name, and forbidden names are kept
    free even while nothing has them.

    Args:
        roots: The allowed folders. Links in these, and only in these, are trusted as
            they are when this is made. One that does not exist allows nothing.
        forbidden: Files and folders closed inside the roots too.
        hard_links: Whether regular files with more than one name may be used. Another
            name may lie outside the roots; but package managers and backups use hard
            links everywhere, and Linux lets nobody link to a file that he may not
            write (``fs.protected_hardlinks``), so they are allowed unless said
            otherwise. A second name of a file that is forbidden is forbidden anyway.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        forbidden: Sequence[Path] = (),
        *,
        hard_links: bool = True,
    ) -> None:
        self._base = os.path.abspath(roots[0]) if roots else None  # noqa: PTH100 -- keeps links, which Path.resolve would not
        self._roots = _outermost(roots)
        self._forbidden = tuple(
            {text for path in forbidden for text in (_text(path), _real(path))}
        )
        self._hard_links = hard_links

    def find(self, path: str) -> Place:
        """Walk to where a path ends.

        Args:
            path: Absolute, or relative to the first root.

        Returns:
            The place; close it. Nothing has to be there.

        Raises:
            PathRefused: It ends outside the roots or at something forbidden, or its
                form is not accepted. Whether anything exists outside is not told.
            ToolFailed: A folder on the way, inside the roots, is none or is closed to
                this account.
        """
        start = self._absolute(path)
        roots = {identity(s) for s in map(_status_of_root, self._roots) if s}
        if not roots:
            message = "none of the allowed folders exists: check `roots` in letsbe.toml"
            raise PathRefused(message)
        walk = Walk.start()
        try:
            try:
                walk.go(start)
            except (WalkFailed, OSError) as error:
                self._check(walk, roots, path)
                raise _failed(error, path) from None
            self._check(walk, roots, path)
        except BaseException:
            walk.close()
            raise
        return Place(walk, self._guard)

    def closed(self) -> Callable[[os.stat_result, str], bool]:
        """Return what tells, by status and real path, whether a file is closed.

        What is forbidden is looked up once, so use it for one listing, not for long.
        """
        identities = self._forbidden_identities()

        linked = cache(lambda: linked_files(self._forbidden))

        def is_closed(status: os.stat_result, path: str) -> bool:
            if identity(status) in identities or self._has_forbidden_name(path):
                return True
            if not _has_names(status):
                return False
            others = linked()
            return others is None or identity(status) in others

        return is_closed

    def _absolute(self, path: str) -> str:
        require_form(path)
        if path.startswith("/"):
            return path
        if self._base is None:
            message = "no folder is allowed: set `roots` in letsbe.toml"
            raise PathRefused(message)
        return f"{self._base}/{path}"

    def _check(self, walk: Walk, roots: set[Identity], asked: str) -> None:
        if not any(step.identity in roots for step in walk.steps):
            allowed = ", ".join(self._roots)
            message = f"{asked} is outside the allowed folders: use a path in {allowed}"
            raise PathRefused(message)
        closed = self._forbidden_identities()
        seen = [step.identity for step in walk.steps]
        if walk.status is not None:
            seen.append(identity(walk.status))
        if not closed.isdisjoint(seen) or self._has_forbidden_name(walk.path):
            raise _closed(asked)
        if walk.status is not None:
            if _has_names(walk.status) and self.closed()(walk.status, walk.path):
                raise _closed(asked)
            self._check_links(walk.status, asked)

    def _guard(self, status: os.stat_result, path: str) -> None:
        if self.closed()(status, path):
            raise _closed(path)
        self._check_links(status, path)

    def _check_links(self, status: os.stat_result, path: str) -> None:
        if _has_names(status) and not self._hard_links:
            message = f"{path} has more than one name: hard links are not allowed here"
            raise PathRefused(message)

    def _has_forbidden_name(self, path: str) -> bool:
        return any(
            path == closed or path.startswith(closed.rstrip("/") + "/")
            for closed in self._forbidden
        )

    def _forbidden_identities(self) -> set[Identity]:
        # Looked up each time: what is forbidden may be replaced while this runs.
        found = set()
        for text in self._forbidden:
            with contextlib.suppress(OSError):
                found.add(identity(Path(text).stat()))
        return found


def _has_names(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_nlink > 1


def require_form(path: str) -> None:
    """Check that a text can be a path at all.

    Raises:
        PathRefused: It is empty, holds NUL, is not Unicode, or it or one of its names
            is longer than Linux takes.
    """
    if not path:
        raise PathRefused("the path is empty: name a file or folder")
    if "\0" in path:
        raise PathRefused("the path holds a NUL character, which no path can")
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise PathRefused("the path is not valid Unicode text") from None
    if len(encoded) >= LONGEST_PATH:
        message = f"the path is longer than {LONGEST_PATH - 1} bytes"
        raise PathRefused(message)
    if any(len(name) > LONGEST_NAME for name in encoded.split(b"/")):
        message = f"a name in the path is longer than {LONGEST_NAME} bytes"
        raise PathRefused(message)


def _closed(path: str) -> PathRefused:
    message = (
        f"{path} is closed to agents: it belongs to LetsBe or to the agent runtime, "
        "or the operator closed it"
    )
    return PathRefused(message)


def _failed(error: WalkFailed | OSError, path: str) -> LetsBeError:
    number = error.number if isinstance(error, WalkFailed) else error.errno
    if number == errno.ELOOP:
        message = f"{path} goes through too many links, or through a link of /proc"
        return PathRefused(message)
    if number == errno.ENAMETOOLONG:
        return PathRefused(f"{path} has too many parts once its links are followed")
    if number == errno.ESTALE:
        return PathRefused(f"{path} was moved while it was looked for: try again")
    return explain(OSError(number or errno.EIO, ""), path)


def _status_of_root(path: str) -> os.stat_result | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status if stat.S_ISDIR(status.st_mode) else None


def _outermost(roots: Iterable[Path]) -> tuple[str, ...]:
    """Return the real paths of the roots that lie in no other root.

    Of a root inside another, the outer one's user could swap the folders above it; as
    it allows nothing more, it is left out.
    """
    found: list[str] = []
    for root in sorted({_real(root) for root in roots}, key=len):
        if not any((root + "/").startswith(outer.rstrip("/") + "/") for outer in found):
            found.append(root)
    return tuple(found)


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _text(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 -- keeps links, which Path.resolve would not
