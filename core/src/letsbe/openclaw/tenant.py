"""The tenant's document: the business, its models, agents and channels.

What the agents may do stands in ``agents.json``, which is read at every call; this
document says who they are, and is read when OpenClaw is configured. People write it
with ``letsbe openclaw``, the Hub with the same functions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tinydb import TinyDB, where

from letsbe.configuration import UpstreamName
from letsbe.errors import ConfigurationError, NotFound
from letsbe.storage.documents import open_document
from letsbe.wrapper.agents import AgentId
from letsbe.wrapper.requests import field_errors, invalid

Line = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Text = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Role = Literal["dispatcher", "it-admin", "marketing", "secretary", "sales", "custom"]
ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$")]
R = TypeVar("R", bound="_Row")


class _Row(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class Business(_Row):
    """Whom the agents work for."""

    name: Line
    owner: Line
    """The person who approves."""
    domain: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}$")]
    timezone: str = "UTC"
    """A name of the IANA time zone database."""

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = "is not a time zone such as Europe/Berlin"
            raise ValueError(message) from None
        return name


class Model(_Row):
    """A model, behind one upstream of the Secrets Proxy."""

    upstream: UpstreamName
    model: ModelId
    """What the provider calls it."""
    context_window: Annotated[int, Field(ge=1024)] = 200_000
    max_tokens: Annotated[int, Field(ge=1)] = 8192
    reasoning: bool = False
    images: bool = False
    caching: Literal["auto", "anthropic", "openai", "none"] = "auto"
    """Which markers keep the provider's prompt cache warm; auto goes by the API, the
    provider and the model's name."""

    @property
    def name(self) -> str:
        """The upstream and the model, as agents name it."""
        return f"{self.upstream}/{self.model}"


class AgentProfile(_Row):
    """Who one agent is."""

    agent_id: AgentId
    name: Line
    role: Role = "custom"
    """Which template its SOUL.md is made from."""
    purpose: Line | None = None
    """What it is for, in one line that the other agents see."""
    instructions: Text = ""
    """What a custom agent is responsible for; added to the others' responsibilities."""
    model: Line | None = None
    """``UPSTREAM/MODEL``; the tenant's first model if left out."""


class Channel(_Row):
    """A messenger by which the owner reaches an agent."""

    channel: Literal["telegram", "whatsapp"]
    agent_id: AgentId = "dispatcher"
    """Who answers there."""
    owner: Line
    """The owner's number there: a Telegram user id, or +49... for WhatsApp."""
    token_file: Path | None = None
    """Telegram's bot token, in a file that OpenClaw's account alone may read."""

    @field_validator("owner")
    @classmethod
    def _is_an_id(cls, owner: str) -> str:
        digits = owner.removeprefix("+")
        if not (digits.isascii() and digits.isdecimal() and 5 <= len(digits) <= 20):
            message = "must be a number: names can be taken over by others"
            raise ValueError(message)
        return owner


class Runtime(_Row):
    """Where OpenClaw is. All of it is closed to agents."""

    gateway_port: Annotated[int, Field(ge=1, le=65535)] = 18789
    bridge: Path | None = None
    """The folder where the bridge plugin was installed; agents use MCP without it."""
    state: Path | None = None
    """The state folder that was last configured."""
    program: Path | None = None
    """The package's folder, with the program in it."""


class Tenant(_Row):
    """All of the document."""

    business: Business
    models: tuple[Model, ...]
    agents: tuple[AgentProfile, ...]
    channels: tuple[Channel, ...] = ()
    runtime: Runtime = Runtime()

    def model_of(self, agent: AgentProfile) -> Model:
        """Return the model that an agent begins with.

        Raises:
            ConfigurationError: Its name is none of the tenant's models.
        """
        if agent.model is None:
            return self.models[0]
        for model in self.models:
            if model.name == agent.model:
                return model
        message = f"the model of {agent.agent_id} is none of the tenant's models"
        raise ConfigurationError(message)


_BUSINESS, _RUNTIME = "business", "runtime"
_KEYS = {"models": "model", "agents": "agent_id", "channels": "channel"}
_ROWS: dict[str, type[_Row]] = {
    "business": Business,
    "runtime": Runtime,
    "models": Model,
    "agents": AgentProfile,
    "channels": Channel,
}


class TenantDocument:
    """The document on disk.

    Args:
        path: ``Home.tenant``, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Tenant:
        """Read all of it.

        Raises:
            ConfigurationError: It does not exist, lacks something, or a row is wrong.
            StorageError: It is damaged.
        """
        rows = self._rows()
        if not rows[_BUSINESS]:
            message = "it is not known whom the agents work for"
            instead = "run `letsbe openclaw tenant` with --business, --owner, --domain"
            raise ConfigurationError(message, alternative=instead)
        if not rows["models"]:
            message = "the tenant has no model"
            instead = "run `letsbe openclaw model add UPSTREAM MODEL`"
            raise ConfigurationError(message, alternative=instead)
        return Tenant(
            business=self._checked(Business, rows[_BUSINESS])[0],
            models=self._checked(Model, rows["models"]),
            agents=self._checked(AgentProfile, rows["agents"]),
            channels=self._checked(Channel, rows["channels"]),
            runtime=next(iter(self._checked(Runtime, rows[_RUNTIME])), Runtime()),
        )

    def runtime(self) -> Runtime:
        """Read where OpenClaw is; the rest of the document need not be whole.

        Raises:
            ConfigurationError: The row is wrong.
            StorageError: The document is damaged.
        """
        rows = self._rows()[_RUNTIME]
        return next(iter(self._checked(Runtime, rows)), Runtime())

    def set_single(self, table: Literal["business", "runtime"], **fields: Any) -> None:  # noqa: ANN401 - checked by the row's model
        """Change fields of a table that has one row.

        Raises:
            InvalidRequest: A field is missing or wrong.
        """
        with open_document(self._path) as document:
            kept = [dict(row) for row in document.table(table)]
            row = _row(_ROWS[table], {**(kept[0] if kept else {}), **fields})
            document.table(table).truncate()
            document.table(table).insert(row)

    def put(self, row: Model | AgentProfile | Channel) -> None:
        """Write a row, new or in place of the one with its name."""
        table = next(name for name, kind in _ROWS.items() if isinstance(row, kind))
        stored = row.model_dump(mode="json", exclude_none=True)
        with open_document(self._path) as document:
            document.table(table).upsert(stored, self._same(table, stored))

    def remove(self, table: Literal["models", "agents", "channels"], key: str) -> None:
        """Remove a row.

        Raises:
            NotFound: There is none of that name.
        """
        query = where(_KEYS[table]) == key
        if table == "models":
            upstream, _, model = key.partition("/")
            query = (where("upstream") == upstream) & (where("model") == model)
        with open_document(self._path) as document:
            if not document.table(table).remove(query):
                raise NotFound(f"the tenant's {table} have none of that name")

    def agents(self) -> tuple[AgentProfile, ...]:
        """Return the agents there are, in the order in which they were added."""
        return self._checked(AgentProfile, self._rows()["agents"])

    def facts(self) -> dict[str, Any]:
        """Return all that is known, whole or not."""
        rows = self._rows()
        return {
            **{key: value for row in rows[_BUSINESS] for key, value in row.items()},
            **{key: value for row in rows[_RUNTIME] for key, value in row.items()},
            "models": [f"{row['upstream']}/{row['model']}" for row in rows["models"]],
            "agents": [row["agent_id"] for row in rows["agents"]],
            "channels": [row["channel"] for row in rows["channels"]],
        }

    def _same(self, table: str, row: dict[str, Any]) -> Any:  # noqa: ANN401 - TinyDB's
        key = _KEYS[table]
        same = where(key) == row[key]
        return (
            same & (where("upstream") == row["upstream"]) if table == "models" else same
        )

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        if not self._path.exists():
            return {table: [] for table in _ROWS}
        with open_document(self._path) as document:
            return {table: _all(document, table) for table in _ROWS}

    def _checked(self, kind: type[R], rows: list[dict[str, Any]]) -> tuple[R, ...]:
        try:
            return tuple(kind.model_validate(row) for row in rows)
        except ValidationError as error:
            details = field_errors(error)
            named = "; ".join(f"{d.field}: {d.message}" for d in details)
            message = f"{self._path} has a wrong {kind.__name__.lower()}: {named}"
            raise ConfigurationError(message, details=details) from None


def _all(document: TinyDB, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in document.table(table)]


def _row(kind: type[_Row], fields: dict[str, Any]) -> dict[str, Any]:
    return checked(kind, fields).model_dump(mode="json", exclude_none=True)


def checked(kind: type[R], fields: dict[str, Any]) -> R:
    """Make a row from what a person gave.

    Raises:
        InvalidRequest: A field is missing or wrong; the error names each.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        summary = f"the {kind.__name__.lower()} is not right"
        raise invalid(summary, field_errors(error)) from None
