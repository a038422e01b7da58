"""What is checked of every request before it is routed: host, origin and size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letsbe.errors import Forbidden, InvalidRequest, LetsBeError, TooLarge
from letsbe.wrapper.http.failures import failure

BODY_SECONDS = 60.0
"""How long a whole body may take to arrive; every caller is near."""

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Guard:
    """Refuses foreign hosts and origins, and bodies that are too large.

    A web page whose name was made to point here (DNS rebinding) sends its own name as
    the host, and any page sends its origin; neither is ours.

    Args:
        app: What comes behind.
        names: The host names under which the server may be called.
        body_limit: The most bytes of a body.
        answer: Makes the answer to what is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        names: Collection[str],
        body_limit: int,
        answer: Callable[[LetsBeError], ASGIApp] = failure,
    ) -> None:
        self._app = app
        self._answer = answer
        self._names = frozenset(names)
        self._limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then pass it on."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope))
        except LetsBeError as error:
            await self._answer(error)(scope, receive, send)
            return
        await self._app(scope, self._limited(receive), send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Browsers let any page open one, so that the origin is all that tells.
        try:
            self._check(Headers(scope=scope))
        except LetsBeError as error:
            await send(
                {"type": "websocket.close", "code": 1008, "reason": error.message}
            )
            return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        if _name(f"//{headers.get('host', '')}") not in self._names:
            message = "the Host header is not one of this server's names"
            raise Forbidden(message)
        origin = headers.get("origin")
        if origin is not None and _name(origin) not in self._names:
            raise Forbidden("requests from other origins are refused")
        length = headers.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit()):
            raise InvalidRequest("the Content-Length header is not a number")
        if length is not None and int(length) > self._limit:
            raise self._too_large()

    def _limited(self, receive: Receive) -> Receive:
        seen = 0
        until = time.monotonic() + BODY_SECONDS
        whole = False

        async def counted() -> Message:
            nonlocal seen, whole
            if whole:
                return await receive()
            try:
                # asyncio's own costs a fifth of anyio's, and uvicorn runs on it.
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                late = f"the body did not arrive within {BODY_SECONDS:g} seconds"
                raise InvalidRequest(late) from None
            whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is over the limit of {self._limit} bytes")


@lru_cache(32)
def _name(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"[{host}]" if ":" in host else host
