"""Request bodies: read whole, within a budget of memory, unpacked, and readable."""

from __future__ import annotations

from collections import deque

import anyio
from starlette.types import Receive

from letsbe.errors import InvalidRequest, Refused, TooLarge
from letsbe.proxy.answers import BodyTimeout
from letsbe.proxy.headers import Header, value_of

RATIO = 100
"""A packed body may grow so many times; LLM requests shrink to a third or a tenth."""

SMALL = 1024 * 1024
"""What a packed body may grow to in any case."""

_READABLE = frozenset(
    {
        b"application/json",
        b"application/jsonl",
        b"application/x-ndjson",
        b"application/ndjson",
        b"application/x-www-form-urlencoded",
        b"application/xml",
        b"application/yaml",
        b"application/x-yaml",
    }
)
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})


class ClientGone(Exception):
    """The client closed its connection."""


class Budget:
    """Shares out memory in the order in which it was asked for.

    Args:
        total: How many bytes there are.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._left = total
        self._waiting: deque[tuple[int, anyio.Event]] = deque()

    async def take(self, size: int) -> Lease:
        """Wait until so many bytes are left, and take them.

        Args:
            size: How many bytes; more than there are counts as all of them.

        Returns:
            What gives them back.
        """
        size = min(size, self._total)
        if self._waiting or size > self._left:
            await self._wait(size)
        else:
            self._left -= size
        return Lease(self, size)

    def give_back(self, size: int) -> None:
        """Take bytes back, and let those go on that wait for them."""
        self._left += size
        while self._waiting and self._waiting[0][0] <= self._left:
            wanted, turn = self._waiting.popleft()
            self._left -= wanted
            turn.set()

    async def _wait(self, size: int) -> None:
        turn = size, anyio.Event()
        self._waiting.append(turn)
        try:
            await turn[1].wait()
        except BaseException:
            if turn[1].is_set():
                self.give_back(size)
            else:
                self._waiting.remove(turn)
                # Whoever came after may fit now.
                self.give_back(0)
            raise


class Lease:
    """Some bytes of a budget.

    Args:
        budget: The budget.
        size: How many.
    """

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget = budget
        self._size = size

    def end(self) -> None:
        """Give the bytes back. Again does no harm."""
        size, self._size = self._size, 0
        self._budget.give_back(size)


def memory_for(headers: list[Header], packed: bool, limit: int) -> int:
    """Say how many bytes a request's body may take.

    Args:
        headers: The request's headers.
        packed: Whether it is compressed.
        limit: The most bytes of any body.
    """
    length = value_of(headers, b"content-length")
    if length is None:
        return limit if value_of(headers, b"transfer-encoding") else 0
    if packed:
        return min(limit, int(length) * RATIO + SMALL)
    return min(limit, int(length))


async def read_body(receive: Receive, limit: int, patience: float) -> bytes:
    """Read a request's body whole.

    Args:
        receive: Where it comes from.
        limit: The most bytes.
        patience: Seconds that the client may take for a piece.

    Raises:
        ClientGone: The client went away in the middle.
        BodyTimeout: It stopped in the middle.
        TooLarge: The body is over the limit.
    """
    parts: list[bytes] = []
    seen = 0
    while True:
        try:
            with anyio.fail_after(patience):
                message = await receive()
        except TimeoutError:
            raise BodyTimeout("the request's body did not come to its end") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        seen += len(part)
        if seen > limit:
            raise TooLarge(f"the body is over the limit of {limit} bytes")
        if part:
            parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def check_readable(body: bytes, content_type: bytes | None) -> None:
    """Refuse what the redaction could not read as the provider would.

    Args:
        body: The unpacked body.
        content_type: The request's Content-Type.

    Raises:
        Refused: It is of a kind that is neither JSON nor text.
        InvalidRequest: It is no UTF-8 text.
    """
    if not body:
        return
    kind, _, parameters = (content_type or b"text/plain").partition(b";")
    kind = kind.strip().lower()
    textual = kind.startswith(b"text/") or kind.endswith((b"+json", b"+xml"))
    if not textual and kind not in _READABLE:
        message = (
            "a body of this Content-Type cannot be searched for secrets, so it is not"
            " forwarded: send JSON or text"
        )
        raise Refused(message)
    if _charset(parameters) not in _CHARSETS:
        raise InvalidRequest("the body is not UTF-8: send it as UTF-8")
    # Also what UTF-16 and UTF-32 are full of, which some servers guess.
    if b"\0" in body:
        raise InvalidRequest("the body has NUL bytes, so it is no JSON and no text")
    if not body.isascii():
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidRequest("the body is not valid UTF-8") from None


def _charset(parameters: bytes) -> str:
    for parameter in parameters.decode("latin-1").lower().split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return value.strip().strip('"')
    return ""
