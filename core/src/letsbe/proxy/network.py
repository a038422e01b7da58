"""Bytes to and from an upstream, on asyncio's own transports.

asyncio's streams, and anyio's above them, take a good part of a small exchange.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import NamedTuple

from typing_extensions import override

HIGH_WATER = 256 * 1024
"""Bytes that may wait to be read before the upstream has to pause."""


class BrokenOff(Exception):
    """The connection is gone."""


class NotConnected(Exception):
    """Nobody answers there, or not as whom we asked for."""


class ConnectTimeout(Exception):
    """No connection came about in time."""


class Origin(NamedTuple):
    """Whom to connect to."""

    scheme: str
    """``http`` or ``https``."""
    host: str
    port: int


class _Protocol(asyncio.Protocol):
    """Keeps what comes until it is read."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.received: deque[bytes] = deque()
        self.size = 0
        self.ended = False
        self.error: Exception | None = None
        self.reader: asyncio.Future[None] | None = None
        self.writer: asyncio.Future[None] | None = None
        self.full = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.received.append(data)
        self.size += len(data)
        if self.size > HIGH_WATER and self.transport is not None:
            self.transport.pause_reading()
        _wake(self.reader)

    @override
    def eof_received(self) -> None:
        self.ended = True
        _wake(self.reader)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.error = True, exc
        _wake(self.reader)
        _wake(self.writer)

    @override
    def pause_writing(self) -> None:
        self.full = True

    @override
    def resume_writing(self) -> None:
        self.full = False
        _wake(self.writer)


class Stream:
    """One connection.

    Args:
        protocol: Its protocol, connected.
    """

    def __init__(self, protocol: _Protocol) -> None:
        assert protocol.transport is not None
        self._protocol = protocol
        self._transport = protocol.transport

    async def read(self, max_bytes: int, seconds: float | None = None) -> bytes:
        """Return the next bytes, or nothing at the end.

        Raises:
            BrokenOff: The connection is gone.
            TimeoutError: Nothing came for so long.
        """
        protocol = self._protocol
        while not protocol.received:
            if protocol.error is not None:
                raise BrokenOff
            if protocol.ended:
                return b""
            protocol.reader = asyncio.get_running_loop().create_future()
            await _in_time(protocol.reader, seconds)
        data = protocol.received.popleft()
        if len(data) > max_bytes:
            protocol.received.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        before = protocol.size
        protocol.size -= len(data)
        if before > HIGH_WATER >= protocol.size and not protocol.ended:
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, seconds: float | None = None) -> None:
        """Send bytes, and wait while too many are on their way.

        Raises:
            BrokenOff: The connection is gone.
            TimeoutError: They are not taken for so long.
        """
        protocol = self._protocol
        if protocol.error is not None or self._transport.is_closing():
            raise BrokenOff
        self._transport.write(buffer)
        while protocol.full:
            if protocol.ended and self._transport.is_closing():
                raise BrokenOff
            protocol.writer = asyncio.get_running_loop().create_future()
            await _in_time(protocol.writer, seconds)

    def close(self) -> None:
        """Close at once; what was not sent is not sent any more."""
        self._transport.abort()

    def is_readable(self) -> bool:
        """Say whether an idle connection was closed, or says what nobody asked."""
        return bool(self._protocol.received) or self._protocol.ended


async def connect(
    origin: Origin, tls: ssl.SSLContext | None, seconds: float | None = None
) -> Stream:
    """Connect to a host by all of its addresses.

    Args:
        origin: Whom to connect to.
        tls: How to be sure of whom we speak to; None for plain bytes.
        seconds: How long it may take.

    Raises:
        NotConnected: Nobody answers there, or the certificate is not good.
        ConnectTimeout: It takes too long.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            _, protocol = await loop.create_connection(
                _Protocol,
                origin.host,
                origin.port,
                ssl=tls,
                server_hostname=origin.host if tls else None,
                happy_eyeballs_delay=0.25,
            )
    except TimeoutError:
        raise ConnectTimeout from None
    except OSError:
        raise NotConnected from None
    return Stream(protocol)


async def _in_time(future: asyncio.Future[None], seconds: float | None) -> None:
    """Wait for a future, no longer than so many seconds."""
    if seconds is None:
        await future
        return
    late = asyncio.get_running_loop().call_later(seconds, _fail, future)
    try:
        await future
    finally:
        late.cancel()


def _fail(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
