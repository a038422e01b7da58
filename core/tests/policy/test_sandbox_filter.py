"""What a seccomp program says, read by an interpreter of its own."""

from __future__ import annotations

import errno
import os
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.policy.sandbox import _syscalls as calls
from letsbe.policy.sandbox._domain import filter_for
from letsbe.policy.sandbox._seccomp import Filter, compile_filter
from letsbe.policy.sandbox.access import Access, Grant
from letsbe.policy.tiers import Tier

AUDIT = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
MACHINES = tuple(AUDIT)
ALLOWED = 0


def wanted_for(access: Access, version: int = 7) -> Filter:
    wanted = filter_for(access, version)
    assert wanted is not None
    return wanted


READ = wanted_for(Access(Tier.GREEN))
ALONE = wanted_for(Access(Tier.GREEN), 0)
WRITE = wanted_for(Access(Tier.YELLOW))


def judge(
    program: bytes, machine: str, number: int, *arguments: int, audit: int | None = None
) -> int:
    """Run a program as the kernel does; return the error number, or 0."""
    words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    masked = [word & 0xFFFF_FFFF_FFFF_FFFF for word in words]
    data = struct.pack("=iIQ6Q", number, audit or AUDIT[machine], 0, *masked)
    code = [
        struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)
    ]
    at = value = 0
    while True:
        kind, yes, no, k = code[at]
        at += 1
        if kind == 0x20:
            (value,) = struct.unpack_from("=I", data, k)
        elif kind == 0x54:
            value &= k
        elif kind == 0x06:
            return 0 if k == 0x7FFF_0000 else k & 0xFFFF
        else:
            holds = {0x15: value == k, 0x25: value > k, 0x45: bool(value & k)}[kind]
            at += yes if holds else no


def call(wanted: Filter, machine: str, name: str, *arguments: int) -> int:
    number = calls.EVERY[name][MACHINES.index(machine)]
    if number is None:
        pytest.skip(f"{machine} has no {name}")
    return judge(compile_filter(wanted, machine), machine, number, *arguments)


each_machine = pytest.mark.parametrize("machine", MACHINES)


@each_machine
def test_another_architecture_is_refused(machine: str) -> None:
    other = AUDIT["aarch64" if machine == "x86_64" else "x86_64"]
    program = compile_filter(READ, machine)
    for audit in (other, 0x4000_0003):  # AUDIT_ARCH_I386
        assert judge(program, machine, 0, audit=audit) == errno.EPERM


def test_the_numbers_of_x32_are_refused() -> None:
    program = compile_filter(READ, "x86_64")
    assert judge(program, "x86_64", 0x4000_0000 | 1) == errno.EPERM


@each_machine
def test_newer_calls_do_not_exist(machine: str) -> None:
    program = compile_filter(WRITE, machine)
    assert judge(program, machine, calls.NEWEST + 1) == errno.ENOSYS
    assert call(READ, machine, "clone3") == errno.ENOSYS


@each_machine
@pytest.mark.parametrize("wanted", [READ, ALONE, WRITE])
def test_what_no_program_may(machine: str, wanted: Filter) -> None:
    for group in (calls.OTHERS, calls.NAMESPACES, calls.KERNEL):
        column = MACHINES.index(machine)
        numbers = [n[column] for n in group.values() if n[column] is not None]
        program = compile_filter(wanted, machine)
        assert {judge(program, machine, n or 0) for n in numbers} == {errno.EPERM}


@each_machine
def test_reading_changes_no_metadata(machine: str) -> None:
    assert call(READ, machine, "fchmodat") == errno.EPERM
    assert call(READ, machine, "utimensat") == errno.EPERM
    assert call(WRITE, machine, "fchmodat") == ALLOWED


@each_machine
@pytest.mark.parametrize(
    "flags", [os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_WRONLY | os.O_APPEND]
)
def test_alone_seccomp_refuses_to_open_for_writing(machine: str, flags: int) -> None:
    assert call(ALONE, machine, "openat", -100, 0, flags) == errno.EPERM
    assert call(ALONE, machine, "openat", -100, 0, os.O_RDONLY) == ALLOWED
    assert call(ALONE, machine, "openat2") == errno.ENOSYS
    assert call(ALONE, machine, "renameat2") == errno.EPERM


@each_machine
def test_old_landlock_is_helped_with_cutting(machine: str) -> None:
    old = wanted_for(Access(Tier.YELLOW), 2)
    cut = os.O_RDONLY | os.O_TRUNC
    assert call(old, machine, "openat", -100, 0, cut) == errno.EPERM
    assert call(old, machine, "openat", -100, 0, os.O_WRONLY | os.O_TRUNC) == ALLOWED
    assert call(old, machine, "truncate") == errno.EPERM
    assert call(WRITE, machine, "truncate") == ALLOWED


@each_machine
def test_sockets_by_family(machine: str) -> None:
    none = errno.EAFNOSUPPORT
    assert call(READ, machine, "socket", socket.AF_INET) == none
    assert call(READ, machine, "socket", socket.AF_UNIX) == none
    unix = wanted_for(Access(Tier.GREEN, grants=frozenset({Grant.UNIX})))
    assert call(unix, machine, "socket", socket.AF_UNIX) == ALLOWED
    assert call(unix, machine, "socket", socket.AF_INET) == none
    assert call(READ, machine, "socketpair", 1, socket.SOCK_STREAM) == ALLOWED
    datagram = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    assert call(READ, machine, "socketpair", 1, datagram) == errno.EPERM


@each_machine
def test_a_green_program_never_gets_the_network(machine: str) -> None:
    for grants in (frozenset(Grant), frozenset({Grant.NETWORK, Grant.RAW})):
        wanted = wanted_for(Access(Tier.GREEN, network=True, grants=grants))
        reaches = call(wanted, machine, "socket", socket.AF_INET) == ALLOWED
        # INTERFACES lends a socket that nothing can be sent through.
        assert not reaches or call(wanted, machine, "connect") == errno.EPERM
        assert not reaches or call(wanted, machine, "sendto") == errno.EPERM


@each_machine
def test_only_its_own_priority_and_limits(machine: str) -> None:
    assert call(READ, machine, "setpriority", 0, 0) == ALLOWED
    assert call(READ, machine, "setpriority", 0, 12) == errno.EPERM
    assert call(READ, machine, "prlimit64", 0, 7, 0x7000) == ALLOWED
    assert call(READ, machine, "prlimit64", 12, 7, 0) == ALLOWED
    assert call(READ, machine, "prlimit64", 12, 7, 0x7000) == errno.EPERM
    assert call(READ, machine, "prlimit64", 12, 7, 1 << 32) == errno.EPERM


@each_machine
@given(flags=st.integers(0, 2**32 - 1))
def test_clone_makes_no_namespace(machine: str, flags: int) -> None:
    refused = call(READ, machine, "clone", flags) == errno.EPERM
    assert refused == bool(flags & 0x7E02_0000)


@each_machine
def test_terminals_are_not_typed_on(machine: str) -> None:
    assert call(WRITE, machine, "ioctl", 0, 0x5412) == errno.EPERM
    assert call(READ, machine, "ioctl", 0, 0x5412) == errno.EPERM
    assert call(READ, machine, "ioctl", 0, 0x5401) == ALLOWED
    assert call(READ, machine, "ioctl", 0, 0x4008_6602) == errno.EPERM  # chattr


@each_machine
@given(number=st.integers(0, calls.NEWEST))
def test_what_is_not_listed_is_let_through(machine: str, number: int) -> None:
    column = MACHINES.index(machine)
    listed = {numbers[column] for numbers in calls.EVERY.values()}
    if number not in listed:
        assert judge(compile_filter(READ, machine), machine, number) == ALLOWED


def test_no_two_calls_share_a_number() -> None:
    for column in range(2):
        numbers = [n[column] for n in calls.EVERY.values() if n[column] is not None]
        assert len(numbers) == len(set(numbers))


def test_a_program_fits_the_kernel() -> None:
    for machine in MACHINES:
        for wanted in (READ, ALONE, WRITE):
            assert len(compile_filter(wanted, machine)) // 8 <= 4096
