"""How Portainer is told who asks, and how it and Docker behind it tell what is wrong.

Source: Portainer's API document 2.31, and Docker's Engine API 1.41.
"""

from __future__ import annotations

import struct

from letsbe.plugin import Fault, Outgoing, Response

DOCKER = "/api/endpoints/{$environment_id}/docker"
"""Docker's own API, passed on by Portainer."""

_HEADER = struct.Struct(">BxxxI")


def authenticate(out: Outgoing) -> None:
    """Add the access token."""
    out.headers["x-api-key"] = out.secret("access_token")


def read_fault(response: Response) -> Fault | None:
    """Read Portainer's ``{"message", "details"}`` or Docker's ``{"message"}``."""
    if response.status < 400:
        return None
    body = response.json()
    told = [body.get("message"), body.get("details")]
    return Fault(None, " ".join(str(text) for text in dict.fromkeys(told) if text))


def log_text(content: bytes) -> str:
    """Read a container's log.

    Without a terminal it comes in frames: a byte that tells the stream, three that
    are zero, four with the length (Engine API, "Attach to a container").

    Args:
        content: The answer's body.

    Returns:
        Both streams in the order written.
    """
    place, parts = 0, []
    while place + _HEADER.size <= len(content):
        stream, length = _HEADER.unpack_from(content, place)
        framed = stream in {0, 1, 2} and content[place + 1 : place + 4] == b"\0\0\0"
        if not framed:
            return content.decode("utf-8", "replace")  # it has a terminal
        place += _HEADER.size
        parts.append(content[place : place + length])
        place += length
    return b"".join(parts or [content]).decode("utf-8", "replace")
