"""An httpx transport for URLs given by someone else, and a client that uses it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import httpcore
import httpx
from typing_extensions import override

from letsbe.errors import UrlRefused
from letsbe.policy.network.connections import CheckedBackend, system_resolve
from letsbe.policy.network.judgement import CLOSED_PORTS, Resolve, judge_origin
from letsbe.policy.network.redirects import (
    MAX_REDIRECTS,
    PORTABLE_HEADERS,
    check_hop,
    is_same_site,
)
from letsbe.policy.network.urls import Origin, Target, UrlFault, parse_url

_HOPS = "letsbe.hops"
"""The request extension that httpx hands from each request to its redirect."""

Hop = tuple[str, Target]


def confined_client(
    transport: ConfinedTransport | None = None,
    *,
    timeout: float = 30.0,
    follow_redirects: bool = True,
) -> httpx.AsyncClient:
    """A client that reaches public addresses only and reads no environment.

    Args:
        transport: Another than the default one, such as one with allowed origins.
        timeout: Seconds for each step of a request: connecting, writing, reading.
        follow_redirects: Whether redirects are followed, each judged again.

    Returns:
        The client, to be closed by the caller.
    """
    return httpx.AsyncClient(
        transport=transport or ConfinedTransport(),
        timeout=timeout,
        follow_redirects=follow_redirects,
        max_redirects=MAX_REDIRECTS,
        trust_env=False,
    )


class ConfinedTransport(httpx.AsyncBaseTransport):
    """Sends requests only where :func:`~letsbe.policy.network.judge_url` allows.

    Each connection is opened after one look-up, to an address of that look-up. Each
    redirect passes here again: it may not lead to http from https, not go on for
    ever, and takes to another site neither a body nor headers that may hold a secret.

    Args:
        resolve: Looks names up; may block, it is run in a thread.
        allowed: Origins of the tenant's own tools on this or a private network.
        closed_ports: Ports that stay closed there even so.
        tls: How certificates are checked; by default against certifi's authorities,
            whatever the environment names.
        max_connections: How many may be open at once.
    """

    def __init__(
        self,
        *,
        resolve: Resolve = system_resolve,
        allowed: Collection[Origin] = (),
        closed_ports: Collection[int] = CLOSED_PORTS,
        tls: ssl.SSLContext | None = None,
        max_connections: int = 20,
    ) -> None:
        judge = partial(
            judge_origin,
            resolve=resolve,
            allowed=frozenset(allowed),
            closed_ports=frozenset(closed_ports),
        )
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=max_connections,
            keepalive_expiry=5.0,
            network_backend=CheckedBackend(judge),
        )

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Args:
            request: From an httpx client; its ``Host`` header is set from its URL.

        Returns:
            The response, its body unread.

        Raises:
            UrlRefused: The URL or its host's addresses are not allowed.
            httpx.TransportError: The exchange failed.
        """
        try:
            target = parse_url(str(request.url))
            first = _follow_trail(request, target)
        except UrlFault as fault:
            raise UrlRefused(f"The request is refused: {fault.reason}.") from None
        with _httpx_errors():
            answer = await self._pool.handle_async_request(
                _core_request(request, target, portable=not is_same_site(first, target))
            )
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    @override
    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            async for part in self._answer.aiter_stream():
                yield part

    @override
    async def aclose(self) -> None:
        with _httpx_errors():
            await self._answer.aclose()


def _follow_trail(request: httpx.Request, target: Target) -> Target:
    """Judge the hop, note it for the next one, and give where it all began."""
    trail = cast(tuple[Hop, ...], request.extensions.get(_HOPS, ()))
    if not trail or trail[-1][0] != str(request.url):  # else it is sent once more
        check_hop([hop for _, hop in trail], target, request.method)
        trail = (*trail, (str(request.url), target))
    if len(trail) > MAX_REDIRECTS + 1:
        raise UrlFault("redirect.limit", "there are too many redirects")
    request.extensions = {**request.extensions, _HOPS: trail}
    return trail[0][1]


def _core_request(
    request: httpx.Request, target: Target, *, portable: bool
) -> httpcore.Request:
    headers = [(b"Host", target.authority.encode("ascii"))]
    for name, value in request.headers.raw:
        known = name.decode("latin-1").lower()
        if known != "host" and (not portable or known in PORTABLE_HEADERS):
            headers.append((name, value))
    # The host is the one that was judged, whatever httpx made of the URL. Of the
    # extensions only these pass: others would change the target or the SNI.
    kept = {"timeout", "trace"} & request.extensions.keys()
    return httpcore.Request(
        request.method,
        httpcore.URL(
            scheme=target.scheme.encode("ascii"),
            host=target.origin.host.encode("ascii"),
            port=target.origin.port,
            target=request.url.raw_path,
        ),
        headers=headers,
        content=cast(httpx.AsyncByteStream, request.stream),
        extensions={name: request.extensions[name] for name in kept},
    )


@contextmanager
def _httpx_errors() -> Iterator[None]:
    # httpx names its errors as httpcore does, one for one.
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
    ) as error:
        kind = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error)) from error
