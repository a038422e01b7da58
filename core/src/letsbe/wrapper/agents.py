"""The document of agents: autonomy levels and external unlocks, as people set them.

Read again whenever the file changes, so that a change counts from the next call on.
A document that cannot be read gates everything: see :class:`AgentPolicies`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tinydb import where

from letsbe.errors import InvalidRequest, StorageError
from letsbe.policy.autonomy import DEFAULT_LEVEL, AgentPolicy, AutonomyLevel
from letsbe.storage.documents import open_document

AgentId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]

ToolScope = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9_.-]{0,127}\*?)$")]
"""A tool's name; with ``*`` at its end, every tool whose name begins so."""

_TENANT = "tenant"
_AGENTS = "agents"


class AgentSettings(BaseModel):
    """One agent's entry in the document."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    agent_id: AgentId
    level: AutonomyLevel | None = None
    unlocked: frozenset[str] = frozenset()
    tools: tuple[ToolScope, ...] | None = None
    """What it may use at all; everything if left out."""


class AgentPolicies:
    """The policies of a tenant's agents.

    An agent without an entry has the tenant's level and no unlock.

    Args:
        path: The document, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._level = DEFAULT_LEVEL
        self._agents: dict[str, AgentSettings] = {}

    def policy(self, agent_id: str) -> AgentPolicy:
        """Return an agent's policy as it is now.

        Raises:
            StorageError: The document cannot be read, so nothing may run unasked.
        """
        self._refresh()
        settings = self._agents.get(agent_id)
        if settings is None:
            return AgentPolicy(self._level)
        level = settings.level or self._level
        return AgentPolicy(level, settings.unlocked, settings.tools)

    def tenant_level(self) -> AutonomyLevel:
        """Return the level of agents that have none of their own."""
        self._refresh()
        return self._level

    def all(self) -> list[AgentSettings]:
        """Return every agent that has an entry, by name."""
        self._refresh()
        return [self._agents[name] for name in sorted(self._agents)]

    def set_tenant_level(self, level: AutonomyLevel) -> None:
        """Set the level of agents that have none of their own."""
        self._refresh()
        with open_document(self._path) as document:
            document.table(_TENANT).truncate()
            document.table(_TENANT).insert({"level": int(level)})

    def put(self, settings: AgentSettings) -> None:
        """Write one agent's entry, new or in place of its old one."""
        self._refresh()
        same = where("agent_id") == settings.agent_id
        with open_document(self._path) as document:
            document.table(_AGENTS).upsert(_row(settings), same)

    def replace(
        self,
        level: AutonomyLevel,
        settings: Sequence[AgentSettings],
        removed: Collection[str] = (),
    ) -> None:
        """Write the tenant's level and several entries, all at once or not at all.

        Args:
            level: The level of agents that have none of their own.
            settings: Entries, new or in place of old ones.
            removed: The agents that have no entry any more.
        """
        self._refresh()
        entries = {s.agent_id: s for s in self.all() if s.agent_id not in removed}
        entries |= {s.agent_id: s for s in settings}
        rows = [_row(entries[name]) for name in sorted(entries)]
        with open_document(self._path) as document:
            document.storage.write(
                {
                    _TENANT: {"1": {"level": int(level)}},
                    _AGENTS: {str(n): row for n, row in enumerate(rows, start=1)},
                }
            )

    def get(self, agent_id: str) -> AgentSettings:
        """Return one agent's entry, or an empty one.

        Raises:
            InvalidRequest: The name cannot be an agent's.
        """
        self._refresh()
        return self._agents.get(agent_id) or _checked(agent_id=agent_id)

    def set_scope(self, agent_id: str, tools: Sequence[str]) -> None:
        """Set which tools an agent may use at all.

        Args:
            agent_id: The agent.
            tools: Names; ``*`` at the end stands for all that begin so.

        Raises:
            InvalidRequest: The agent's name or a tool's is of no such form.
        """
        fields = self.get(agent_id).model_dump() | {"tools": tuple(tools)}
        self.put(_checked(**fields))

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        level, agents = DEFAULT_LEVEL, dict[str, AgentSettings]()
        if stamp is not None:
            level, agents = self._read()
        self._level, self._agents, self._stamp = level, agents, stamp

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError:
            raise StorageError(f"{self._path} cannot be read") from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> tuple[AutonomyLevel, dict[str, AgentSettings]]:
        with open_document(self._path) as document:
            tenant = document.table(_TENANT).all()
            rows = document.table(_AGENTS).all()
        try:
            level = AutonomyLevel(tenant[0]["level"]) if tenant else DEFAULT_LEVEL
            entries = [AgentSettings.model_validate(dict(row)) for row in rows]
        except (ValidationError, ValueError, KeyError, TypeError):
            message = (
                f"{self._path} has an entry that is not an agent's: mend or remove it"
            )
            raise StorageError(message) from None
        return level, {entry.agent_id: entry for entry in entries}


def _row(settings: AgentSettings) -> dict[str, Any]:
    return {
        "agent_id": settings.agent_id,
        "level": None if settings.level is None else int(settings.level),
        "unlocked": sorted(settings.unlocked),
        "tools": None if settings.tools is None else list(settings.tools),
    }


def _checked(**fields: Any) -> AgentSettings:  # noqa: ANN401 - what is checked here
    try:
        return AgentSettings.model_validate(fields)
    except ValidationError as error:
        wrong = str(error.errors(include_input=False)[0]["loc"][0])
        message = (
            f"{wrong} is not of the right form: small letters, digits, dots, dashes and"
            " underscores, for tools also * at the end"
        )
        raise InvalidRequest(message) from None
