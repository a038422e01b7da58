"""System calls that Python has no function for, of the calling thread.

What restricts a thread (no_new_privs, Landlock, seccomp, capabilities, its mount
namespace) must not pass through the C library's wrappers: some of those change all
threads of the process at once.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

ARCHITECTURES = ("x86_64", "aarch64")
"""The machines whose system call numbers are known here."""
MACHINE = platform.machine()
KNOWN = MACHINE in ARCHITECTURES

_PRCTL = {"x86_64": 157, "aarch64": 167}.get(MACHINE, -1)
_CAPGET = {"x86_64": 125, "aarch64": 90}.get(MACHINE, -1)
_CAPSET = {"x86_64": 126, "aarch64": 91}.get(MACHINE, -1)
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def syscall(number: int, *arguments: int | bytes | ctypes.Array[Any] | None) -> int:
    """Make a system call.

    Args:
        number: Its number on this machine.
        arguments: Numbers, buffers, or NUL-terminated bytes.

    Raises:
        OSError: The kernel refused.
    """
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_LIBC.syscall(ctypes.c_long(number), *given))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def set_no_new_privileges() -> None:
    """Give up gaining anything by starting a program: set-user-id, file capabilities.

    Raises:
        OSError: The kernel refused.
    """
    syscall(_PRCTL, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def set_filter(program: bytes) -> None:
    """Have a seccomp program judge every further system call.

    Args:
        program: Instructions of eight bytes each.

    Raises:
        OSError: The kernel refused.
    """
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the count of instructions, padding, and their address.
    head = (len(program) // 8).to_bytes(8, "little")
    head += ctypes.addressof(code).to_bytes(8, "little")
    given = ctypes.create_string_buffer(head, len(head))
    syscall(_PRCTL, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, given, 0, 0)


def permitted_capabilities() -> int:
    """Return the thread's permitted capabilities, a bit each."""
    if not KNOWN:
        return 0
    head, data = _capability_buffers(0)
    syscall(_CAPGET, head, data)
    return _word(data, 1) | _word(data, 4) << 32


def set_capabilities(kept: int) -> None:
    """Keep only some of the thread's capabilities, for itself and what it starts.

    The bounding set goes with them where the thread may change it; where not,
    no_new_privs keeps a program from getting them back.

    Args:
        kept: A bit each; none that the thread does not have.

    Raises:
        OSError: The kernel refused.
    """
    for number in range(64):
        if kept >> number & 1:
            continue
        try:
            if syscall(_PRCTL, _PR_CAPBSET_READ, number, 0, 0, 0):
                syscall(_PRCTL, _PR_CAPBSET_DROP, number, 0, 0, 0)
        except OSError:
            break  # no such capability any more, or no right to change the set
    head, data = _capability_buffers(kept)
    syscall(_CAPSET, head, data)


def _capability_buffers(
    kept: int,
) -> tuple[ctypes.Array[ctypes.c_char], ctypes.Array[ctypes.c_char]]:
    """Return the header; effective, permitted, inheritable sets, low then high."""
    low, high = kept & 0xFFFF_FFFF, kept >> 32
    words = (low, low, 0, high, high, 0)
    head = _CAPABILITY_VERSION_3.to_bytes(4, "little") + bytes(4)
    data = b"".join(word.to_bytes(4, "little") for word in words)
    return (
        ctypes.create_string_buffer(head, len(head)),
        ctypes.create_string_buffer(data, len(data)),
    )


def _word(data: ctypes.Array[ctypes.c_char], number: int) -> int:
    return int.from_bytes(data.raw[number * 4 : number * 4 + 4], "little")
