"""What of OpenClaw is closed to agents: its files, its program and its port.

Whoever may write its state can switch its own tools back on, and whoever may run its
program or reach its port with the token is its operator.
"""

from __future__ import annotations

from pathlib import Path

from letsbe.home import Home
from letsbe.openclaw.document import TenantDocument

STATE_FOLDERS = ("~/.openclaw", "~/.clawdbot")
"""Where the state is if nobody said otherwise, under its present and past names."""

DEFAULT_PORT = 18789
"""The gateway's port if nobody said otherwise; closed whatever is configured."""


def closed_paths(home: Home) -> tuple[Path, ...]:
    """Return the folders that are closed to agents.

    Raises:
        ConfigurationError: The tenant's document is wrong.
        StorageError: It is damaged.
    """
    runtime = TenantDocument(home.tenant).runtime()
    configured = (runtime.state, runtime.bridge, runtime.program)
    return (
        *(Path(place).expanduser() for place in STATE_FOLDERS),
        *(place for place in configured if place is not None),
    )


def closed_ports(home: Home) -> frozenset[int]:
    """Return the gateway's ports.

    Raises:
        ConfigurationError: The tenant's document is wrong.
        StorageError: It is damaged.
    """
    runtime = TenantDocument(home.tenant).runtime()
    return frozenset({DEFAULT_PORT, runtime.gateway_port})
