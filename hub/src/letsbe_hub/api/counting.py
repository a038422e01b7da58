"""Counts every answer, by the endpoint that gave it."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letsbe_hub.metrics import Metrics

ENDPOINT = "letsbe_hub.endpoint"
"""Where in the scope an endpoint leaves its name."""


class Counting:
    """Counts what passes through.

    Args:
        app: What comes behind.
        metrics: The counters.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                took = time.perf_counter() - began
                self._metrics.count(_name(scope), message["status"], took)
            await send(message)

        await self._app(scope, receive, counted)


def _name(scope: Scope) -> str:
    # The path as it was sent could be anything; an endpoint's is one of few.
    return str(scope.get(ENDPOINT, "none"))
