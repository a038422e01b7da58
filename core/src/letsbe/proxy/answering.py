"""Passing an upstream's answer back as it comes, and counting what it used."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Send

from letsbe.proxy.answers import UpstreamFailed
from letsbe.proxy.cleaning import Cleaner
from letsbe.proxy.connections import upstream_errors
from letsbe.proxy.exchanging import Response
from letsbe.proxy.generations import Generations
from letsbe.proxy.headers import Header, response_headers, value_of
from letsbe.proxy.metering import Meter
from letsbe.proxy.reading import UNKNOWN_MODEL, Reader, reader_for
from letsbe.proxy.upstreams import Upstream

ERROR_LIMIT = 1024 * 1024
"""The most bytes of an upstream's error that are passed on."""

_FIRST_ERROR = 400
_REDIRECTS = frozenset({300, 301, 302, 303, 305, 306, 307, 308})


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request is still needed while its answer streams.

    Args:
        upstream: To whom it went.
        agent_id: Whose it is.
        model: The model it named.
        size: The length of its body.
        metered: Whether it costs tokens.
    """

    upstream: Upstream
    agent_id: str
    model: str | None
    size: int
    metered: bool


class Answering:
    """Passes answers on.

    Args:
        cleaner: Takes an upstream's key out of its errors.
        meter: Counts tokens.
        generations: Asks about what an answer did not tell.
    """

    def __init__(
        self, cleaner: Cleaner, meter: Meter, generations: Generations
    ) -> None:
        self._cleaner = cleaner
        self._meter = meter
        self._generations = generations

    async def pass_on(self, response: Response, asked: Asked, send: Send) -> None:
        """Pass one answer on.

        Args:
            response: The upstream's.
            asked: What was asked.
            send: Where it goes.

        Raises:
            UpstreamFailed: It redirects, or breaks off.
            UpstreamTimeout: It stops in the middle.
        """
        if response.status in _REDIRECTS:
            # A client would follow with its own, unredacted body.
            message = "the upstream redirects: set its base_url to where it leads"
            raise UpstreamFailed(message)
        headers = response_headers(response.headers)
        if response.status >= _FIRST_ERROR:
            await self._pass_error(response, headers, send)
        else:
            await self._stream(response, headers, asked, send)

    async def _stream(
        self,
        response: Response,
        headers: list[Header],
        asked: Asked,
        send: Send,
    ) -> None:
        """Pass every piece on when it comes; the last one when its usage is counted."""
        reader = _reader(headers)
        recorded = False
        try:
            await send(_start(response.status, headers))
            with upstream_errors():
                async for chunk in response.aiter_stream():
                    reader.feed(chunk)
                    if reader.complete and not recorded:
                        recorded = True
                        self._record(reader, asked)
                    await send(_body(chunk, more=True))
        finally:
            # Also when either side has gone away: tokens were used.
            if not recorded:
                reader.finish()
                self._record(reader, asked)
        await send(_body(b"", more=False))

    async def _pass_error(
        self, response: Response, headers: list[Header], send: Send
    ) -> None:
        """Pass an error on, without the key that the upstream may repeat in it."""
        body = bytearray()
        with upstream_errors():
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > ERROR_LIMIT:
                    break
        clean = self._cleaner.answer(bytes(body[:ERROR_LIMIT]))
        if clean != body:
            headers = [(n, v) for n, v in headers if n != b"content-length"]
            headers.append((b"content-length", str(len(clean)).encode()))
        await send(_start(response.status, headers))
        await send(_body(clean, more=False))

    def _record(self, reader: Reader, asked: Asked) -> None:
        if not asked.metered:
            return
        model = reader.model or asked.model or UNKNOWN_MODEL
        usage = reader.usage(asked.size)
        entry = self._meter.record(asked.agent_id, model, usage)
        told = reader.found and usage.cost_micros
        if reader.generation is not None and not told:
            self._generations.look_up(asked.upstream, reader.generation, entry)


def _reader(headers: list[Header]) -> Reader:
    length = value_of(headers, b"content-length")
    return reader_for(
        value_of(headers, b"content-type"),
        value_of(headers, b"content-encoding"),
        int(length) if length is not None else None,
    )


def _start(status: int, headers: list[Header]) -> dict[str, object]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _body(chunk: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}
