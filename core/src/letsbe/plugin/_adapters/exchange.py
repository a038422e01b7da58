"""Requests over the wire, to one base address. The one module here that loads httpx."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import anyio
import httpx

from letsbe.errors import (
    ConfigurationError,
    ToolFailed,
    ToolUnavailable,
    ToolUnexpected,
    UrlRefused,
)
from letsbe.plugin._adapters.response import Response
from letsbe.policy.network.transport import ConfinedTransport, confined_client
from letsbe.policy.network.urls import Origin, UrlFault, parse_url

BODY_LIMIT = 8 * 1024 * 1024
"""The most bytes of an answer that are read."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Lost(Exception):
    """A request got no answer that can be used.

    Args:
        what: What happened; nothing from outside.
        kind: The named error.
        sent: Whether it may have reached the tool.
        passing: Whether the next try may go better.
        advice: What to do, if it is something else than usual.
    """

    def __init__(
        self,
        what: str,
        kind: type[ToolFailed] = ToolUnavailable,
        *,
        sent: bool = True,
        passing: bool = True,
        advice: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.kind = kind
        self.sent = sent
        self.passing = passing
        self.advice = advice


class Exchange:
    """Connections to one tool, for one call.

    Args:
        base_url: The tool's registered address; nothing else is reached.
        certificates: The authorities to trust, if not the public ones.

    Raises:
        Lost: The address or the certificates cannot be used.
    """

    def __init__(self, base_url: str, certificates: Path | None) -> None:
        self._base_url = base_url.rstrip("/")
        try:
            origin = Origin.of_base_url(base_url)
            self._target = parse_url(base_url)
            tls = _tls(self._target.scheme == "https", certificates)
        except ConfigurationError as error:
            raise Lost(error.message, sent=False, passing=False) from None
        except (OSError, ssl.SSLError):
            what = "the file with its certificate authorities cannot be read"
            raise Lost(what, sent=False, passing=False) from None
        transport = ConfinedTransport(allowed={origin}, tls=tls)
        self._client = confined_client(transport, follow_redirects=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def place(self, path: str, query: Mapping[str, Any]) -> str:
        """Return the URL of a path under the base address."""
        pairs = [(k, _plain(v)) for k, many in query.items() for v in _each(many)]
        text = urlencode(pairs, quote_via=quote)
        return f"{self._base_url}{path}{'?' if text else ''}{text}"

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any],
        seconds: float,
    ) -> Response:
        """Send one request and read the whole answer.

        Raises:
            Lost: There is no answer, or it cannot be used.
        """
        if seconds <= 0:
            raise Lost("no time is left for it", sent=False, passing=False)
        try:
            with anyio.fail_after(seconds):
                return await self._send(method, url, headers, body)
        except UrlRefused as error:
            raise Lost(_tidy(error.message), sent=False, passing=False) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _not_connected(error) from None
        except (TimeoutError, httpx.TimeoutException):
            what = f"no answer within {seconds:.0f} seconds"
            raise Lost(what, passing=False) from None
        except (httpx.TransportError, httpx.StreamError):
            raise Lost("the connection broke before the answer was whole") from None

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> Response:
        sent = {
            "accept": "application/json",
            "accept-encoding": "identity",  # what is packed could unpack to anything
            "user-agent": "letsbe",
            **headers,
        }
        try:
            request = self._client.build_request(
                method,
                url,
                headers=sent,
                json=body.get("json"),
                data=body.get("form"),
                files=body.get("files"),
                content=body.get("content"),
            )
        except (httpx.InvalidURL, UnicodeError, ValueError):
            what = "the arguments make no request that can be sent"
            raise Lost(what, sent=False, passing=False) from None
        answer = await self._client.send(request, stream=True)
        try:
            content = await _read(answer)
        finally:
            await answer.aclose()
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, names, content)

    def redirects(self, response: Response) -> bool:
        """Whether an answer is a redirect."""
        return response.status in _REDIRECTS and "location" in response.headers

    def follow(self, method: str, url: str, response: Response) -> str:
        """Return where a redirect leads, if that is the same tool and changes nothing.

        Raises:
            Lost: It leads elsewhere.
        """
        try:
            place = urljoin(url, response.headers["location"])
            same = parse_url(place) == self._target
        except (UrlFault, ValueError):
            same = False
        base = urlsplit(self._base_url).path
        if same and method in {"GET", "HEAD"}:
            path = urlsplit(place).path
            if path.startswith(f"{base}/") and "/.." not in path and "/%2e" not in path:
                return place
        raise Lost(
            f"it redirects elsewhere (HTTP {response.status}), which is not followed",
            ToolUnexpected,
            sent=False,
            passing=False,
            advice=(
                "the operator should register the address that the tool itself uses: "
                "https or http, its host, its path"
            ),
        )


async def _read(answer: httpx.Response) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        what = "it sent a packed answer although it was asked not to"
        raise Lost(what, ToolUnexpected, passing=False)
    parts, size = [], 0
    async for part in answer.aiter_raw():
        size += len(part)
        if size > BODY_LIMIT:
            raise Lost(
                f"its answer is larger than {BODY_LIMIT // 1024 // 1024} MiB",
                ToolUnexpected,
                passing=False,
                advice="ask for less: a page, a limit, fewer fields",
            )
        parts.append(part)
    return b"".join(parts)


def _not_connected(error: Exception) -> Lost:
    if any(isinstance(e, ssl.SSLCertVerificationError) for e in _chain(error)):
        return Lost(
            "its certificate is not trusted, is for another name, or has expired",
            sent=False,
            passing=False,
            advice=(
                "the operator should renew the certificate, or name the authority to "
                "trust as the tool's `certificates`"
            ),
        )
    if any(isinstance(e, ssl.SSLError) for e in _chain(error)):
        what = "it does not speak TLS there: is it http, or another port?"
        return Lost(what, sent=False, passing=False)
    return Lost("nothing answers at its address", sent=False)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@lru_cache(maxsize=32)
def _tls(used: bool, certificates: Path | None) -> ssl.SSLContext:
    """Make a TLS context once: reading the authorities takes longer than a call."""
    if not used:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
    if certificates is not None:
        return ssl.create_default_context(cafile=certificates)
    return httpx.create_ssl_context(trust_env=False)


def _each(value: Any) -> list[Any]:  # noqa: ANN401 - a scalar or a list
    return list(value) if isinstance(value, list | tuple) else [value]


def _plain(value: Any) -> str:  # noqa: ANN401 - a scalar
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _tidy(message: str) -> str:
    return message.removeprefix("The request is refused: ").rstrip(".")
