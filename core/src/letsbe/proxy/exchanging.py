"""One connection to an upstream, and one exchange after the other on it.

HTTP/1.1 as RFC 9112 has it; llhttp reads the answers, as Node's does. What is not an
answer to the request that was sent ends the connection.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TypedDict

import httptools

from letsbe.errors import InvalidRequest
from letsbe.proxy.headers import Header
from letsbe.proxy.network import BrokenOff, Stream

HEAD_LIMIT = 128 * 1024
"""The most bytes of an answer's status line with its headers."""

READ_SIZE = 256 * 1024
GATHERED = 256 * 1024
"""A body up to this goes out in one piece with its head."""

_SWITCHING = 101
_FIRST_FINAL = 200
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


class NotHttp(Exception):
    """What came is no answer to what was asked."""


class Timeouts(TypedDict):
    """Seconds that each step may take."""

    connect: float
    read: float
    write: float


class Sent:
    """A body that is let go of once it is sent.

    Args:
        body: The body.
        on_sent: Called once nothing holds it any more.
    """

    def __init__(self, body: bytes, on_sent: Callable[[], object]) -> None:
        self._body: bytes | None = body
        self._on_sent = on_sent

    def take(self) -> bytes:
        """Return the body; the caller holds it alone from now on."""
        body, self._body = self._body or b"", None
        return body

    def sent(self) -> None:
        """Say that nothing holds it any more."""
        self._on_sent()


class Response:
    """An upstream's answer, its body still on the way.

    Args:
        connection: Where it comes from.
        reading: What is read of it.
    """

    def __init__(self, connection: Connection, reading: _Reading) -> None:
        self._connection = connection
        self._reading = reading
        self.status = reading.status
        self.headers: list[Header] = reading.headers

    async def aiter_stream(self) -> AsyncIterator[bytes]:
        """Yield the body's pieces as they come.

        Raises:
            NotHttp: It is not valid, or ends too early.
            BrokenOff: The connection broke off.
            TimeoutError: Nothing came for too long.
        """
        reading = self._reading
        while True:
            while reading.pieces:
                yield reading.pieces.popleft()
            if reading.complete:
                return
            await self._connection.read(reading)


class Connection:
    """A connection that is open.

    Args:
        stream: Its bytes.
        timeouts: How long each step may take.
        idle_seconds: How long it may be kept unused.
    """

    def __init__(self, stream: Stream, timeouts: Timeouts, idle_seconds: float) -> None:
        self._stream = stream
        self._timeouts = timeouts
        self._idle_seconds = idle_seconds
        self._expires = float("inf")
        self._reading: _Reading | None = None

    @property
    def usable(self) -> bool:
        """Whether another request may be sent: nothing is under way, nobody closed."""
        return time.monotonic() < self._expires and not self._stream.is_readable()

    def rest(self) -> bool:
        """Let it wait for the next request; tell whether it can be used for one."""
        reading = self._reading
        if reading is None or not (reading.complete and reading.reusable):
            return False
        self._reading = None
        self._expires = time.monotonic() + self._idle_seconds
        return not self._stream.is_readable()

    async def ask(
        self, method: bytes, target: bytes, headers: Sequence[Header], body: Sent
    ) -> Response:
        """Send a request, and return its answer once the head of it is there.

        Args:
            method: The method.
            target: Path and query, sent as they are.
            headers: All headers, Host and Content-Length among them.
            body: The body, sent once.

        Raises:
            InvalidRequest: A header cannot be sent.
            NotHttp: What comes is no answer.
            BrokenOff: The connection broke off.
            TimeoutError: It took too long.
        """
        self._reading = reading = _Reading(bodiless=method == b"HEAD")
        head = _head(method, target, headers)
        # Who refuses a body may answer and close before all of it is sent.
        with suppress(BrokenOff):
            await self._send(head, body)
        while not reading.begun:
            await self.read(reading)
        return Response(self, reading)

    async def _send(self, head: bytes, body: Sent) -> None:
        content, seconds = body.take(), self._timeouts["write"]
        if len(content) <= GATHERED:
            content = head + content
        else:
            await self._stream.write(head, seconds)
        await self._stream.write(content, seconds)
        del content
        body.sent()

    async def read(self, reading: _Reading) -> None:
        """Read some more of an answer."""
        data = await self._stream.read(READ_SIZE, self._timeouts["read"])
        if data:
            reading.feed(data)
        else:
            reading.end()

    def close(self) -> None:
        """Close at once."""
        self._stream.close()


class _Reading:
    """What is read of one answer; httptools calls the methods with ``on_``.

    Args:
        bodiless: Whether it has no body whatever its headers say.
    """

    def __init__(self, *, bodiless: bool) -> None:
        self._bodiless = bodiless
        self._parser = httptools.HttpResponseParser(self)
        self._head = 0
        self.status = 0
        self.headers: list[Header] = []
        self.pieces: deque[bytes] = deque()
        self.begun = False
        """Whether the head of the final answer is read."""
        self.complete = False
        self.reusable = False
        """Whether the connection may be used for another request afterwards."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            NotHttp: They are no answer, or more than one.
        """
        if not self.begun:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self.complete:
                raise NotHttp from None
            # The answer is whole; what follows it is nobody's.
            self.reusable = False
        if not self.begun and self._head > HEAD_LIMIT:
            raise NotHttp

    def end(self) -> None:
        """The upstream has closed: right for a body whose length nobody told.

        Raises:
            NotHttp: It ends too early.
        """
        names = {name.lower() for name, _ in self.headers}
        told = names & {b"content-length", b"transfer-encoding"}
        if not self.begun or told:
            raise NotHttp
        self.complete = True

    def on_message_begin(self) -> None:
        """Begin an answer."""
        if self.complete:
            self.reusable = False
            raise NotHttp
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer, which is nobody's."""
        if not self.begun:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is read; an interim one (RFC 9110, 15.2) is followed by another."""
        self.status = self._parser.get_status_code()
        if self.status == _SWITCHING:
            raise NotHttp
        self.begun = self.status >= _FIRST_FINAL
        if self.begun and self._bodiless:
            # Without its parser knowing, so that the connection is of no more use.
            self.complete = True

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        if not self.complete:
            self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self.begun and not self.complete:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()


def _head(method: bytes, target: bytes, headers: Sequence[Header]) -> bytes:
    lines = [b"%s %s HTTP/1.1" % (method, target)]
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            message = "a header has characters that HTTP does not allow"
            raise InvalidRequest(message)
        lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join([*lines, b"", b""])
