"""Runs the Safety Wrapper as a server until it is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import uvicorn
from typing_extensions import override

from letsbe.errors import ConfigurationError
from letsbe.redaction.logging import redacted_logging
from letsbe.wrapper.http.app import make_app
from letsbe.wrapper.opening import Wrapper
from letsbe.wrapper.tokens import Tokens

SHUTDOWN_SECONDS = 10
"""How long running calls may go on after SIGTERM before they are ended."""


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything is announced.

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
            " address is not this machine's; set wrapper.port in letsbe.toml"
        )
        raise ConfigurationError(message) from None
    listener.listen(1024)
    return listener


def serve(wrapper: Wrapper, announce: Callable[[str], None], *, port: int) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        wrapper: What answers them.
        announce: Called once with the base address, when requests are taken.
        port: The port to listen on; 0 takes a free one.

    Raises:
        ConfigurationError: The address cannot be listened on, or a token is unsafe.
    """
    settings = wrapper.configuration.wrapper
    app = make_app(wrapper, Tokens(wrapper.home))
    listener = bind(settings.host, port)
    host, taken = listener.getsockname()[:2]
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )
    name = f"[{host}]" if ":" in host else host
    server.announce = lambda: announce(f"http://{name}:{taken}")
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has ended; being told is no failure.
        signal.signal(number, lambda *_: None)
    with listener, redacted_logging(wrapper.pipeline):
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A uvicorn server that says when it has started."""

    announce: Callable[[], None]

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.announce()
