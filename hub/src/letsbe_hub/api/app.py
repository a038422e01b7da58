"""The ASGI application: the endpoints of every audience, the guard before them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from letsbe.redaction.pipeline import Pipeline
from letsbe.wrapper.http.guard import LOOPBACK_NAMES, Guard
from letsbe_hub.api import admin, customer, health, public, tenant, webhooks
from letsbe_hub.api.counting import Counting
from letsbe_hub.api.crowding import Crowding
from letsbe_hub.api.directory import Directory
from letsbe_hub.api.endpoints import Endpoint
from letsbe_hub.api.envelope import failed, on_http_error, on_unexpected, refused
from letsbe_hub.api.openapi import document
from letsbe_hub.errors import LetsBeError
from letsbe_hub.opening import Hub
from letsbe_hub.pages import routes as pages

ENDPOINTS: tuple[Endpoint, ...] = (
    *tenant.ENDPOINTS,
    *admin.ENDPOINTS,
    *customer.ENDPOINTS,
    *public.ENDPOINTS,
    *webhooks.ENDPOINTS,
)


def make_app(
    hub: Hub, running: Callable[[], contextlib.AbstractAsyncContextManager[None]]
) -> Starlette:
    """Make the application.

    Args:
        hub: What answers.
        running: Runs the Hub's own tasks for as long as the application lives.
    """
    described = document(ENDPOINTS)

    async def openapi(_: Request) -> Response:
        return JSONResponse(described)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running():
            yield

    answers = [(row, row.answering(hub)) for row in ENDPOINTS]
    routes: list[BaseRoute] = [row.route(answer) for row, answer in answers]
    routes.append(Route("/api/v1/openapi.json", openapi))
    routes += health.routes(hub)
    routes += pages.routes(hub)
    fixed = {(row.method, row.path): a for row, a in answers if "{" not in row.path}
    shown = _shown_by(hub.pipeline)
    settings = hub.settings.server
    names = {*LOOPBACK_NAMES, settings.host, *settings.names}
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(Counting, metrics=hub.metrics),
            Middleware(Crowding),
            Middleware(
                Guard, names=names, body_limit=settings.body_limit, answer=failed
            ),
            Middleware(Directory, answers=fixed, failed=shown),
        ],
        exception_handlers={
            LetsBeError: shown,
            HTTPException: _for_people(on_http_error),
            Exception: _for_people(on_unexpected),
        },
    )


def _for_people(
    answer: Callable[[Request, Exception], Awaitable[Response]],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer programs as the API does, and a person's browser with a page."""

    async def either(request: Request, error: Exception) -> Response:
        answered = await answer(request, error)
        if not pages.for_person(request):
            return answered
        return pages.nothing_here(answered.status_code)

    return either


def _shown_by(
    pipeline: Pipeline,
) -> Callable[[Request, Exception], Response]:
    def answer(_: Request, error: Exception) -> Response:
        assert isinstance(error, LetsBeError)
        return refused(error, pipeline)

    return answer
