"""Requests to the Hub. Whatever is sent has passed the redaction pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from letsbe.errors import FieldError, LetsBeError
from letsbe.redaction.documents import JSON
from letsbe.redaction.pipeline import Pipeline

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
MOST_BYTES = 8 * 1024 * 1024


class HubUnreachable(LetsBeError):
    """The Hub does not answer, or not as a Hub does; try again later.

    Args:
        message: What happened.
        seconds: When to try again, where the Hub says so.
    """

    code = "hub_unreachable"
    status = 503
    seconds: float | None = None


class HubRefused(LetsBeError):
    """The Hub understood, and says no."""

    code = "hub_refused"
    status = 502
    answered = 0
    """The HTTP status."""
    hub_code = ""
    """The Hub's name for the error."""


class HubApi:
    """The Hub's tenant API.

    Args:
        url: The Hub's base address.
        key: Gives the bearer token.
        pipeline: Takes secrets out of every body.
        transport: How to reach it, for tests.
    """

    def __init__(
        self,
        url: str,
        key: Callable[[], str],
        pipeline: Pipeline,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._key = key
        self._pipeline = pipeline
        self._http = httpx.AsyncClient(
            base_url=f"{url}/api/v1/tenant/",
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            # The Hub is named by whoever registered this server, not by whoever can
            # set a variable in its environment.
            trust_env=False,
            transport=transport,
        )

    async def get(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        within: float = READ_SECONDS,
    ) -> Any:  # noqa: ANN401 - JSON
        """Ask for something.

        Args:
            path: After ``/api/v1/tenant/``.
            query: The query.
            within: Seconds that the answer may take.

        Raises:
            HubUnreachable: The Hub does not answer.
            HubRefused: It says no.
        """
        return await self._send("GET", path, None, within, query or {})

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Send something, as :meth:`get`.

        Raises:
            HubUnreachable: The Hub does not answer; it may have got it.
            HubRefused: It says no.
            OutputWithheld: The body cannot be redacted, and was not sent.
        """
        clean = self._pipeline.redact_json(dict(body))
        return await self._send("POST", path, clean, READ_SECONDS, {})

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        body: JSON,
        seconds: float,
        query: Mapping[str, Any],
    ) -> Any:  # noqa: ANN401 - JSON
        headers = {"authorization": f"Bearer {self._key()}"}
        try:
            async with self._http.stream(
                method, path, json=body, params=query or None, headers=headers,
                timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            ) as answer:  # fmt: skip
                content = await _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            kind = type(error).__name__
            raise HubUnreachable(f"the Hub does not answer ({kind})") from None
        return _data(answer, content)


async def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > MOST_BYTES:
            raise HubUnreachable("the Hub's answer is too long to be one")
    return bytes(content)


def _data(answer: httpx.Response, content: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("success"), bool):
        said = f"what answers at the Hub's address is no Hub ({answer.status_code})"
        raise HubUnreachable(said)
    if body["success"]:
        return body.get("data")
    raise _error(answer, body.get("error"))


def _error(answer: httpx.Response, said: object) -> LetsBeError:
    error = said if isinstance(said, dict) else {}
    message = str(error.get("message", "no reason given"))[:500]
    if answer.status_code in (429, 500, 502, 503, 504):
        later = HubUnreachable(f"the Hub is busy: {message}")
        later.seconds = _seconds(answer.headers.get("retry-after"))
        return later
    refused = HubRefused(message, details=tuple(_details(error.get("details"))))
    refused.answered = answer.status_code
    refused.hub_code = str(error.get("code", ""))[:64]
    return refused


def _details(said: object) -> list[FieldError]:
    rows = said if isinstance(said, list) else []
    return [
        FieldError(str(row.get("field"))[:200], str(row.get("message"))[:500])
        for row in rows[:1000]
        if isinstance(row, dict)
    ]


def _seconds(header: str | None) -> float | None:
    if header is None or not (header.isascii() and header.isdecimal()):
        return None
    return min(float(header), 3600.0)
