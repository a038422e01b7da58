"""The walk from ``/`` to a file, as the kernel would go, one component at a time."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

MOST_LINKS = 40
"""As many links as Linux follows in one path (MAXSYMLINKS)."""
MOST_STEPS = 4096
"""More components than this are walked for nobody, links included."""

_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

Identity = tuple[int, int]
"""Device and inode: the same file by whatever name."""


def identity(status: os.stat_result) -> Identity:
    """Return which file a status is of."""
    return status.st_dev, status.st_ino


class WalkFailed(Exception):
    """The kernel, or a limit, ends the walk. Where it ended decides what is said.

    Args:
        number: The error number, of :mod:`errno`.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True)
class Step:
    """A folder on the way.

    Args:
        name: Its name in the folder before; empty for ``/``.
        identity: Which folder it is.
    """

    name: str
    identity: Identity


@dataclass(slots=True)
class Walk:
    """Where a walk is: a folder that is open, and the folders above it.

    Args:
        folder: A descriptor (``O_PATH``) of the folder reached.
        steps: The folders from ``/`` to it, both included.
        leaf: The name in the folder that the path ends with, if that is no folder or
            does not exist; else empty.
        status: The status of what the path ends at; None if it does not exist.
        missing: Names after ``leaf``, if even that does not exist.
    """

    folder: int
    steps: list[Step]
    leaf: str = ""
    status: os.stat_result | None = None
    missing: tuple[str, ...] = ()
    _pending: list[str] = field(default_factory=list)
    _links: int = 0

    @classmethod
    def start(cls) -> Self:
        """Start at ``/``."""
        folder = os.open("/", _LOOK | os.O_DIRECTORY)
        return cls(folder, [Step("", identity(os.fstat(folder)))])

    @property
    def path(self) -> str:
        """The real path: no link, no ``..``."""
        names = [*(step.name for step in self.steps), *filter(None, [self.leaf])]
        return "/".join([*names, *self.missing]) or "/"

    def go(self, path: str) -> None:
        """Walk an absolute path to its end.

        A last component that does not exist is an end too, and so are several of them
        if none is ``..``.

        Raises:
            WalkFailed: The path cannot be walked. The walk stands where it failed.
        """
        self._pending = path.split("/")[::-1]
        for _ in range(MOST_STEPS):
            if not self._pending or self.leaf:
                break
            self._step(self._pending.pop())
        if self._pending:
            raise WalkFailed(errno.ENAMETOOLONG)
        if not self.leaf:
            self.status = os.fstat(self.folder)

    def enter(self, name: str) -> None:
        """Go into a folder that exists, not through a link.

        Raises:
            OSError: There is none of that name.
        """
        child = os.open(name, _LOOK | os.O_DIRECTORY, dir_fd=self.folder)
        self._enter(name, child, identity(os.fstat(child)))

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _step(self, name: str) -> None:
        if name in {"", "."}:
            return
        if name == "..":
            self._go_up()
            return
        try:
            child = os.open(name, _LOOK, dir_fd=self.folder)
        except FileNotFoundError:
            self._end_missing(name)
            return
        except OSError as error:
            raise WalkFailed(error.errno or errno.EIO) from None
        try:
            status = os.fstat(child)
            if stat.S_ISDIR(status.st_mode):
                self._enter(name, child, identity(status))
                child = -1
            elif stat.S_ISLNK(status.st_mode):
                self._follow(child, status)
            else:
                self._end_at(name, status)
        finally:
            if child >= 0:
                os.close(child)

    def _enter(self, name: str, child: int, child_identity: Identity) -> None:
        os.close(self.folder)
        self.folder = child
        self.steps.append(Step(name, child_identity))

    def _go_up(self) -> None:
        if len(self.steps) == 1:
            return  # the parent of `/` is `/`
        above = os.open("..", _LOOK | os.O_DIRECTORY, dir_fd=self.folder)
        if identity(os.fstat(above)) != self.steps[-2].identity:
            os.close(above)
            raise WalkFailed(errno.ESTALE)  # the folder was moved meanwhile
        os.close(self.folder)
        self.folder = above
        self.steps.pop()

    def _follow(self, link: int, status: os.stat_result) -> None:
        self._links += 1
        if self._links > MOST_LINKS or status.st_dev == _proc_device():
            # A link of /proc is no text: it leads to what a process has open.
            raise WalkFailed(errno.ELOOP)
        try:
            target = os.readlink("", dir_fd=link)
        except OSError as error:
            raise WalkFailed(error.errno or errno.EIO) from None
        if target.startswith("/"):
            root = os.open("/", _LOOK | os.O_DIRECTORY)
            os.close(self.folder)
            self.folder = root
            del self.steps[1:]
        self._pending += target.split("/")[::-1]

    def _end_at(self, name: str, status: os.stat_result) -> None:
        if self._pending:  # even a slash or a dot asks for a folder
            raise WalkFailed(errno.ENOTDIR)
        self.leaf, self.status = name, status

    def _end_missing(self, name: str) -> None:
        rest = self._pending[::-1]
        if ".." in rest or (rest and rest[-1] in {"", "."}):
            raise WalkFailed(errno.ENOENT)
        self.leaf, self.missing = name, tuple(n for n in rest if n not in {"", "."})
        self._pending = []


def _proc_device() -> int:
    try:
        return Path("/proc").stat().st_dev
    except OSError:
        return -1
