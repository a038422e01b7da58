"""One exchange with an upstream: whatever the pieces, and whatever comes in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from letsbe.errors import InvalidRequest
from letsbe.proxy.exchanging import (
    GATHERED,
    HEAD_LIMIT,
    Connection,
    NotHttp,
    Sent,
    Timeouts,
)
from letsbe.proxy.headers import Header
from letsbe.proxy.network import BrokenOff

TIMES = Timeouts(connect=1, read=1, write=1)


class Wire:
    """A stream that answers with given pieces, then closes."""

    def __init__(self, pieces: Sequence[bytes], *, stays: bool = False) -> None:
        self.pieces = list(pieces)
        self.written: list[bytes] = []
        self.stays = stays

    async def read(self, max_bytes: int, seconds: float | None = None) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    async def write(self, buffer: bytes, seconds: float | None = None) -> None:
        self.written.append(buffer)

    def is_readable(self) -> bool:
        return bool(self.pieces) or not self.stays

    def close(self) -> None:
        self.stays = False


def exchange(
    pieces: Sequence[bytes], method: bytes = b"GET", content: bytes = b""
) -> tuple[int, list[Header], bytes, bool, Wire]:
    """Return status, headers, body and whether the connection may be used again."""
    wire = Wire(pieces, stays=True)

    async def run() -> tuple[int, list[Header], bytes, bool]:
        connection = Connection(wire, TIMES, 30)  # type: ignore[arg-type] # all that is used of one
        sent = Sent(content, lambda: None)
        answer = await connection.ask(method, b"/x", [(b"host", b"h")], sent)
        body = b"".join([piece async for piece in answer.aiter_stream()])
        return answer.status, answer.headers, body, connection.rest()

    return (*asyncio.run(run()), wire)


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(whole), *(p % (len(whole) + 1) for p in places)})
    return [whole[a:b] for a, b in pairwise(edges)]


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return framed + b"0\r\nTrailer: t\r\n\r\n"


@given(
    body=st.binary(max_size=200),
    places=st.lists(st.integers(0, 500), max_size=8),
    size=st.integers(1, 50),
    interim=st.booleans(),
    framing=st.sampled_from(["length", "chunked", "closed"]),
)
def test_an_answer_is_the_same_however_it_is_cut(
    body: bytes, places: list[int], size: int, interim: bool, framing: str
) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Kept: yes\r\n"
    if framing == "length":
        whole = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    elif framing == "chunked":
        whole = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, size)
    else:
        whole = head + b"\r\n" + body
    if interim:
        whole = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + whole
    status, headers, came, again, _ = exchange(cut(whole, places))
    assert (status, came) == (200, body)
    assert (b"X-Kept", b"yes") in headers
    assert all(name not in (b"Link", b"Trailer") for name, _ in headers)
    assert again == (framing != "closed")


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_rubbish_ends_the_exchange_and_nothing_else(
    rubbish: bytes, places: list[int]
) -> None:
    try:
        status, _, _, again, _ = exchange(cut(rubbish, places))
    except NotHttp:
        return
    assert rubbish.startswith(b"HTTP/")
    assert not again or status >= 200


@pytest.mark.parametrize(
    "came",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * (HEAD_LIMIT + 1),
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * (HEAD_LIMIT // 6 + 1),
    ],
)
def test_what_is_no_whole_answer_is_said_so(came: bytes) -> None:
    with pytest.raises(NotHttp):
        exchange([came[i : i + 4096] for i in range(0, len(came), 4096)])


@pytest.mark.parametrize(
    ("method", "came", "status"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304),
    ],
)
def test_some_answers_have_no_body(method: bytes, came: bytes, status: int) -> None:
    found, _, body, _, _ = exchange([came], method)
    assert (found, body) == (status, b"")


@pytest.mark.parametrize(
    "came",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na",
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
        # A second answer, which would be taken for the next request's.
        2 * b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na\0\0rubbish",
    ],
)
def test_a_connection_that_is_in_doubt_is_not_used_again(came: bytes) -> None:
    status, _, body, again, _ = exchange([came])
    assert (status, body, again) == (200, b"a", False)


@pytest.mark.parametrize("size", [0, 1, GATHERED, GATHERED + 1])
def test_a_request_is_what_was_asked(size: int) -> None:
    came = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    *_, wire = exchange([came], b"POST", b"a" * size)
    head = b"POST /x HTTP/1.1\r\nhost: h\r\n\r\n"
    assert b"".join(wire.written) == head + b"a" * size
    assert len(wire.written) == (1 if size <= GATHERED else 2)


def test_an_answer_to_a_request_that_was_cut_off_is_read() -> None:
    class Refusing(Wire):
        @override
        async def write(self, buffer: bytes, seconds: float | None = None) -> None:
            raise BrokenOff

    async def run(wire: Wire) -> int:
        connection = Connection(wire, TIMES, 30)  # type: ignore[arg-type] # as above
        sent = Sent(b"a" * (GATHERED + 1), lambda: None)
        answer = await connection.ask(b"POST", b"/", [], sent)
        assert not connection.rest()
        return answer.status

    came = b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\n"
    assert asyncio.run(run(Refusing([came]))) == 413
    with pytest.raises(NotHttp):
        asyncio.run(run(Refusing([])))


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\nevil: b"),
        (b"x", b"a\nb"),
        (b"x", b"a\0b"),
        (b"x y", b"a"),
        (b"", b"a"),
        (b"x:", b"a"),
    ],
)
def test_no_header_becomes_two(header: Header) -> None:
    wire = Wire([])

    async def run() -> None:
        connection = Connection(wire, TIMES, 30)  # type: ignore[arg-type] # as above
        await connection.ask(b"GET", b"/", [header], Sent(b"", lambda: None))

    with pytest.raises(InvalidRequest):
        asyncio.run(run())
    assert wire.written == []
