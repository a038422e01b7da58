"""What OpenRouter tells about a generation once it is over: its tokens and its cost.

An answer that broke off, or that says nothing of its cost, is counted at once by what
is known. When the provider has settled it, the bucket is set right.
"""

from __future__ import annotations

import asyncio
import json
import logging
from decimal import Decimal

from letsbe.errors import LetsBeError
from letsbe.proxy.connections import Connections
from letsbe.proxy.exchanging import Sent
from letsbe.proxy.headers import Header
from letsbe.proxy.journal import Entry
from letsbe.proxy.keys import key_headers
from letsbe.proxy.metering import Meter
from letsbe.proxy.upstreams import Upstream
from letsbe.proxy.usage import Usage, generation_usage
from letsbe.proxy.watching import WatchedVault

log = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each question; the provider needs some to settle a generation."""

WAITING = 256
"""Generations asked about at once; of more, what was counted stands."""

ANSWER_LIMIT = 256 * 1024
"""The most bytes of an answer that are read."""

_OK, _NOT_FOUND, _FIRST_OF_SERVER = 200, 404, 500


class Generations:
    """Asks about generations, and corrects what was counted.

    Args:
        vault: The upstreams' keys.
        connections: The way to them.
        meter: What counted.
    """

    def __init__(
        self, vault: WatchedVault, connections: Connections, meter: Meter
    ) -> None:
        self._vault = vault
        self._connections = connections
        self._meter = meter
        self._tasks: set[asyncio.Task[None]] = set()

    def look_up(self, upstream: Upstream, generation: str, entry: Entry) -> None:
        """Ask about a generation, some time later.

        Args:
            upstream: Who answered.
            generation: The generation's id.
            entry: What was counted for it.
        """
        if upstream.generation_target is None or len(self._tasks) >= WAITING:
            return
        task = asyncio.create_task(self._correct(upstream, generation, entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop asking; what was counted stands."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _correct(self, upstream: Upstream, generation: str, entry: Entry) -> None:
        for pause in PAUSES:
            await asyncio.sleep(pause)
            try:
                settled, used = await self._ask(upstream, generation)
            except LetsBeError as error:
                log.info("a generation's cost is not known yet: %s", error.code)
                continue
            if used is not None:
                self._meter.correct(entry, used)
            if settled:
                return

    async def _ask(
        self, upstream: Upstream, generation: str
    ) -> tuple[bool, Usage | None]:
        """Ask once; tell whether that was the last word, and what was used."""
        target = f"{upstream.generation_target}?id={generation}".encode()
        headers: list[Header] = [
            (b"host", upstream.authority),
            (b"accept", b"application/json"),
            (b"accept-encoding", b"identity"),
            *key_headers(self._vault, upstream),
        ]
        body = bytearray()
        async with self._connections.exchange(
            upstream.origin, b"GET", target, headers, Sent(b"", _nothing)
        ) as response:
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > ANSWER_LIMIT:
                    return True, None
        if response.status != _OK:
            later = response.status == _NOT_FOUND or response.status >= _FIRST_OF_SERVER
            return not later, None
        used = _read(bytes(body))
        return used is not None, used


def _nothing() -> None:
    """Nothing waits for a request without a body."""


def _read(body: bytes) -> Usage | None:
    try:
        document = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    data = document.get("data") if isinstance(document, dict) else None
    return generation_usage(data) if isinstance(data, dict) else None
