"""Sockets for httpcore, without the layer that makes them work on trio too.

httpcore reads and writes through anyio, whose cancel scopes and checkpoints cost a good
part of a small exchange. These do the same on asyncio's own transports.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable
from typing import Any

import httpcore
from typing_extensions import override

HIGH_WATER = 256 * 1024
"""Bytes that may wait to be read before the upstream has to pause."""


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


class Stream(httpcore.AsyncNetworkStream):
    """One connection.

    Args:
        protocol: Its protocol, connected.
    """

    def __init__(self, protocol: _Protocol) -> None:
        assert protocol.transport is not None
        self._protocol = protocol
        self._transport = protocol.transport

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes, or nothing at the end."""
        protocol = self._protocol
        while not protocol.received:
            if protocol.error is not None:
                raise httpcore.ReadError
            if protocol.ended:
                return b""
            protocol.reader = asyncio.get_running_loop().create_future()
            await _in_time(protocol.reader, timeout, httpcore.ReadTimeout)
        data = protocol.received.popleft()
        if len(data) > max_bytes:
            protocol.received.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        before = protocol.size
        protocol.size -= len(data)
        if before > HIGH_WATER >= protocol.size and not protocol.ended:
            self._transport.resume_reading()
        return data

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes, and wait while too many are on their way."""
        protocol = self._protocol
        if protocol.error is not None or self._transport.is_closing():
            raise httpcore.WriteError
        self._transport.write(buffer)
        while protocol.full:
            if protocol.ended and self._transport.is_closing():
                raise httpcore.WriteError
            protocol.writer = asyncio.get_running_loop().create_future()
            await _in_time(protocol.writer, timeout, httpcore.WriteTimeout)

    @override
    async def aclose(self) -> None:
        """Close at once; what was not sent is not sent any more."""
        self._transport.abort()

    @override
    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Go on encrypted.

        Raises:
            httpcore.ConnectError: The other side's certificate is not good.
            httpcore.ConnectTimeout: It takes too long.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(
                    self._transport,
                    self._protocol,
                    ssl_context,
                    server_hostname=server_hostname,
                )
        except TimeoutError:
            self._transport.abort()
            raise httpcore.ConnectTimeout from None
        except OSError:
            self._transport.abort()
            raise httpcore.ConnectError from None
        if transport is None:
            raise httpcore.ConnectError
        self._protocol.transport = transport
        return Stream(self._protocol)

    @override
    def get_extra_info(self, info: str) -> Any:
        """Tell what httpcore asks about: the TLS session, and whether bytes wait."""
        if info == "is_readable":
            # Of an idle connection: it was closed, or says what nobody asked.
            protocol = self._protocol
            return bool(protocol.received) or protocol.ended
        return self._transport.get_extra_info(info)


class Backend(httpcore.AsyncNetworkBackend):
    """Connects by TCP."""

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host by all of its addresses.

        Raises:
            httpcore.ConnectError: Nobody answers there.
            httpcore.ConnectTimeout: It takes too long.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, protocol = await loop.create_connection(
                    _Protocol, host, port, happy_eyeballs_delay=0.25
                )
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError:
            raise httpcore.ConnectError from None
        return Stream(protocol)

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def _in_time(
    future: asyncio.Future[None], seconds: float | None, error: type[Exception]
) -> None:
    """Wait for a future; an error of its own is raised when it takes too long."""
    if seconds is None:
        await future
        return
    late = asyncio.get_running_loop().call_later(seconds, _fail, future, error)
    try:
        await future
    finally:
        late.cancel()


def _fail(future: asyncio.Future[None], error: type[Exception]) -> None:
    if not future.done():
        future.set_exception(error())


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
