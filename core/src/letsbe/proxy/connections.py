"""Connections to the upstreams, kept for the next request.

httpcore speaks HTTP; its pool, and httpx above it, look through every connection at
every request, which at 16 callers costs six times what the request itself does
(`benchmarks/proxy.py` measures it). Here the newest idle connection is taken.
"""

from __future__ import annotations

import os
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TypedDict

import anyio
import httpcore

from letsbe.errors import LetsBeError
from letsbe.proxy.answers import UpstreamFailed, UpstreamTimeout
from letsbe.proxy.network import Backend

IDLE_SECONDS = 30.0
"""How long an idle connection is kept; providers close theirs after a minute or so."""

IDLE_AT_MOST = 64
"""How many idle connections are kept for one upstream."""


_BACKEND = Backend()


class Timeouts(TypedDict):
    """Seconds, as httpcore takes them."""

    connect: float
    read: float
    write: float


class Sent:
    """A body that is let go of once it is sent; httpcore keeps requests longer.

    Args:
        body: The body.
        on_sent: Called once nothing holds it any more.
    """

    def __init__(self, body: bytes, on_sent: Callable[[], object]) -> None:
        self._parts = [body] if body else []
        self._on_sent = on_sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._parts:
            yield self._parts.pop()
        self._on_sent()


class Connections:
    """Opens connections, and keeps the idle ones.

    Args:
        timeouts: How long each step may take.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._idle: dict[str, deque[httpcore.AsyncHTTPConnection]] = {}
        self._closed = False

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Made when it is needed: it reads all the trusted authorities. httpx makes the
        # same, but importing it costs 8 MB.
        context = httpcore.default_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        more = os.environ.get("SSL_CERT_FILE")
        if more:
            context.load_verify_locations(more)
        return context

    @asynccontextmanager
    async def exchange(
        self,
        origin: httpcore.Origin,
        method: bytes,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: Sent,
    ) -> AsyncIterator[httpcore.Response]:
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
        url = httpcore.URL(
            scheme=origin.scheme, host=origin.host, port=origin.port, target=target
        )
        request = httpcore.Request(
            method,
            url,
            headers=headers,
            content=body,
            extensions={"timeout": self._timeouts},
        )
        connection = await self._take(origin)
        response: httpcore.Response | None = None
        try:
            with upstream_errors():
                response = await connection.handle_async_request(request)
            yield response
        finally:
            with anyio.CancelScope(shield=True):
                if response is not None:
                    await response.aclose()
                await self._give_back(origin, connection)

    async def close(self) -> None:
        """Close every idle connection; those in use are closed when they are done."""
        self._closed = True
        for idle in self._idle.values():
            while idle:
                await idle.pop().aclose()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        idle = self._idle.get(str(origin))
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._tls if origin.scheme == b"https" else None,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=_BACKEND,
        )

    async def _give_back(
        self, origin: httpcore.Origin, connection: httpcore.AsyncHTTPConnection
    ) -> None:
        # A connection that never came about counts as idle to httpcore.
        if self._closed or connection.is_closed() or not connection.is_idle():
            await connection.aclose()
            return
        idle = self._idle.setdefault(str(origin), deque())
        idle.append(connection)
        # The oldest stand first.
        while len(idle) > IDLE_AT_MOST or idle[0].has_expired():
            await idle.popleft().aclose()
            if not idle:
                return


class upstream_errors:  # noqa: N801 - used like a function, as contextlib's are
    """Turns httpcore's errors into ours, without their text."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        """Translate what was raised."""
        found = _translated(error)
        if found is not None:
            raise found from None


def _translated(error: BaseException | None) -> LetsBeError | None:
    if isinstance(error, httpcore.ConnectTimeout):
        return UpstreamTimeout("no connection to the upstream came about in time")
    if isinstance(error, httpcore.TimeoutException):
        return UpstreamTimeout("the upstream did not go on in time")
    if isinstance(error, httpcore.ConnectError):
        return UpstreamFailed("the upstream cannot be reached")
    if isinstance(error, httpcore.NetworkError | OSError):
        return UpstreamFailed("the connection to the upstream broke off")
    if isinstance(error, httpcore.ProtocolError):
        return UpstreamFailed("the upstream's answer is not valid HTTP")
    return None
