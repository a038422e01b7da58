"""A load of HTTP requests on kept connections, as light as Python allows."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop
from typing_extensions import override

Request = Callable[[], bytes]


@dataclass
class Measured:
    """What came of a load."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: int = 0
    refused: int = 0
    """Answers that say when to come again; a request's latency ends with another."""
    waits: list[float] = field(default_factory=list)
    """Seconds until each answer, those that say when to come again among them."""
    processor: float = 0.0
    """Seconds of the server's processor time."""

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile(self, part: float) -> float:
        return quantile(self.latencies, part)


def quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


class Caller(asyncio.Protocol):
    """Sends one request after another on one connection."""

    def __init__(self, requests: Iterator[bytes], measured: Measured) -> None:
        self._requests = requests
        self._measured = measured
        self._got = bytearray()
        self._began = 0.0
        self._sent = 0.0
        self._later = 0.0
        """Seconds until it is sent once more, on a new connection."""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own class, which does not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._address = self._transport.get_extra_info("peername")
        if self._later:
            self._send()
        else:
            self._next()

    @override
    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._got.find(b"content-length: ")
        length = int(self._got[at + 16 : self._got.find(b"\r", at)])
        if len(self._got) < end + 4 + length:
            return
        self._measured.waits.append(time.perf_counter() - self._sent)
        if self._got.startswith(b"HTTP/1.1 503") and self._again():
            return
        self._measured.latencies.append(time.perf_counter() - self._began)
        if not self._got.startswith(b"HTTP/1.1 200"):
            self._measured.failures += 1
        self._got.clear()
        self._next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._later:
            loop = asyncio.get_running_loop()
            loop.call_later(self._later, loop.create_task, self._return())
        elif not self.done.done():
            self._measured.failures += exc is not None
            self.done.set_result(None)

    def _again(self) -> bool:
        """Come again when the server says, if it does, and by chance a little later, as
        a tenant's client."""
        at = self._got.find(b"retry-after: ")
        if at < 0:
            return False
        seconds = int(self._got[at + 13 : self._got.find(b"\r", at)])
        self._later = seconds + random.uniform(0.0, 2.0)
        self._measured.refused += 1
        self._got.clear()
        self._transport.close()
        return True

    async def _return(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, *self._address)
        except OSError:
            self._measured.failures += 1
            self.done.set_result(None)

    def _send(self) -> None:
        self._later = 0.0
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._request = request
        self._began = time.perf_counter()
        self._send()


def head(path: str, key: str, length: int, method: str = "POST") -> bytes:
    return (
        f"{method} /api/v1/tenant/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"authorization: Bearer {key}\r\ncontent-type: application/json\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


def steady(port: int, make: Request, *, callers: int, seconds: float) -> Measured:
    """Keep so many callers busy for a while."""
    measured = Measured()

    async def run() -> None:
        until = time.perf_counter() + seconds

        def requests() -> Iterator[bytes]:
            while time.perf_counter() < until:
                yield make()

        await _all(port, [requests() for _ in range(callers)], measured)

    uvloop.run(run())
    measured.seconds = seconds
    return measured


def hold(
    port: int, requests: list[bytes], seconds: float
) -> tuple[float, Counter[int]]:
    """Send requests at once, each on its own connection, that are to be held.

    Returns:
        Seconds until all were sent, and how many were answered with which status
        before so many seconds more were over.
    """
    statuses: Counter[int] = Counter()

    class Holder(asyncio.Protocol):
        @override
        def data_received(self, data: bytes) -> None:
            if data.startswith(b"HTTP/1.1 "):
                statuses[int(data[9:12])] += 1

    async def run() -> float:
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        held = []
        for request in requests:
            transport, _ = await loop.create_connection(Holder, "127.0.0.1", port)
            transport.write(request)
            held.append(transport)
        took = time.perf_counter() - began
        await asyncio.sleep(seconds)
        return took

    return uvloop.run(run()), statuses


def introduce(port: int, requests: Iterator[bytes]) -> None:
    """Send each of some requests once."""
    uvloop.run(_all(port, [requests] * 32, Measured()))


async def _all(port: int, each: list[Iterator[bytes]], measured: Measured) -> None:
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(
            lambda r=requests: Caller(r, measured),  # type: ignore[misc] # mypy does not infer the default's type
            "127.0.0.1",
            port,
        )
        for requests in each
    ]
    for _, caller in made:
        await caller.done


def storm(port: int, servers: list[list[bytes]], *, spread: float) -> Measured:
    """Let many servers come back, each on a new connection, over a while."""
    measured = Measured()

    async def one(number: int, requests: list[bytes]) -> None:
        await asyncio.sleep(spread * number / len(servers))
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(
            lambda: Caller(iter(requests), measured), "127.0.0.1", port
        )
        await caller.done

    async def run() -> None:
        began = time.perf_counter()
        await asyncio.gather(*(one(n, r) for n, r in enumerate(servers)))
        measured.seconds = time.perf_counter() - began

    uvloop.run(run())
    return measured
