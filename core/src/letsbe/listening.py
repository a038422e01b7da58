"""What every server of the product shares: its socket, and how it starts and ends."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from typing_extensions import override

from letsbe.errors import ConfigurationError
from letsbe.footprint import settle
from letsbe.heads import BoundedProtocol

SHUTDOWN_SECONDS = 10
"""How long running requests may go on after SIGTERM before they are ended."""

BACKLOG = 4096
"""Connections that may wait to be accepted: as many as Linux allows since 5.4. When
thousands of servers come back together, those beyond it would be reset."""

_PLAIN = {"loop": "asyncio", "http": BoundedProtocol}
"""Unless a server asks for another; else it would be whatever is installed beside."""


def bind(
    host: str, port: int, setting: str = "wrapper.port in letsbe.toml"
) -> socket.socket:
    """Take the address before anything is announced.

    Args:
        host: The address.
        port: The port; 0 takes a free one.
        setting: Where the port stands, for the error.

    Raises:
        ConfigurationError: The port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name TCP; without it each answer
    # waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        message = (
            f"{host}:{port} cannot be listened on: another program has it, or the"
            f" address is not this machine's; set {setting}"
        )
        raise ConfigurationError(message) from None
    listener.listen(BACKLOG)
    return listener


def settled_port(host: str, port: int) -> int:
    """Return the port that will be listened on: in place of 0, one that is free now."""
    if port:
        return port
    with bind(host, 0) as taken:
        return int(taken.getsockname()[1])


def run(
    app: Any,  # noqa: ANN401 - uvicorn and Starlette have two names for one type
    listener: socket.socket,
    announce: Callable[[str], None],
    leaving: Callable[[], None] = lambda: None,
    **settings: Any,  # noqa: ANN401 - passed on to uvicorn
) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        app: The ASGI application.
        listener: What :func:`bind` returned.
        announce: Called once with the base address, when requests are taken.
        leaving: Called when it has been told to stop, to end requests that are held.
        **settings: More settings of uvicorn.
    """
    host, port = listener.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            **{**_PLAIN, **settings},
        )
    )
    server.leaving = leaving
    server.announce = lambda: announce(f"http://{name}:{port}")
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has ended; being told is no failure.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A uvicorn server that says when it has started, and when it begins to stop."""

    announce: Callable[[], None]
    leaving: Callable[[], None]

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            settle()
            self.announce()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.leaving()
        await super().shutdown(sockets)
