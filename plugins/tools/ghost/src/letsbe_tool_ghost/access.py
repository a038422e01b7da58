"""How Ghost is told who asks, and how it tells what is wrong.

The Admin API takes a token that the caller signs (HS256, RFC 7519) with the secret half
of its key, at most five minutes old; so each request has one of its own. The Content
API takes its key in the query. Source: Ghost's Admin API documentation, and Ghost 6.65.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from typing import Any

from letsbe.plugin import (
    Fault,
    Outgoing,
    Response,
    ToolConflict,
    ToolFailed,
    ToolInvalid,
    ToolRateLimited,
    ToolUnauthenticated,
)

ADMIN = "/ghost/api/admin"
CONTENT = "/ghost/api/content"

_KEY = re.compile(r"([0-9a-f]{24}):([0-9a-f]{64})")
_SECONDS = 60  # a token's life; it is used once, at once

_KINDS: dict[str, type[ToolFailed]] = {
    "UNKNOWN_CONTENT_API_KEY": ToolUnauthenticated,
    "INVALID_JWT": ToolUnauthenticated,
    "UNKNOWN_ADMIN_API_KEY": ToolUnauthenticated,
    "UPDATE_COLLISION": ToolConflict,
    "ValidationError": ToolInvalid,
    "TooManyRequestsError": ToolRateLimited,
}


def authenticate(out: Outgoing) -> None:
    """Add the key that a path asks for."""
    if out.path.startswith(f"{CONTENT}/"):
        out.query["key"] = out.secret("content_key")
    else:
        out.headers["authorization"] = f"Ghost {token(out.secret('admin_key'))}"


def token(key: str, now: float | None = None) -> str:
    """Sign a token for the Admin API.

    Args:
        key: The Admin API key, ``id:secret``, both hexadecimal.
        now: The time; now if it is left out.

    Raises:
        ToolUnauthenticated: The key is not of that form.
    """
    match = _KEY.fullmatch(key.strip())
    if match is None:
        raise ToolUnauthenticated(
            "the secret for `admin_key` is not a Ghost Admin API key",
            alternative="it has 24 hexadecimal digits, a colon, and 64 more",
        )
    issued = int(time.time() if now is None else now)
    head = {"alg": "HS256", "kid": match[1], "typ": "JWT"}
    claims = {"aud": "/admin/", "exp": issued + _SECONDS, "iat": issued}
    signed = f"{_part(head)}.{_part(claims)}"
    digest = hmac.digest(bytes.fromhex(match[2]), signed.encode(), hashlib.sha256)
    return f"{signed}.{_encoded(digest)}"


def read_fault(response: Response) -> Fault | None:
    """Read Ghost's ``{"errors": [{message, context, type, code}]}``."""
    if response.status < 400:
        return None
    first: dict[str, Any] = response.json()["errors"][0]
    kind = _KINDS.get(str(first.get("code"))) or _KINDS.get(str(first.get("type")))
    told = dict.fromkeys(str(first.get(part) or "") for part in ("message", "context"))
    return Fault(kind, " ".join(told))


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
