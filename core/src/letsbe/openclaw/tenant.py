"""What is known of a tenant: the business, its models, agents, channels and jobs.

What the agents may do stands in ``agents.json``, which is read at every call; this
says who they are, and is read when OpenClaw is configured.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from letsbe.configuration import UpstreamName
from letsbe.errors import ConfigurationError
from letsbe.wrapper.agents import AgentId

Line = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Text = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Role = Literal["dispatcher", "it-admin", "marketing", "secretary", "sales", "custom"]
ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$")]


class Row(BaseModel):
    """One row of the document, whole and checked."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class Business(Row):
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


class Model(Row):
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


class AgentProfile(Row):
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


class Channel(Row):
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


class Job(Row):
    """Work that one agent does by itself at set times."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    agent_id: AgentId
    schedule: Annotated[str, Field(pattern=r"^([0-9*/,-]+ ){4}[0-9*/,-]+$")]
    """Minute, hour, day, month and weekday, as cron has them, in the tenant's zone."""
    message: Annotated[Text, Field(min_length=1)]
    """What the agent is told."""
    tools: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], ...] = ()
    """The wrapper's tools that it needs; all of the agent's if none is named."""


class Runtime(Row):
    """Where OpenClaw is. All of it is closed to agents."""

    gateway_port: Annotated[int, Field(ge=1, le=65535)] = 18789
    bridge: Path | None = None
    """The folder where the bridge plugin was installed; agents use MCP without it."""
    state: Path | None = None
    """The state folder that was last configured."""
    program: Path | None = None
    """The package's folder, with the program in it."""
    backup_status: Path | None = None
    """Where whatever makes the backups writes how they went."""


class Tenant(Row):
    """All of the document."""

    business: Business
    models: tuple[Model, ...]
    agents: tuple[AgentProfile, ...]
    channels: tuple[Channel, ...] = ()
    jobs: tuple[Job, ...] = ()
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
