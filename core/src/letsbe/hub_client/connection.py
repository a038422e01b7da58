"""To which Hub this server belongs, and the key by which the Hub knows it."""

from __future__ import annotations

import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from letsbe.errors import ConfigurationError, InvalidRequest
from letsbe.home import Home
from letsbe.hub_client.state import HubState
from letsbe.storage.keys import flush_folder

_KEY = "connection"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class HubConnection:
    """Where this server is registered.

    Args:
        url: The Hub's base address.
        tenant_id: The tenant that it is the server of.
        server_id: What it calls itself.
    """

    url: str
    tenant_id: str
    server_id: str


def load(state: HubState) -> HubConnection | None:
    """Return where this server is registered; None if it is not."""
    found = state.get(_KEY)
    return None if found is None else HubConnection(**found)


def save(state: HubState, connection: HubConnection) -> None:
    """Remember where this server is registered."""
    state.change_now({_KEY: asdict(connection)})


def server_id(state: HubState) -> str:
    """Return what this server calls itself, the same for ever."""
    found = state.get("server_id")
    if found is None:
        found = f"srv_{secrets.token_hex(10)}"
        state.change_now({"server_id": found})
    return str(found)


def checked_url(url: str) -> str:
    """Check a Hub's address.

    Returns:
        It, without a slash at its end.

    Raises:
        InvalidRequest: It is not ``https://...``; plain ``http`` is for this machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    fine = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not fine or not host or parts.username or parts.query or parts.fragment:
        raise InvalidRequest(
            "the Hub's address is https://HOST; plain http is for this machine alone"
        )
    return url.rstrip("/")


def write_key(home: Home, key: str) -> None:
    """Put a key in place of the one there is, all at once."""
    path = home.hub_key
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.unfinished")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(new, flags, 0o600), "w", encoding="ascii") as file:
        file.write(f"{key}\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    flush_folder(path.parent)


def read_key(home: Home) -> str:
    """Return this server's key.

    Raises:
        ConfigurationError: There is none, or others may read it.
    """
    path: Path = home.hub_key
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        message = f"{path} cannot be read: run `letsbe hub register` again"
        raise ConfigurationError(message) from None
    if mode & 0o077:
        message = f"{path} is open to other users: run `chmod 600 {path}`"
        raise ConfigurationError(message)
    return text
