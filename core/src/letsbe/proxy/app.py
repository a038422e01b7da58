"""The ASGI application: the guard, the proxy's own two paths, and forwarding."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from letsbe.proxy.answers import answer, unexpected
from letsbe.proxy.watching import WatchedVault
from letsbe.wrapper.http.guard import LOOPBACK_NAMES, Guard

log = logging.getLogger(__name__)


def make_app(
    forwarder: ASGIApp,
    vault: WatchedVault,
    host: str,
    body_limit: int,
    on_shutdown: Callable[[], Awaitable[None]],
) -> ASGIApp:
    """Make the application.

    Args:
        forwarder: Answers whatever is not the proxy's own.
        vault: Whose state ``/readyz`` tells.
        host: The address that is listened on.
        body_limit: The most bytes of a request's body.
        on_shutdown: Called when no more requests come.
    """
    names = {*LOOPBACK_NAMES, f"[{host}]" if ":" in host else host}

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/healthz":
            await JSONResponse({"status": "ok"})(scope, receive, send)
        elif path == "/readyz":
            state = {"ready": True, "checks": {"vault": vault.problem or "ok"}}
            await JSONResponse(state)(scope, receive, send)
        else:
            await _guarded_from_surprise(forwarder, scope, receive, send)

    guarded = Guard(inner, names, body_limit, answer)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await guarded(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send, on_shutdown)

    return app


async def _guarded_from_surprise(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer for an error that nobody foresaw, without its text."""
    started = False

    async def noting(message: dict[str, object]) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await app(scope, receive, noting)  # type: ignore[arg-type] # a dict is an ASGI message
    except Exception as error:
        log.error("a request failed", exc_info=error)
        if not started:
            await unexpected()(scope, receive, send)


async def _live(
    receive: Receive, send: Send, on_shutdown: Callable[[], Awaitable[None]]
) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await on_shutdown()
    await send({"type": "lifespan.shutdown.complete"})
