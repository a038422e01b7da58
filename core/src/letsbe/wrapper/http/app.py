"""The ASGI application: the endpoints, MCP beside them, the guard before both."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from letsbe.errors import LetsBeError
from letsbe.wrapper.answers import showable
from letsbe.wrapper.http import approvals, audit, chat, classes, health, secrets, tools
from letsbe.wrapper.http.chat_socket import PATH, ChatSocket
from letsbe.wrapper.http.endpoints import Endpoint
from letsbe.wrapper.http.failures import failure, on_http_error, on_unexpected
from letsbe.wrapper.http.guard import LOOPBACK_NAMES, Guard
from letsbe.wrapper.http.openapi import document
from letsbe.wrapper.mcp import McpEndpoint
from letsbe.wrapper.opening import Wrapper
from letsbe.wrapper.tokens import Tokens

ENDPOINTS: tuple[Endpoint, ...] = (
    *tools.ENDPOINTS,
    *approvals.ENDPOINTS,
    *classes.ENDPOINTS,
    *chat.ENDPOINTS,
    *secrets.ENDPOINTS,
    *audit.ENDPOINTS,
    *health.ENDPOINTS,
)


Beside = Callable[[], contextlib.AbstractAsyncContextManager[None]]
"""What runs as long as the application lives, on its event loop."""


def make_app(
    wrapper: Wrapper, tokens: Tokens, beside: Sequence[Beside] = ()
) -> Starlette:
    """Make the application.

    Args:
        wrapper: What answers the calls.
        tokens: Who may call.
        beside: What runs with it, such as the Hub's client.
    """
    settings = wrapper.configuration.wrapper
    mcp = McpEndpoint(wrapper, tokens, settings.body_limit)
    described = document(ENDPOINTS)

    async def on_letsbe_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, LetsBeError)
        return failure(showable(error, wrapper.pipeline))

    async def openapi(_: Request) -> Response:
        return JSONResponse(described)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as running:
            await running.enter_async_context(mcp.running())
            await running.enter_async_context(wrapper.relay.running())
            for each in beside:
                await running.enter_async_context(each())
            yield

    routes: list[BaseRoute] = [row.route(wrapper, tokens) for row in ENDPOINTS]
    routes.append(Route("/api/v1/openapi.json", openapi))
    routes.append(WebSocketRoute(PATH, ChatSocket(wrapper, tokens).serve))
    routes.append(Route("/mcp", mcp, methods=["POST"]))
    names = {*LOOPBACK_NAMES, settings.host}
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Guard, names=names, body_limit=settings.body_limit)],
        exception_handlers={
            LetsBeError: on_letsbe_error,
            HTTPException: on_http_error,
            Exception: on_unexpected,
        },
    )
