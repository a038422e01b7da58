"""A tenant's configuration, as the Hub writes it and the tenant checks it again.

Both sides use these models, so that what the Hub accepts a tenant can apply. The
digest is made of the canonical text: whoever applies a change knows that the whole is
what was meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from letsbe.errors import FieldError, InvalidRequest

MOST_AGENTS = 200
MOST_SOUL = 4000

AgentId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
ToolName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}(\.[a-z0-9_]{1,64})?$")]
ToolGlob = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}(\.([a-z0-9_]{1,64}|\*))?$")
]
ModelName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._:-]*){0,3}$",
        max_length=128,
    ),
]
Line = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Soul = Annotated[
    str, Field(max_length=MOST_SOUL, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
]
Role = Literal["dispatcher", "it-admin", "marketing", "secretary", "sales", "custom"]
Level = Annotated[int, Field(ge=1, le=3)]


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class AgentConfiguration(_Part):
    """One agent, as staff or its owner configure it."""

    name: Line
    """What people call it."""
    role: Role = "custom"
    """Which template its SOUL.md is made from."""
    purpose: Line | None = None
    """What it is for, in one line that the other agents see."""
    model: ModelName | None = None
    """The model, as `UPSTREAM/MODEL`; else the tenant's default."""
    tools: Annotated[list[ToolGlob], Field(max_length=200)] | None = None
    """The tools that it may use at all, everything if left out; `tool.*` stands for
    all of a tool's operations."""
    autonomy_level: Level | None = None
    """Its autonomy level; else the tenant's."""
    external_unlocks: Annotated[list[ToolName], Field(max_length=200)] = Field(
        default_factory=list
    )
    """The tools whose external calls may run unasked, each by its full name."""
    soul: Soul = ""
    """What its SOUL.md says of its responsibilities, besides its role's."""


class ClassificationRule(_Part):
    """Makes a tool stricter than its plugin says; nothing can make one laxer."""

    tool: ToolGlob
    """Which tool, or `tool.*`."""
    tier: Literal["YELLOW", "YELLOW_EXTERNAL", "RED", "CRITICAL_RED"]
    """The least tier of its calls."""
    external: bool = False
    """Whether its calls count as reaching the outside."""
    reason: Line
    """What a person is told."""


class PluginChoice(_Part):
    """One plugin of a plugin set."""

    kind: Literal["executor", "tool", "redactor", "billing", "notifier"]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    distribution: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    required: bool = False


class TenantConfiguration(_Part):
    """Everything that the Hub configures on a tenant's server."""

    autonomy_level: Level = 2
    """The level of agents that have none of their own."""
    default_model: ModelName | None = None
    """The model of agents that have none of their own."""
    agents: dict[AgentId, AgentConfiguration] = Field(default_factory=dict)
    """The agents, by their ids."""
    classification: Annotated[list[ClassificationRule], Field(max_length=500)] = Field(
        default_factory=list
    )
    """Additions to the classification."""
    plugins: Annotated[list[PluginChoice], Field(max_length=200)] | None = None
    """The plugin set; the server keeps its own if none is given."""


Document = dict[str, Any]


def checked(document: object) -> TenantConfiguration:
    """Check a document.

    Args:
        document: JSON, from whoever.

    Raises:
        InvalidRequest: It is not a configuration; the error names each field.
    """
    try:
        found = TenantConfiguration.model_validate_json(canonical(document))
    except (ValidationError, ValueError) as error:
        details = _details(error) if isinstance(error, ValidationError) else ()
        raise InvalidRequest("the configuration is wrong", details=details) from None
    if len(found.agents) > MOST_AGENTS:
        raise InvalidRequest(f"a configuration has at most {MOST_AGENTS} agents")
    return found


def document_of(configuration: TenantConfiguration) -> Document:
    """Return a configuration as JSON."""
    # Without nulls, which a merge patch could not tell from what is gone.
    return configuration.model_dump(mode="json", by_alias=True, exclude_none=True)


def canonical(document: object) -> str:
    """Return the one text of a document that its digest is made of."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False,
        allow_nan=False,
    )  # fmt: skip


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical text."""
    return hashlib.sha256(
        canonical(document).encode("utf-8", "surrogatepass")
    ).hexdigest()


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Document:
    """Return what changes one document into another, as a merge patch (RFC 7396).

    Lists are taken whole; what is gone is null. No value of ours is itself null where
    its absence means something else.
    """
    patch: Document = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if key in old and before == value:
            continue
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            patch[key] = difference(before, value)
        else:
            patch[key] = value
    return patch


def merged(document: Mapping[str, Any], patch: Mapping[str, Any]) -> Document:
    """Apply a merge patch (RFC 7396).

    Args:
        document: What it is applied to.
        patch: The changes; null takes a member away.
    """
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            before = result.get(key)
            result[key] = merged(before if isinstance(before, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def _details(error: ValidationError) -> tuple[FieldError, ...]:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return tuple(
        FieldError(".".join(map(str, item["loc"])), item["msg"]) for item in found
    )
