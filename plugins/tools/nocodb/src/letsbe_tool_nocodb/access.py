"""How NocoDB is told who asks, and how it tells what is wrong (0.301)."""

from __future__ import annotations

from letsbe.plugin import (
    Fault,
    Outgoing,
    Response,
    ToolFailed,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
    ToolUnauthenticated,
)

_KINDS: dict[str, type[ToolFailed]] = {
    "ERR_AUTHENTICATION_REQUIRED": ToolUnauthenticated,
    "ERR_FORBIDDEN": ToolForbidden,
    "ERR_BASE_NOT_FOUND": ToolNotFound,
    "ERR_FIELD_NOT_FOUND": ToolInvalid,
    "ERR_RECORD_NOT_FOUND": ToolNotFound,
    "ERR_TABLE_NOT_FOUND": ToolNotFound,
    "ERR_VIEW_NOT_FOUND": ToolNotFound,
}


def authenticate(out: Outgoing) -> None:
    """Add the API token."""
    out.headers["xc-token"] = out.secret("api_token")


def read_fault(response: Response) -> Fault | None:
    """Read ``{"error": code, "message"}`` of version 2 or ``{"msg"}`` of version 1."""
    if response.status < 400:
        return None
    body = response.json()
    told = body.get("message") or body.get("msg") or ""
    return Fault(_KINDS.get(str(body.get("error"))), str(told))
