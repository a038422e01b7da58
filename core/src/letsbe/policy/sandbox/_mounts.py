"""A mount namespace for one thread: the only way to keep root from changing modes,
owners and times, which Landlock does not know."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from letsbe.policy.sandbox import _syscalls as calls
from letsbe.policy.sandbox._surroundings import kind_of
from letsbe.policy.sandbox._system import ARCHITECTURES, MACHINE, syscall

_CLONE_NEWNS = 0x0002_0000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_BIND, _MS_PRIVATE, _MS_SLAVE = 0x1000, 1 << 18, 1 << 19
_HERE = -100  # AT_FDCWD
_RECURSIVE = 0x8000
_CLONE_TREE, _CLOSE_ON_EXEC = 1, 0o2000000
_MOVE_FROM_EMPTY_PATH = 4
_ATTRIBUTE_RDONLY = 1


def make_read_only(writable: Iterable[str]) -> None:
    """Give the thread a view of the machine in which little can be written.

    Args:
        writable: Paths that stay as they are, with what is mounted below them.

    Raises:
        OSError: The kernel refused.
    """
    _call("unshare", _CLONE_NEWNS)
    # Taken before anything is read-only: their own mounts keep their own flags.
    trees = [(path, _tree(path)) for path in writable if kind_of(path)]
    try:
        _set_attributes("/", _ATTRIBUTE_RDONLY, _MS_PRIVATE)
        for path, tree in trees:
            _call("move_mount", tree, b"\0", _HERE, _text(path), _MOVE_FROM_EMPTY_PATH)
    finally:
        for _, tree in trees:
            os.close(tree)


def cover(places: Iterable[str]) -> None:
    """Give the thread a view of the machine in which some places are empty.

    Args:
        places: Absolute paths; what does not exist is left out.

    Raises:
        OSError: The kernel refused.
    """
    _call("unshare", _CLONE_NEWNS)
    _set_attributes("/", 0, _MS_SLAVE)
    for path in sorted(places):
        kind = kind_of(path)
        if kind == "folder":
            flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
            _call("mount", b"none", _text(path), b"tmpfs", flags, b"size=4k,mode=000")
        elif kind == "file":
            _call("mount", b"/dev/null", _text(path), None, _MS_BIND, None)


def _tree(path: str) -> int:
    flags = _CLONE_TREE | _CLOSE_ON_EXEC | _RECURSIVE
    return _call("open_tree", _HERE, _text(path), flags)


def _set_attributes(path: str, attributes: int, propagation: int) -> None:
    # struct mount_attr: to set, to clear, propagation, a user namespace.
    given = struct.pack("=QQQQ", attributes, 0, propagation, 0)
    _call("mount_setattr", _HERE, _text(path), _RECURSIVE, given, len(given))


def _call(name: str, *arguments: int | bytes | None) -> int:
    number = calls.NAMESPACES[name][ARCHITECTURES.index(MACHINE)]
    assert number is not None
    return syscall(number, *arguments)


def _text(path: str) -> bytes:
    return os.fsencode(path) + b"\0"
