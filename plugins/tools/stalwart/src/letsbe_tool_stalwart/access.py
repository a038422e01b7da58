"""How Stalwart is told who asks, and how both generations tell what is wrong.

Up to 0.15 a fault may come with HTTP 200, as ``{"error": ...}``; from 0.16 on JMAP
tells it inside the answer (RFC 8620, 3.6). Problem details (RFC 7807) are in both.
"""

from __future__ import annotations

import base64
from typing import Any

from letsbe.plugin import (
    Fault,
    Outgoing,
    Response,
    ToolConflict,
    ToolFailed,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
    ToolRateLimited,
    ToolUnexpected,
)

CREDENTIALS = ("api_token", "password")

_REST_KINDS: dict[str, type[ToolFailed]] = {
    "notFound": ToolNotFound,
    "fieldAlreadyExists": ToolConflict,
    "fieldMissing": ToolInvalid,
    "unsupported": ToolInvalid,
    "assertFailed": ToolConflict,
}
_JMAP_KINDS: dict[str, type[ToolFailed]] = {
    "accountNotFound": ToolNotFound,
    "alreadyExists": ToolConflict,
    "forbidden": ToolForbidden,
    "invalidArguments": ToolInvalid,
    "invalidPatch": ToolInvalid,
    "invalidProperties": ToolInvalid,
    "limit": ToolRateLimited,
    "notFound": ToolNotFound,
    "objectIsLinked": ToolConflict,
    "overQuota": ToolForbidden,
    "primaryKeyViolation": ToolConflict,
    "rateLimit": ToolRateLimited,
    "stateMismatch": ToolConflict,
    "tooLarge": ToolInvalid,
    "willDestroy": ToolConflict,
}
_FAILED = ("notCreated", "notUpdated", "notDestroyed")


def authenticate(out: Outgoing) -> None:
    """Add the token, or the name and password of the administrator."""
    if "api_token" in out.credentials:
        out.headers["authorization"] = f"Bearer {out.secret('api_token')}"
        return
    pair = f"{out.setting('user')}:{out.secret('password')}"
    encoded = base64.b64encode(pair.encode()).decode()
    out.headers["authorization"] = f"Basic {encoded}"


def read_fault(response: Response) -> Fault | None:
    """Find the fault in an answer of either generation."""
    body = response.json()
    if not isinstance(body, dict):
        return None
    if response.status >= 400:
        told = [body.get("title"), body.get("detail")]
        return Fault(None, ": ".join(str(text) for text in told if text))
    if "error" in body:
        kind = _REST_KINDS.get(str(body["error"]), ToolUnexpected)
        told = [
            body.get(name) for name in ("error", "field", "item", "value", "details")
        ]
        return Fault(kind, " ".join(str(text) for text in told if text))
    for method, arguments, _ in body.get("methodResponses", ()):
        fault = _jmap_fault(method, arguments)
        if fault is not None:
            return fault
    return None


def _jmap_fault(method: str, arguments: dict[str, Any]) -> Fault | None:
    wrong: list[dict[str, Any]] = [arguments] if method == "error" else []
    for place in _FAILED:
        wrong += (arguments.get(place) or {}).values()
    if not wrong:
        return None
    first = wrong[0]
    kind = _JMAP_KINDS.get(str(first.get("type")), ToolUnexpected)
    told = [first.get("type"), first.get("description")]
    told += first.get("properties") or ()
    return Fault(kind, " ".join(str(text) for text in told if text))
