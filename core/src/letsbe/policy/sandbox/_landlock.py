"""Landlock by its system calls: what a thread may open, and no way back.

A ruleset names rights; a thread that is restricted by it has them only below the paths
that are allowed. The source of every number is the kernel's ``linux/landlock.h`` and
its documentation of the ABI's versions.
"""

from __future__ import annotations

import enum
import os
import stat
import struct
from functools import cache

from letsbe.policy.sandbox._system import KNOWN, syscall

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every machine
_VERSION = 1
_PATH_BENEATH = 1


class Right(enum.IntFlag):
    """What may be done below a path."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    """To link and rename across folders; without it no thread may (ABI 2)."""
    TRUNCATE = 1 << 14
    """ABI 3."""
    IOCTL_DEV = 1 << 15
    """ABI 5."""


EVERY_RIGHT = Right((1 << 16) - 1)
READING = Right.EXECUTE | Right.READ_FILE | Right.READ_DIR
WRITING = EVERY_RIGHT & ~(Right.MAKE_CHAR | Right.MAKE_BLOCK | Right.IOCTL_DEV)
_OF_FILES = (
    Right.EXECUTE
    | Right.WRITE_FILE
    | Right.READ_FILE
    | Right.TRUNCATE
    | Right.IOCTL_DEV
)

NETWORK_ABI = 4
"""From here on, TCP ports can be closed."""
DEVICE_ABI = 5
"""From here on, the control of devices can be closed."""
SCOPE_ABI = 6
"""From here on, signals and abstract sockets can be kept inside."""
_TCP = 0b11
_ABSTRACT_SOCKETS, _SIGNALS = 0b01, 0b10


@cache
def abi() -> int:
    """Return the ABI's version; 0 if the kernel has no Landlock, or it is off."""
    if not KNOWN:
        return 0
    try:
        return syscall(_CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def handled_rights(version: int) -> Right:
    """Return the rights that an ABI's version knows."""
    newest = 16 if version >= DEVICE_ABI else 15 if version > 2 else 12 + version
    return Right((1 << newest) - 1)


def create_ruleset(
    version: int, *, network: bool, signals: bool, abstract_sockets: bool
) -> int:
    """Create a ruleset that takes every right to files, and more.

    Args:
        version: The ABI's version to use, at most :func:`abi`.
        network: Whether TCP is left open.
        signals: Whether processes outside may be signalled.
        abstract_sockets: Whether abstract sockets from outside may be connected to.

    Returns:
        Its descriptor, to be closed.

    Raises:
        OSError: The kernel refused.
    """
    fields = [int(handled_rights(version))]
    if version >= NETWORK_ABI:
        fields.append(0 if network else _TCP)
    if version >= SCOPE_ABI:
        scope = 0 if signals else _SIGNALS
        fields.append(scope | (0 if abstract_sockets else _ABSTRACT_SOCKETS))
    data = struct.pack(f"={len(fields)}Q", *fields)
    return syscall(_CREATE, data, len(data), 0)


def allow(ruleset: int, version: int, path: str, rights: Right) -> bool:
    """Allow rights at a path and all below it.

    Args:
        ruleset: The ruleset's descriptor.
        version: The ABI's version that it was created for.
        path: An absolute path; if its last part is a link, nothing is allowed.
        rights: The rights; those that need a folder are left out for a file.

    Returns:
        Whether there was something that rights can be given to.

    Raises:
        OSError: The kernel refused the rule.
    """
    try:
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        mode = os.fstat(place).st_mode
        if stat.S_ISLNK(mode):
            return False
        given = rights & handled_rights(version)
        if not stat.S_ISDIR(mode):
            given &= _OF_FILES
        if not given:
            return False
        rule = struct.pack("=Qi", int(given), place)
        syscall(_ADD, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
    return True


def restrict(ruleset: int) -> None:
    """Restrict the calling thread, and all that it starts from now on.

    Raises:
        OSError: The kernel refused; no_new_privs must be set first.
    """
    syscall(_RESTRICT, ruleset, 0)
