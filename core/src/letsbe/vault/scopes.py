"""Where a secret may be used: the tools that get it, the hosts it is sent to."""

from __future__ import annotations

import re
from typing import Protocol, TypeAlias

from letsbe.errors import FieldError, InvalidRequest, SecretOutOfScope

ANYWHERE = ("*",)
"""The scope that leaves nothing out."""

Scopes: TypeAlias = tuple[tuple[str, ...] | None, tuple[str, ...] | None]
"""Tools and hosts; None is as before, or anywhere."""

_TOOL = re.compile(r"\*|[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*(\.\*)?", re.ASCII)
_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_ADDRESS = r"\[[0-9a-f:]*:[0-9a-f:.]*\]|[0-9a-f:]*:[0-9a-f:.]*"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?|{_ADDRESS}", re.ASCII)
_HOSTS = re.compile(rf"\*|(\*\.)?{_LABEL}(\.{_LABEL})*\.?|{_ADDRESS}", re.ASCII)


class Scoped(Protocol):
    """Anything with a secret's name and scopes."""

    @property
    def name(self) -> str:
        """The secret's name."""
        ...

    @property
    def tools(self) -> tuple[str, ...]:
        """Names, ``prefix.*`` or ``*``."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names, ``*.example.com`` or ``*``."""
        ...


def check_scope(record: Scoped, tool_name: str, hosts: tuple[str, ...] | None) -> None:
    """Refuse a use that the secret is not meant for.

    Args:
        record: The secret.
        tool_name: The tool that would get it.
        hosts: Every host that the call contacts; ``()`` if none, ``None`` if they
            cannot be known. A secret that is bound to hosts passes neither.

    Raises:
        SecretOutOfScope: The tool or a host is not among those of the secret.
    """
    if not any(_tool_matches(pattern, tool_name) for pattern in record.tools):
        message = f"the secret {record.name} may not be used by {tool_name}"
        allowed = f"it may be used by: {', '.join(record.tools) or 'no tool'}"
        raise SecretOutOfScope(message, alternative=allowed)
    if "*" in record.hosts:
        return
    bound = f"it may only be sent to: {', '.join(record.hosts) or 'no host'}"
    if not hosts:
        known = "cannot be known" if hosts is None else "are none"
        message = f"the secret {record.name} is bound to hosts, and this call's {known}"
        raise SecretOutOfScope(message, alternative=bound)
    for host in hosts:
        if not any(_host_matches(pattern, host) for pattern in record.hosts):
            message = f"the secret {record.name} may not be sent to a host of this call"
            raise SecretOutOfScope(message, alternative=bound)


def normal_tools(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return tool patterns in their stored form.

    Raises:
        InvalidRequest: There is none, or one is not a pattern.
    """
    return _normal(patterns, _TOOL, "tools", "a tool's name, `tool.*` or `*`")


def normal_hosts(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return host patterns in their stored form: lower case, no dot at the end.

    Raises:
        InvalidRequest: There is none, or one is not a pattern.
    """
    lower = tuple(str(pattern).lower() for pattern in patterns)
    what = "a host name, `*.domain` or `*`, no port"
    checked = _normal(lower, _HOSTS, "hosts", what)
    return tuple(sorted({_folded(pattern) for pattern in checked}))


def _normal(
    patterns: tuple[str, ...], form: re.Pattern[str], field: str, what: str
) -> tuple[str, ...]:
    if not patterns:
        message = f"{field} is a list of at least one of: {what}"
        raise InvalidRequest(message, details=(FieldError(field, message),))
    for position, pattern in enumerate(patterns):
        if not form.fullmatch(str(pattern)):
            message = f"{field} takes {what}"
            raise InvalidRequest(
                message, details=(FieldError(f"{field}.{position}", message),)
            )
    return tuple(sorted(set(patterns)))


def _folded(host: str) -> str:
    return host.lower().removesuffix(".").removeprefix("[").removesuffix("]")


def _tool_matches(pattern: str, tool_name: str) -> bool:
    if pattern == "*" or pattern == tool_name:
        return True
    return pattern.endswith(".*") and tool_name.startswith(pattern[:-1])


def _host_matches(pattern: str, host: str) -> bool:
    if not _HOST.fullmatch(host.lower()):
        # What is no host name could end like one: `evil/.example.com`.
        return False
    folded = _folded(host)
    if pattern.startswith("*."):
        return folded.endswith(pattern[1:])
    return pattern == folded


def normal_scopes(
    tools: tuple[str, ...] | None, hosts: tuple[str, ...] | None
) -> Scopes:
    """Check both kinds of scope; None stays None, which is "as before".

    Raises:
        InvalidRequest: One of them has not the right form.
    """
    return (
        None if tools is None else normal_tools(tools),
        None if hosts is None else normal_hosts(hosts),
    )
