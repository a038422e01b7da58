"""One LLM call: read, cleaned, sent on, and answered with what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
from starlette.types import Message, Receive, Scope, Send

from letsbe.configuration import ProxySettings
from letsbe.errors import LetsBeError
from letsbe.proxy.answering import Answering, Asked
from letsbe.proxy.answers import MethodNotAllowed, answer
from letsbe.proxy.bodies import (
    Budget,
    ClientGone,
    check_readable,
    memory_for,
    read_body,
)
from letsbe.proxy.cleaning import Cleaner
from letsbe.proxy.connections import Connections
from letsbe.proxy.decoding import decode, encodings_of
from letsbe.proxy.exchanging import Sent
from letsbe.proxy.generations import Generations
from letsbe.proxy.headers import AGENT_HEADER, Header, request_headers, value_of
from letsbe.proxy.keys import key_headers
from letsbe.proxy.metering import Meter
from letsbe.proxy.pool import Pool, worst_case
from letsbe.proxy.reading import asked_model
from letsbe.proxy.upstreams import (
    UNKNOWN_AGENT,
    Route,
    Upstreams,
    checked_agent,
)
from letsbe.proxy.watching import WatchedVault

log = logging.getLogger(__name__)

INLINE = 192 * 1024
"""A body up to this is searched at once, in a millisecond or less; a longer one in
another thread, so that the streams of others go on meanwhile."""

SEARCHING_THREADS = 2
"""How many long bodies are searched at once; more would only wait for each other."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

# The paths on which models answer; other paths may show the same usage again.
_GENERATING = ("/completions", "/responses", "/messages", "/embeddings")


@dataclass(frozen=True, slots=True)
class _Head:
    """A request before its body.

    Args:
        method: Its method.
        route: Where it goes.
        headers: What the client sent, names in lower case.
        agent_id: Whose it is.
        packed: How its body is compressed, the last step first.
        memory: How many bytes its body may take, unpacked.
    """

    method: str
    route: Route
    headers: list[Header]
    agent_id: str
    packed: list[str]
    memory: int

    @property
    def metered(self) -> bool:
        """Whether its answer costs tokens."""
        return self.method == "POST" and self.route.path.endswith(_GENERATING)


class Forwarder:
    """Forwards requests; an ASGI application.

    Args:
        settings: Limits and time-outs.
        upstreams: To whom.
        vault: The upstreams' keys.
        cleaner: Takes secrets out.
        connections: The way to them.
        meter: Counts tokens.
        generations: Sets right what was counted.
        pool: Says whether there are tokens left; without one there always are.
    """

    def __init__(
        self,
        settings: ProxySettings,
        upstreams: Upstreams,
        vault: WatchedVault,
        cleaner: Cleaner,
        connections: Connections,
        meter: Meter,
        generations: Generations,
        pool: Pool | None = None,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._upstreams = upstreams
        self._vault = vault
        self._cleaner = cleaner
        self._connections = connections
        self._answering = Answering(cleaner, meter, generations)
        self._budget = Budget(2 * settings.body_limit)
        self._threads = anyio.CapacityLimiter(SEARCHING_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._forward(scope, receive, noting)
        except ClientGone:
            return
        except LetsBeError as error:
            log.warning("%s: %s", error.code, error.message)
            # Once begun, an answer can only be broken off, so that it is seen to be.
            if not started:
                await answer(error)(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = self._read_head(scope)
        headers = self._upstream_headers(head)
        lease = await self._budget.take(head.memory)
        try:
            body = await self._clean_body(head, receive)
            model = asked_model(body) if head.metered else None
            asked = Asked(
                head.route.upstream, head.agent_id, model, len(body), head.metered
            )
            if body or head.method in _WITH_BODY:
                headers.append((b"content-length", str(len(body)).encode()))
            sent = Sent(body, lease.end)
            reserving = self._reserving(asked, body)
            # Nothing here may hold the body for as long as the answer streams.
            del body

            async def pass_on() -> None:
                upstream, method = head.route.upstream, head.method.encode()
                async with self._connections.exchange(
                    upstream.origin, method, head.route.target, headers, sent
                ) as response:
                    await self._answering.pass_on(response, asked, send)

            with reserving:
                await _while_connected(receive, pass_on)
        finally:
            lease.end()

    def _reserving(
        self, asked: Asked, body: bytes
    ) -> contextlib.AbstractContextManager[None]:
        """Hold what a call may use, if it is metered and there is a pool."""
        if self._pool is None or not asked.metered:
            return contextlib.nullcontext()
        return self._pool.reserved(asked.model, worst_case(body))

    def _read_head(self, scope: Scope) -> _Head:
        method, headers = str(scope["method"]), list(scope["headers"])
        route = self._upstreams.route(scope["raw_path"], scope["query_string"])
        if method not in METHODS:
            raise MethodNotAllowed("this method is not forwarded")
        agent_id = route.agent_id or UNKNOWN_AGENT
        named = value_of(headers, AGENT_HEADER)
        if named is not None:
            agent_id = checked_agent(named.decode("latin-1"))
        self._cleaner.check_agent(agent_id)
        packed = encodings_of(value_of(headers, b"content-encoding"))
        memory = memory_for(headers, bool(packed), self._settings.body_limit)
        return _Head(method, route, headers, agent_id, packed, memory)

    def _upstream_headers(self, head: _Head) -> list[Header]:
        """Make the upstream's headers, with its key and without any other secret."""
        upstream = head.route.upstream
        self._cleaner.check_target(head.route.target)
        passed = request_headers(head.headers, upstream.key_header)
        return [
            (b"host", upstream.authority),
            # Usage must be read from the answer, so it should not be packed.
            (b"accept-encoding", b"identity"),
            *self._cleaner.headers(passed),
            *key_headers(self._vault, upstream),
        ]

    async def _clean_body(self, head: _Head, receive: Receive) -> bytes:
        """Read a body, unpack it and take the secrets out."""
        kind = value_of(head.headers, b"content-type")
        body = await read_body(
            receive, self._settings.body_limit, self._settings.write_timeout
        )
        if not body:
            return body

        def clean() -> bytes:
            plain = decode(body, head.packed, head.memory)
            check_readable(plain, kind)
            return self._cleaner.body(plain)

        if len(body) <= INLINE and not head.packed:
            return clean()
        return await anyio.to_thread.run_sync(clean, limiter=self._threads)


async def _while_connected(
    receive: Receive, work: Callable[[], Awaitable[None]]
) -> None:
    """Do something that ends when the client goes away."""
    with anyio.CancelScope() as scope:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            scope.cancel()

        # Not a task group, which would wrap what the work raises.
        watching = asyncio.create_task(watch())
        try:
            await work()
        finally:
            watching.cancel()
