"""Whether the Hub lives, whether it is ready, and its metrics: not in envelopes."""

from __future__ import annotations

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from letsbe_hub.errors import LetsBeError
from letsbe_hub.metrics import CONTENT_TYPE
from letsbe_hub.opening import Hub


def routes(hub: Hub) -> list[Route]:
    """Make the routes that monitoring asks."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        checks = {"database": await _database(hub), "bus": "ok"}
        if not hub.bus.healthy:
            # Not a reason to send requests elsewhere: every node has the same bus,
            # and without it tenants only hear of news later.
            checks["bus"] = "the other nodes are not reached: check NATS"
        if hub.clock.fault is not None:
            checks["clock"] = hub.clock.fault
        checks |= hub.checks()
        ready = checks["database"] == "ok"
        return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(hub.metrics.text(), media_type=CONTENT_TYPE)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


async def _database(hub: Hub) -> str:
    try:
        await hub.store.read_async(lambda c: c.execute(sa.text("SELECT 1")))
    except LetsBeError:
        return "it cannot be used: the Hub's log says which one it is, and why"
    return "ok"
