"""Bearer tokens: whose they are, and what that allows.

Three kinds that cannot stand in for each other: the operator's (approvals, secrets,
audit), one per agent (tool calls as that agent), and the runtime's (tool calls as the
agent that the body names). Each is a file of mode 0600 in the home folder.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from letsbe.errors import ConfigurationError, InvalidRequest, Unauthenticated
from letsbe.home import Home

_AGENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Role(enum.Enum):
    """What a token is for."""

    OPERATOR = "operator"
    AGENT = "agent"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token a request bears.

    Args:
        role: What it is for.
        agent_id: Which agent, if it is one agent's own.
    """

    role: Role
    agent_id: str | None = None


def new_token() -> str:
    """Make a token: 43 characters from 32 random bytes."""
    return secrets.token_urlsafe(32)


def create_token(path: Path, token: str | None = None) -> str:
    """Put a token into a file of mode 0600.

    Args:
        path: The file, which must not exist yet. It is there whole or not at all, for
            a running wrapper reads it at once.
        token: The token; a new one by default.

    Returns:
        The token.

    Raises:
        FileExistsError: The file exists.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = new_token() if token is None else token
    making = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        os.link(making, path)
    finally:
        making.unlink()
    return token


def create_agent_token(home: Home, agent_id: str) -> Path:
    """Make an agent's token, unless it has one.

    Returns:
        The file with the token.

    Raises:
        InvalidRequest: The name cannot be an agent's.
    """
    if not _AGENT_ID.fullmatch(agent_id):
        message = "an agent's id has letters, digits, dots, dashes and underscores"
        raise InvalidRequest(message)
    path = home.agent_tokens / agent_id
    if not path.exists():
        create_token(path)
    return path


def agent_ids(home: Home) -> list[str]:
    """Return the agents that have a token, by name."""
    if not home.agent_tokens.is_dir():
        return []
    names = (path.name for path in home.agent_tokens.iterdir() if path.is_file())
    return sorted(name for name in names if _AGENT_ID.fullmatch(name))


def read_token(path: Path) -> str:
    """Read a token's file.

    Raises:
        ConfigurationError: It is missing, empty, or open to other users.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        message = f"{path} cannot be read: run `letsbe init` again"
        raise ConfigurationError(message) from None
    if stat.S_IMODE(mode) & 0o077:
        message = f"{path} is open to other users: run `chmod 600 {path}`"
        raise ConfigurationError(message)
    if len(text) < 32:
        message = f"{path} holds no token of 32 characters or more: make a new one"
        raise ConfigurationError(message)
    return text


class Tokens:
    """The tokens of one home, and those of agents added while it is in use.

    Args:
        home: The home folder.

    Raises:
        ConfigurationError: A token's file is missing or unsafe, or two are equal.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stamp = self._agents_stamp()
        self._callers = self._read()

    def caller(self, authorization: str | None) -> Caller:
        """Say whose token a request's ``Authorization`` header bears.

        Raises:
            Unauthenticated: It bears none, or none of ours.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("send `Authorization: Bearer TOKEN`")
        # A token that was taken away counts no longer, and a new one at once.
        stamp = self._agents_stamp()
        if stamp != self._stamp:
            self._callers, self._stamp = self._read(), stamp
        found = self._find(token.strip())
        if found is None:
            message = "the bearer token is not known: see the tokens folder of the home"
            raise Unauthenticated(message)
        return found

    def _find(self, token: str) -> Caller | None:
        # Hashes are compared, and all of them, so that time tells nothing of a token.
        sought = _hash(token)
        found = None
        for known, caller in self._callers.items():
            if hmac.compare_digest(known, sought):
                found = caller
        return found

    def _agents_stamp(self) -> int:
        folder = self._home.agent_tokens
        return folder.stat().st_mtime_ns if folder.is_dir() else 0

    def _read(self) -> dict[bytes, Caller]:
        home = self._home
        files = [(home.operator_token, Caller(Role.OPERATOR))]
        if home.runtime_token.exists():
            files.append((home.runtime_token, Caller(Role.RUNTIME)))
        files += [
            (home.agent_tokens / name, Caller(Role.AGENT, name))
            for name in agent_ids(home)
        ]
        callers: dict[bytes, Caller] = {}
        for path, caller in files:
            if callers.setdefault(_hash(read_token(path)), caller) is not caller:
                message = f"{path} holds the token of another caller: make a new one"
                raise ConfigurationError(message)
        return callers


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
