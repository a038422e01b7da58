"""Endpoints without names in their paths are found by one look, not by trying routes.

Starlette tries its routes in turn, each through several wrappers; a heartbeat, which
is most of what a Hub gets, costs a third less without them. Everything else, such as
paths with ids and what there is no endpoint for, is passed on to Starlette.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from letsbe_hub.errors import LetsBeError

Answer = Callable[[Request], Awaitable[Response]]
Place = tuple[str, str]
"""A method and a path."""


class Directory:
    """Leads requests straight to their endpoints.

    Args:
        app: What comes behind.
        answers: The endpoints by their places.
        failed: Answers a request that an endpoint refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        answers: Mapping[Place, Answer],
        failed: Callable[[Request, Exception], Response],
    ) -> None:
        self._app = app
        self._answers = dict(answers)
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        answer = None
        if scope["type"] == "http":
            answer = self._answers.get((scope["method"], scope["path"]))
        if answer is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await answer(request)
        except LetsBeError as error:
            response = self._failed(request, error)
        await response(scope, receive, send)
