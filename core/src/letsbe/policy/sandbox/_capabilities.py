"""What is left of root's capabilities for a program."""

from __future__ import annotations

from collections.abc import Iterable

from letsbe.policy.sandbox.access import Access, Grant, Level

_CAPABILITY = {  # linux/capability.h
    "chown": 0,
    "dac_override": 1,
    "dac_read_search": 2,
    "fowner": 3,
    "fsetid": 4,
    "kill": 5,
    "setgid": 6,
    "setuid": 7,
    "net_admin": 12,
    "net_raw": 13,
    "sys_rawio": 17,
    "sys_ptrace": 19,
    "sys_admin": 21,
    "syslog": 34,
}
_BY_LEVEL = {
    Level.READ: ("dac_read_search",),
    Level.WRITE: ("dac_read_search", "dac_override", "fowner", "fsetid", "chown"),
}
_BY_GRANT = {
    Grant.PROCESSES: ("sys_ptrace",),
    Grant.KERNEL: ("net_admin", "sys_admin", "sys_rawio"),
    Grant.LOG: ("syslog",),
}
_BY_GRANT_TO_CHANGE = {Grant.RAW: ("net_raw",), Grant.SIGNALS: ("kill",)}


def capabilities(access: Access, permitted: int, *, changes_user: bool) -> int:
    """Return the capabilities that a program keeps.

    Args:
        access: What it may do.
        permitted: The capabilities that the service has, a bit each.
        changes_user: Whether it will run as another user.
    """
    if access.level > Level.WRITE:
        return permitted
    names = [*_BY_LEVEL[access.level]]
    by_grant = _BY_GRANT if access.level is Level.READ else _BY_GRANT_TO_CHANGE
    for grant, more in by_grant.items():
        if grant in access.grants:
            names += more
    if changes_user:
        names += ["setuid", "setgid"]
    return permitted & capability_bits(names)


def capability_bits(names: Iterable[str]) -> int:
    """Return capabilities as a bit each."""
    return sum(1 << _CAPABILITY[name] for name in set(names))


def capability_names(bits: int) -> list[str]:
    """Return the names of capabilities, as ``CAP_CHOWN``."""
    return [f"CAP_{n.upper()}" for n, bit in _CAPABILITY.items() if bits >> bit & 1]
