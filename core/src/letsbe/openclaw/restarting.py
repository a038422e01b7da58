"""What has to be started anew for a configuration to count, and why."""

from __future__ import annotations

import httpx

from letsbe.configuration import load_configuration
from letsbe.home import Home
from letsbe.openclaw.configuring import Pending

ASK_SECONDS = 2.0
"""How long a running wrapper is waited for."""


def restarts(pending: Pending) -> dict[str, str]:
    """Say what has to be started anew, once a configuration was written.

    Tokens, scopes and levels are read by a running wrapper as they change, settings
    by a running gateway; what is left is told here.

    Args:
        pending: What was written.

    Returns:
        The reason, by what to restart.
    """
    found = {}
    why = _wrapper(pending.home)
    if why is not None:
        found["LetsBe"] = why
    if pending.needs_new_gateway:
        why = "OpenClaw reads its tokens and its plugins' tools only when it starts"
        found["the gateway"] = why
    return found


def _wrapper(home: Home) -> str | None:
    """Ask the running wrapper whether it knows where OpenClaw is now."""
    settings = load_configuration(home).wrapper
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        answer = httpx.get(
            f"http://{host}:{settings.port}/readyz",
            timeout=ASK_SECONDS,
            trust_env=False,
        )
        told = str(answer.json()["checks"]["openclaw"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    return None if told == "ok" else told
