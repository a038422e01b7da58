"""A file or folder, or the name for one, held by descriptor."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from types import TracebackType
from typing import Self

from letsbe.errors import LetsBeError, PathRefused, ToolFailed
from letsbe.policy.files._walk import Walk

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISBLK, "device"),
    (stat.S_ISCHR, "device"),
)

Guard = Callable[[os.stat_result, str], None]
"""Raises PathRefused if a file that was opened is closed to agents."""


def kind_of(mode: int) -> str:
    """Name what a mode is of: ``file``, ``folder``, ``link``, ``fifo`` and so on."""
    return next((name for test, name in _KINDS if test(mode)), "other")


def explain(error: OSError, path: str) -> LetsBeError:
    """Put an error of the system into words that are safe to show.

    Args:
        error: The error.
        path: The path it is about.

    Returns:
        The error to raise instead.
    """
    number = error.errno or errno.EIO
    if number == errno.ELOOP:
        return PathRefused(f"{path} was replaced by a link meanwhile: try again")
    said = _WORDS.get(number, f"cannot be used ({errno.errorcode.get(number, '?')})")
    return ToolFailed(f"{path} {said}")


_WORDS = {
    errno.ENOENT: "does not exist: look with file_list which files there are",
    errno.ENOTDIR: "goes through something that is not a folder",
    errno.EISDIR: "is a folder, not a file",
    errno.EEXIST: "exists already",
    errno.EACCES: "may not be used by the account that LetsBe runs under",
    errno.EPERM: "may not be used by the account that LetsBe runs under",
    errno.EROFS: "is on a file system that is read-only",
    errno.ENOSPC: "does not fit: no space is left on its file system",
    errno.EDQUOT: "does not fit: the disk quota is used up",
    errno.ENXIO: "is not a regular file",
    errno.ETXTBSY: "is a program that is running",
}


class Place:
    """Where a path ends: what is there now, or the free name in a folder.

    A context manager; it holds one descriptor until it is closed.

    Args:
        walk: The walk that ended there; the place owns it.
        guard: Checks whatever is opened.
    """

    def __init__(self, walk: Walk, guard: Guard) -> None:
        self._walk = walk
        self._guard = guard

    @property
    def path(self) -> str:
        """The real path, without links and ``..``."""
        return self._walk.path

    @property
    def status(self) -> os.stat_result | None:
        """The status found by the walk; None if nothing is there."""
        return self._walk.status

    @property
    def kind(self) -> str | None:
        """What is there, as :func:`kind_of` names it; None if nothing is."""
        return kind_of(self.status.st_mode) if self.status else None

    @property
    def name(self) -> str:
        """The name in the parent folder; empty if the place is itself a folder."""
        return self._walk.leaf

    @property
    def folder(self) -> int:
        """A descriptor (``O_PATH``) of the parent folder, or of the folder itself."""
        return self._walk.folder

    @property
    def missing(self) -> int:
        """How many folders would have to be made for the name to be free to use."""
        return len(self._walk.missing)

    def open_file(self, flags: int = os.O_RDONLY) -> int:
        """Open the regular file that is here, and nothing else, without waiting.

        Args:
            flags: ``os.O_RDONLY``, or what to add for writing.

        Returns:
            A descriptor. It is of a file that was checked after it was opened.

        Raises:
            PathRefused: It is no regular file, or is closed to agents.
            ToolFailed: It does not exist or cannot be opened.
        """
        self.require_file()
        try:
            file = os.open(self.name, _READ | flags, dir_fd=self.folder)
        except OSError as error:
            raise explain(error, self.path) from None
        try:
            status = os.fstat(file)
            require_regular(status, self.path)
            self._guard(status, self.path)
        except BaseException:
            os.close(file)
            raise
        return file

    def open_folder(self) -> int:
        """Open the folder that is here, for listing.

        Raises:
            ToolFailed: It is no folder, does not exist or cannot be opened.
        """
        if self.name:
            number = errno.ENOTDIR if self.status else errno.ENOENT
            raise explain(OSError(number, ""), self.path)
        try:
            return os.open(".", _FOLDER, dir_fd=self.folder)
        except OSError as error:
            raise explain(error, self.path) from None

    def require_file(self) -> None:
        """Raise unless a regular file is here."""
        if self.status is None:
            raise explain(OSError(errno.ENOENT, ""), self.path)
        require_regular(self.status, self.path)

    def make_folders(self) -> None:
        """Make the folders that are missing, mode 0755, and go into them.

        Raises:
            ToolFailed: One cannot be made.
            PathRefused: Something else was put in its place meanwhile.
        """
        names = [self._walk.leaf, *self._walk.missing]
        for name in names[:-1]:
            self._make_folder(name)
        self._walk.leaf, self._walk.missing = names[-1], ()

    def _make_folder(self, name: str) -> None:
        try:
            # Another call may make it at the same time; both then use it.
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=self.folder)
            self._walk.enter(name)
        except OSError as error:
            raise explain(error, self.path) from None
        self._guard(os.fstat(self.folder), self.path)

    def close(self) -> None:
        """Give the descriptor back."""
        self._walk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def require_regular(status: os.stat_result, path: str) -> None:
    """Raise unless a status is of a regular file.

    Raises:
        ToolFailed: It is of a folder.
        PathRefused: It is of anything else: opening it could wait for ever or do
            something.
    """
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise explain(OSError(errno.EISDIR, ""), path)
    kind = kind_of(status.st_mode)
    raise PathRefused(f"{path} is a {kind}: only regular files are opened")
