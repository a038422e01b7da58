"""The default agents, as their data file tells of them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from letsbe.openclaw.tenant import AgentProfile

DEFAULT_ROLES = ("dispatcher", "it-admin", "marketing", "secretary", "sales")
"""The agents that a tenant begins with; the first takes what is meant for nobody."""


@dataclass(frozen=True, slots=True)
class RoleTexts:
    """What SOUL.md says of a role, with ``$business`` and the like in it.

    Args:
        name: What the agent is called.
        purpose: What it is for, for the others.
        tools: The scope it gets when it has none.
        identity: Who it is.
        responsibilities: What it does, line by line.
        rules: What it keeps to, besides what all do.
        style: How it speaks.
    """

    name: str
    purpose: str
    tools: tuple[str, ...]
    identity: str
    responsibilities: tuple[str, ...]
    rules: tuple[str, ...]
    style: str


@cache
def roles() -> dict[str, RoleTexts]:
    """Return the texts of every role, by its name."""
    text = template("roles.toml")
    return {name: _texts(table) for name, table in tomllib.loads(text).items()}


@cache
def template(name: str) -> str:
    """Return a template's text."""
    folder = files("letsbe.openclaw") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def default_agents() -> tuple[AgentProfile, ...]:
    """Return the five agents that a tenant begins with."""
    return tuple(
        AgentProfile.model_validate(
            {"agent_id": role, "name": roles()[role].name, "role": role}
        )
        for role in DEFAULT_ROLES
    )


def _texts(table: dict[str, Any]) -> RoleTexts:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in table.items()
    }
    return RoleTexts(**values)
