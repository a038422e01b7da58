"""What of OpenClaw is closed to agents: its files, its program and its port.

Whoever may write its state can switch its own tools back on, and whoever may run its
program or reach its port with the token is its operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from letsbe.home import Home
from letsbe.openclaw.document import TenantDocument

STATE_FOLDERS = ("~/.openclaw", "~/.clawdbot")
"""Where the state is if nobody said otherwise, under its present and past names."""

DEFAULT_PORT = 18789
"""The gateway's port if nobody said otherwise; closed whatever is configured."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What is closed to agents, as executors are told when they start.

    Args:
        paths: The folders.
        ports: The gateway's ports.
    """

    paths: tuple[Path, ...]
    ports: frozenset[int]

    @classmethod
    def of(cls, home: Home) -> Self:
        """Say what has to be closed now.

        Raises:
            ConfigurationError: The tenant's document is wrong.
            StorageError: It is damaged.
        """
        runtime = TenantDocument(home.tenant).runtime()
        configured = (runtime.state, runtime.bridge, runtime.program)
        usual = (Path(place).expanduser() for place in STATE_FOLDERS)
        paths = (*usual, *(place for place in configured if place is not None))
        return cls(paths, frozenset({DEFAULT_PORT, runtime.gateway_port}))
