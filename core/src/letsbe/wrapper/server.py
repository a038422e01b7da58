"""Runs the Safety Wrapper as a server until it is told to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from letsbe.listening import bind, run
from letsbe.redaction.logging import redacted_logging
from letsbe.wrapper.http.app import Beside, make_app
from letsbe.wrapper.opening import Wrapper
from letsbe.wrapper.tokens import Tokens


def serve(
    wrapper: Wrapper,
    announce: Callable[[str], None],
    *,
    port: int,
    beside: Sequence[Beside] = (),
) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        wrapper: What answers them.
        announce: Called once with the base address, when requests are taken.
        port: The port to listen on; 0 takes a free one.
        beside: What runs with it, such as the Hub's client.

    Raises:
        ConfigurationError: The address cannot be listened on, or a token is unsafe.
    """
    app = make_app(wrapper, Tokens(wrapper.home), beside)
    listener = bind(wrapper.configuration.wrapper.host, port)
    # The MCP SDK tells of the beginning and end of every request, and each line that is
    # logged is searched for secrets.
    logging.getLogger("mcp").setLevel(logging.WARNING)
    limit = wrapper.configuration.wrapper.body_limit
    with listener, redacted_logging(wrapper.pipeline):
        run(
            app,
            listener,
            announce,
            loop="uvloop",
            ws="websockets-sansio",
            ws_max_size=limit,
        )
