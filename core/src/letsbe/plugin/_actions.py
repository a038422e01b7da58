"""How a plugin declares what it can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from letsbe.policy.tiers import Tier


class Arguments(BaseModel):
    """The base of an action's argument model.

    Fields are checked strictly: no unknown field, no value turned into another type.
    An error names the field and never shows what was sent.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


@dataclass(frozen=True, slots=True)
class Example:
    """A call that shows how an action is used, checked when the plugin is tested.

    Args:
        arguments: The arguments as JSON.
        tier: The tier the call must have.
    """

    arguments: Mapping[str, Any]
    tier: Tier


@dataclass(frozen=True, slots=True)
class Action:
    """One thing an executor or a tool adapter can do.

    Args:
        name: What a tool call names: ``file_read``, ``nextcloud.list_files``.
        summary: One line for the agent, in the imperative.
        arguments: The model of its arguments.
        tier: The lowest tier a call of it can have. A classification may raise it,
            never lower it; undeclared is RED.
        external: Whether every call of it reaches the outside.
        idempotent: Whether calling it twice does no more than calling it once.
        examples: Calls that show its use.
        secrets: The names in the vault of the secrets that every call of it uses,
            besides those that its arguments name. Their scopes are checked before the
            gate, and the running call can fill them in.
        needs: Other tools that must be in the agent's scope too, as a call does what
            they do: ``file_read``.
    """

    name: str
    summary: str
    arguments: type[Arguments]
    tier: Tier = Tier.RED
    external: bool = False
    idempotent: bool = False
    examples: tuple[Example, ...] = ()
    secrets: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
