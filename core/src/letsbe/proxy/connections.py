"""Connections to the upstreams, kept for the next request.

The pools of httpcore and httpx look through every connection at every request, which at
16 callers costs six times what the request itself does (`benchmarks/proxy.py` measures
it). Here the newest idle connection is taken.
"""

from __future__ import annotations

import os
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property

from letsbe.errors import LetsBeError
from letsbe.proxy.answers import UpstreamFailed, UpstreamTimeout
from letsbe.proxy.exchanging import Connection, NotHttp, Response, Sent, Timeouts
from letsbe.proxy.headers import Header
from letsbe.proxy.network import (
    BrokenOff,
    ConnectTimeout,
    NotConnected,
    Origin,
    connect,
)

IDLE_SECONDS = 30.0
"""How long an idle connection is kept; providers close theirs after a minute or so."""

IDLE_AT_MOST = 64
"""How many idle connections are kept for one upstream."""


class Connections:
    """Opens connections, and keeps the idle ones.

    Args:
        timeouts: How long each step may take.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._idle: dict[Origin, deque[Connection]] = {}
        self._closed = False

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Made when it is needed: it reads all the trusted authorities. httpx makes the
        # same, but importing it costs 8 MB.
        import httpcore  # noqa: PLC0415 - only where somebody speaks TLS

        context = httpcore.default_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        more = os.environ.get("SSL_CERT_FILE")
        if more:
            context.load_verify_locations(more)
        return context

    @asynccontextmanager
    async def exchange(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: Sequence[Header],
        body: Sent,
    ) -> AsyncIterator[Response]:
        """Send a request and lend its response.

        A response that was not read to its end has its connection closed, so that the
        upstream notices.

        Args:
            origin: Whom to ask.
            method: The method.
            target: Path and query, sent as they are.
            headers: All headers, Host and Content-Length among them.
            body: The body, sent once.

        Raises:
            UpstreamFailed: It could not be reached, or broke off.
            UpstreamTimeout: It took too long.
        """
        with upstream_errors():
            connection = self._idle_one(origin) or await self._new(origin)
        try:
            with upstream_errors():
                response = await connection.ask(method, target, headers, body)
            yield response
        finally:
            self._give_back(origin, connection)

    async def close(self) -> None:
        """Close every idle connection; those in use are closed when they are done."""
        self._closed = True
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _idle_one(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    async def _new(self, origin: Origin) -> Connection:
        tls = self._tls if origin.scheme == "https" else None
        stream = await connect(origin, tls, self._timeouts["connect"])
        return Connection(stream, self._timeouts, IDLE_SECONDS)

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        if self._closed or not connection.rest():
            connection.close()
            return
        idle = self._idle.setdefault(origin, deque())
        idle.append(connection)
        # The oldest stand first.
        while idle and (len(idle) > IDLE_AT_MOST or not idle[0].usable):
            idle.popleft().close()


class upstream_errors:  # noqa: N801 - used like a function, as contextlib's are
    """Turns a connection's errors into ours, without their text."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        """Translate what was raised."""
        found = _translated(error)
        if found is not None:
            raise found from None


def _translated(error: BaseException | None) -> LetsBeError | None:
    if isinstance(error, ConnectTimeout):
        return UpstreamTimeout("no connection to the upstream came about in time")
    if isinstance(error, TimeoutError):
        return UpstreamTimeout("the upstream did not go on in time")
    if isinstance(error, NotConnected):
        return UpstreamFailed("the upstream cannot be reached")
    if isinstance(error, BrokenOff | OSError):
        return UpstreamFailed("the connection to the upstream broke off")
    if isinstance(error, NotHttp):
        return UpstreamFailed("the upstream's answer is not valid HTTP")
    return None
