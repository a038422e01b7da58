"""A request on its way out, and what binds the client that sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from letsbe.plugin._adapters.faults import ReadFault


class Credentials(Protocol):
    """Where a request's credentials and settings come from."""

    @property
    def credentials(self) -> frozenset[str]:
        """The credentials that may be used, of those that are there."""
        ...

    def secret(self, credential: str) -> str:
        """Return a credential's value."""
        ...

    def setting(self, name: str) -> str:
        """Return a setting of the tool."""
        ...


@dataclass(slots=True)
class Outgoing:
    """A request, as the adapter's ``authenticate`` may add to it.

    Args:
        method: The HTTP method.
        path: The path, complete and encoded.
        headers: The headers.
        query: The query's parameters.
    """

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, Any]
    _tool: Credentials = field(repr=False)

    @property
    def credentials(self) -> frozenset[str]:
        """The credentials that this operation may use, of those that are there."""
        return self._tool.credentials

    def secret(self, credential: str) -> str:
        """Return a credential's value. Put it into a header or the query only."""
        return self._tool.secret(credential)

    def setting(self, name: str) -> str:
        """Return a setting of the tool; as :meth:`ToolClient.setting`."""
        return self._tool.setting(name)


@dataclass(frozen=True, slots=True)
class Terms:
    """What binds a client, besides the tool it speaks to.

    Args:
        operation: The full name of the operation, for errors.
        changes: Whether the operation may change anything.
        idempotent: Whether a request of it may be sent again.
        credentials: The credentials that it may use.
        authenticate: The adapter's function of that name.
        fault: The adapter's function of that name.
        headers: Headers of every request.
        defaults: The settings that the tool registry need not have.
    """

    operation: str
    changes: bool
    idempotent: bool
    credentials: frozenset[str]
    authenticate: Callable[[Outgoing], None]
    fault: ReadFault | None
    headers: Mapping[str, str]
    defaults: Mapping[str, str]
