"""seccomp programs: which system calls a sandboxed program may make, by number.

A refused call fails with EPERM, so that the program says what it could not do; a socket
of a refused family with EAFNOSUPPORT, which libraries take as a matter of course; and a
call newer than the list with ENOSYS, as on the older kernel that every program must be
ready for. Arguments that are pointers cannot be judged (another thread may change what
they point at), so calls that hide flags behind one are refused or said not to exist.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from letsbe.policy.sandbox import _syscalls as calls
from letsbe.policy.sandbox._system import ARCHITECTURES, MACHINE

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06  # BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_RET|K
_JUMP_EQUAL, _JUMP_ABOVE, _JUMP_BITS = 0x15, 0x25, 0x45  # JEQ, JGT, JSET
_ALLOW = 0x7FFF_0000
_ERRNO = 0x0005_0000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_AUDIT = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_X32 = 0x4000_0000

_GROUP = 8

Instruction = tuple[int, int, int, int]
Code = list[Instruction]

_NEW_NAMESPACES = 0x7E02_0000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_ACCESS, _CREATE, _TRUNCATE = 0o3, 0o100, 0o1000  # O_ACCMODE, O_CREAT, O_TRUNC
_HARMLESS_SYSLOG = (3, 9, 10)
"""Reading the kernel's log without consuming it, and its sizes."""

_TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing on a terminal in somebody's place."""
_HARMLESS_CONTROLS = (
    *(0x5401, 0x802C542A, 0x5413, 0x540F, 0x5429, 0x5411, 0x541B),  # terminals: asking
    *(0x5450, 0x5451, 0x5421, 0x5452),  # FIONCLEX, FIOCLEX, FIONBIO, FIOASYNC
    *(0x0001, 0x0002, 0xC020660B),  # FIBMAP, FIGETBSZ, FS_IOC_FIEMAP
    *(0x80086601, 0x801C581F, 0x80087601),  # attributes, project, version: asking
    *(0xB701, 0xB702, 0xB703),  # namespaces: asking
    *range(0x8901, 0x8908),  # sockets: who owns, what is at the mark
    *(0x8910, 0x8912, 0x8913, 0x8915, 0x8917, 0x8919, 0x891B, 0x891D, 0x8921),
    *(0x8927, 0x8933, 0x8938, 0x8942, 0x8946, 0x8948, 0x894C, 0x8954, 0x8970),
    *(0x8B01, 0x8B05, 0x8B07, 0x8B0B, 0x8B0F, 0x8B15, 0x8B1B, 0x8B21, 0x8B27),  # wifi
    0x80247009,  # RTC_RD_TIME
)
"""What may be asked of a descriptor; each only reads, from ``linux/sockios.h`` and
its like. 0x8946 is SIOCETHTOOL, whose setting half needs CAP_NET_ADMIN."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a seccomp program lets through.

    Args:
        families: The address families of sockets; ``None`` for all.
        sending: Whether sockets may be connected and sent through.
        metadata: Whether modes, owners, times and attributes may be changed.
        files: Whether anything may be created, removed or opened for writing.
        updating: Without ``files``: whether what exists may be opened for reading and
            writing at once.
        truncating: Whether a file may be cut short without being opened for writing,
            which Landlock refuses by itself from ABI 3 on.
        signals: Whether processes may be signalled, as far as Landlock lets them.
        ipc: Whether shared memory and queues may be made.
        others: Whether other processes' priorities and limits may be changed.
        controls: Whether ``ioctl`` may do more than ask.
    """

    families: frozenset[int] | None
    sending: bool = True
    metadata: bool = True
    files: bool = True
    updating: bool = False
    truncating: bool = True
    signals: bool = True
    ipc: bool = True
    others: bool = True
    controls: bool = True


@cache
def compile_filter(wanted: Filter, machine: str = MACHINE) -> bytes:
    """Compile a filter for a machine.

    Args:
        wanted: What to let through. Namespaces, mounts, other processes' memory and
            the kernel itself never are.
        machine: One of the known architectures.

    Returns:
        The program, eight bytes an instruction.
    """
    column = ARCHITECTURES.index(machine)
    code: Code = [
        _load(_ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _AUDIT[machine]),
        _refuse(),
        _load(_NUMBER),
    ]
    if machine == "x86_64":
        # The same calls under other numbers, with 32-bit pointers.
        code += [(_JUMP_BITS, 0, 1, _X32), _refuse()]
    code += [(_JUMP_ABOVE, 0, 1, calls.NEWEST), _missing()]
    bodies: dict[int, Code] = {}
    for name, body in _rules(wanted):
        number = calls.EVERY[name][column]
        if number is not None:
            bodies[number] = body
    code += _dispatch(bodies)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _dispatch(bodies: Mapping[int, Code]) -> Code:
    """Return the code that finds a call's body.

    In groups, each skipped at once: when a program is installed, the kernel walks it
    for every call there is, and a plain chain took it most of a millisecond.
    """
    code: Code = []
    numbers = sorted(bodies)
    for start in range(0, len(numbers), _GROUP):
        group = numbers[start : start + _GROUP]
        part: Code = []
        for number in group:
            body = bodies[number]
            part += [(_JUMP_EQUAL, 0, len(body), number), *body]
        part.append(_allow())
        code += [(_JUMP_ABOVE, len(part), 0, group[-1]), *part]
    return [*code, _allow()]


def _rules(wanted: Filter) -> Iterable[tuple[str, Code]]:
    closed = {**calls.OTHERS, **calls.NAMESPACES, **calls.KERNEL}
    for group, is_open in (
        (calls.METADATA, wanted.metadata),
        (calls.FILES, wanted.files),
        (calls.SIGNALS, wanted.signals),
        (calls.IPC, wanted.ipc),
        (calls.SENDING, wanted.sending),
    ):
        if not is_open:
            closed.update(group)
    if not wanted.truncating:
        closed["truncate"] = calls.FILES["truncate"]
    for name in closed:
        yield name, [_refuse()]
    yield "clone", _unless_bits(0, _NEW_NAMESPACES)
    yield "clone3", [_missing()]  # the C library turns to clone
    yield from _opening(wanted)
    yield from _sockets(wanted)
    yield "syslog", _only(0, _HARMLESS_SYSLOG)
    if wanted.controls:
        yield "ioctl", _unless(1, _TERMINAL_INPUT)
    else:
        yield "ioctl", _only(1, _HARMLESS_CONTROLS)
    if not wanted.others:
        yield from _own_process_only()


def _opening(wanted: Filter) -> Iterable[tuple[str, Code]]:
    if wanted.files and wanted.truncating:
        return
    for name, argument in (("open", 1), ("openat", 2)):
        if wanted.files:
            # Opened for reading and cut all the same.
            cut = [(_AND, 0, 0, _ACCESS | _TRUNCATE), (_JUMP_EQUAL, 0, 1, _TRUNCATE)]
            yield name, [_argument(argument), *cut, _refuse(), _allow()]
        else:
            writing = os.O_WRONLY if wanted.updating else _ACCESS
            yield name, _unless_bits(argument, writing | _CREATE | _TRUNCATE)
    yield "openat2", [_missing()]


def _sockets(wanted: Filter) -> Iterable[tuple[str, Code]]:
    if wanted.families is None:
        return
    # As where the kernel lacks the family: programs are used to that.
    lacking = (_RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT)
    yield "socket", [*_only(0, sorted(wanted.families))[:-1], lacking]
    if socket.AF_UNIX not in wanted.families:
        # A pair of datagram sockets can be pointed at any other.
        kind = [_argument(1), (_AND, 0, 0, 0xF)]
        datagram = (_JUMP_EQUAL, 0, 1, int(socket.SOCK_DGRAM))
        yield "socketpair", [*kind, datagram, _refuse(), _allow()]


def _own_process_only() -> Iterable[tuple[str, Code]]:
    for name, argument in (
        ("setpriority", 1),
        ("ioprio_set", 1),
        ("sched_setaffinity", 0),
        ("sched_setscheduler", 0),
        ("sched_setparam", 0),
        ("sched_setattr", 0),
    ):
        yield name, _only(argument, (0,))
    # Asking for another's limits gives no new ones: a null pointer, both its halves.
    new = [_argument(2), (_JUMP_EQUAL, 0, 3, 0), _argument(2, high=True)]
    own = [_argument(0), (_JUMP_EQUAL, 0, 1, 0), _allow()]
    yield "prlimit64", [*own, *new, (_JUMP_EQUAL, 0, 1, 0), _allow(), _refuse()]


def _only(argument: int, values: Collection[int]) -> Code:
    """Allow if the low half of an argument is one of some values."""
    code: Code = [_argument(argument)]
    for value in values:
        code += [(_JUMP_EQUAL, 0, 1, value), _allow()]
    return [*code, _refuse()]


def _unless(argument: int, values: Collection[int]) -> Code:
    code: Code = [_argument(argument)]
    for value in values:
        code += [(_JUMP_EQUAL, 0, 1, value), _refuse()]
    return [*code, _allow()]


def _unless_bits(argument: int, bits: int) -> Code:
    return [_argument(argument), (_JUMP_BITS, 0, 1, bits), _refuse(), _allow()]


def _argument(number: int, *, high: bool = False) -> Instruction:
    return _load(_ARGUMENTS + 8 * number + (4 if high else 0))


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _allow() -> Instruction:
    return (_RETURN, 0, 0, _ALLOW)


def _refuse() -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | errno.EPERM)


def _missing() -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)
