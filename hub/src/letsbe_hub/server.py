"""Runs the Hub as a server until it is told to stop."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence

import anyio
from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letsbe.listening import bind, run
from letsbe.redaction.logging import redacted_logging
from letsbe_hub.api.app import make_app
from letsbe_hub.chores import do_chores
from letsbe_hub.errors import LetsBeError, StorageUnavailable
from letsbe_hub.opening import Hub

KEEP_ALIVE = 15
"""Seconds that an idle connection is kept: longer than between two requests of one
round. From one heartbeat to the next it would cost some 10 KB for each server."""

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter's lock from another. A transaction gives
it up at each statement; with Python's own 0.005 it waits ten times as long to go on
while the event loop is busy."""


@contextlib.asynccontextmanager
async def running(hub: Hub, *, chores: bool = True) -> AsyncIterator[None]:
    """Do what a Hub does by itself, for the length of a block.

    Args:
        hub: The Hub.
        chores: Whether it delivers, charges and tells; another node may.

    Raises:
        BusError: The other nodes cannot be reached.
    """
    await hub.bus.start()
    with contextlib.suppress(StorageUnavailable):  # then they are looked up one by one
        await to_thread.run_sync(hub.keys.recall)
    try:
        if not chores:
            yield
            return
        # Before a heartbeat writes down what time this clock says it is.
        await to_thread.run_sync(hub.clock.begin)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(do_chores, hub)
            yield
            tasks.cancel_scope.cancel()
    finally:
        await hub.bus.close()


def serve(
    hub: Hub, announce: Callable[[str], None], *, port: int, json_logs: bool
) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        hub: What answers them.
        announce: Called once with the base address, when requests are taken.
        port: The port to listen on; 0 takes a free one.
        json_logs: Whether log lines are JSON.

    Raises:
        ConfigurationError: The address cannot be listened on.
        LetsBeError: The bus cannot be reached.
    """
    problem: list[LetsBeError] = []

    @contextlib.asynccontextmanager
    async def watched() -> AsyncIterator[None]:
        try:
            async with running(hub):
                yield
        except LetsBeError as error:
            problem.append(error)
            raise

    sys.setswitchinterval(SWITCH_SECONDS)
    app = _plainly(make_app(hub, watched), problem)
    listener = bind(hub.settings.server.host, port, "server.port in hub.toml")
    with (
        listener,
        redacted_logging(hub.pipeline, json_lines=json_logs),
        contextlib.suppress(SystemExit),  # uvicorn's, where a start failed
    ):
        run(
            app,
            listener,
            announce,
            hub.news.release,
            loop="uvloop",
            ws="none",
            timeout_keep_alive=KEEP_ALIVE,
        )
    if problem:
        raise problem[0]


def _plainly(app: ASGIApp, problem: Sequence[LetsBeError]) -> ASGIApp:
    """Log why a start failed, in place of a trace through our own code."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def plain(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and problem:
                message = {**message, "message": problem[0].message}
            await send(message)

        await app(scope, receive, plain if scope["type"] == "lifespan" else send)

    return wrapped
