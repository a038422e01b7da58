"""Where everything is inside."""

from __future__ import annotations

from pathlib import Path

HOME, STATE, WORK = (
    Path("/var/lib/letsbe"),
    Path("/var/lib/openclaw"),
    Path("/srv/work"),
)
OPENCLAW, OUT = Path("/opt/openclaw"), Path("/opt/out")
PROBE, FOUND = Path("/opt/probe.mjs"), STATE / "found.json"
GATEWAY_PORT, WRAPPER_PORT, PROXY_PORT, LLM_PORT = 18789, 8200, 8100, 9100
DATABASE_PORT = 5432
OUTSIDE = "192.0.2.1"
AGENT = "it-admin"
