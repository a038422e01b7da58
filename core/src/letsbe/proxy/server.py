"""Runs the Secrets Proxy as a server until it is told to stop."""

from __future__ import annotations

import sys
from collections.abc import Callable

from letsbe.listening import bind, run
from letsbe.proxy.opening import Proxy
from letsbe.redaction.logging import redacted_logging

SWITCH_INTERVAL = 0.001
"""Seconds that one thread may compute while another waits: a long body that is being
searched must not hold up the streams for Python's usual 5 ms."""

KEEP_ALIVE = 75
"""Seconds that a client's idle connection is kept; clients close theirs earlier."""


def serve(proxy: Proxy, announce: Callable[[str], None], *, port: int) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        proxy: What answers them.
        announce: Called once with the base address, when requests are taken.
        port: The port to listen on; 0 takes a free one.

    Raises:
        ConfigurationError: The address cannot be listened on.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    listener = bind(proxy.configuration.proxy.host, port, "proxy.port in letsbe.toml")
    with listener, redacted_logging(proxy.pipeline):
        run(
            proxy.app,
            listener,
            announce,
            # The upstream's own date is passed on.
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            ws="none",
        )
