"""How Cal.com is told who asks and which version is meant, and how it tells faults.

Without its header, a route of a family answers as an old version did, in another form.
The versions are those of Cal.com's API document of April 2025 and July 2026.
"""

from __future__ import annotations

from letsbe.plugin import Fault, Outgoing, Response, ToolRateLimited

_VERSIONS = {
    "bookings": "2024-08-13",
    "event-types": "2024-06-14",
    "schedules": "2024-06-11",
    "slots": "2024-09-04",
}


def authenticate(out: Outgoing) -> None:
    """Add the API key, and the version of the family that a path belongs to."""
    out.headers["authorization"] = f"Bearer {out.secret('api_key')}"
    version = version_of(out.path)
    if version is not None:
        out.headers["cal-api-version"] = version


def version_of(path: str) -> str | None:
    """Return the version that a path's family needs; ``None`` if it has none."""
    parts = path.strip("/").split("/")
    if len(parts) < 2 or parts[0] != "v2":
        return None
    if parts[1] == "event-types" and "webhooks" in parts:
        return None
    return _VERSIONS.get(parts[1])


def read_fault(response: Response) -> Fault | None:
    """Read ``{"status": "error", "error": {code, message, details}}``."""
    body = response.json()
    failed = isinstance(body, dict) and body.get("status") == "error"
    if response.status < 400 and not failed:
        return None
    error = body.get("error") or {}
    told = str(error.get("message") or body.get("message") or "")
    kind = ToolRateLimited if error.get("code") == "TOO_MANY_REQUESTS" else None
    return Fault(kind, told)
