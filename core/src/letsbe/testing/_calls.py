"""Sites and calls as the core would hand them to a plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from pydantic import ValidationError
from typing_extensions import Unpack

from letsbe.errors import FieldError, InvalidRequest
from letsbe.plugin._actions import Action
from letsbe.plugin._calls import ToolCall
from letsbe.plugin._site import Site
from letsbe.plugin._tool_site import ToolSite


class SiteFields(TypedDict, total=False):
    """The fields of a :class:`Site`, each of which a test may leave out."""

    roots: tuple[Path, ...]
    forbidden: tuple[Path, ...]
    closed_ports: frozenset[int]
    settings: Mapping[str, Any]
    output_limit: int
    tools: tuple[ToolSite, ...]


def make_site(tmp_path: Path, **overrides: Unpack[SiteFields]) -> Site:
    """Describe a machine whose one allowed root is a test's own folder.

    Args:
        tmp_path: The folder; pytest's ``tmp_path`` fixture.
        overrides: Fields of :class:`Site` to set otherwise: ``roots``, ``forbidden``,
            ``closed_ports``, ``settings``, ``output_limit``, ``tools``.

    Returns:
        The site.

    Raises:
        TypeError: An override is not a field of a site.
    """
    return replace(Site(roots=(tmp_path,)), **overrides)


def make_call(
    action: Action,
    arguments: Mapping[str, Any],
    *,
    agent_id: str = "tester",
    session_id: str = "test-session",
) -> ToolCall:
    """Make a call whose arguments are checked as those of a request are.

    The arguments pass through JSON text first, so a test cannot send what no agent
    could: a tuple arrives as an array, bytes do not arrive at all.

    Args:
        action: The action to call.
        arguments: Its arguments as JSON.
        agent_id: Who calls.
        session_id: In which session.

    Returns:
        The call, with references to secrets left as they are.

    Raises:
        InvalidRequest: An argument is unknown, missing or of the wrong type; the
            details name each field, without its value.
    """
    try:
        checked = action.arguments.model_validate_json(json.dumps(arguments))
    except ValidationError as error:
        details = tuple(
            FieldError(".".join(map(str, ("tool_args", *item["loc"]))), item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        )
        message = "; ".join(f"{detail.field}: {detail.message}" for detail in details)
        raise InvalidRequest(message, details=details) from None
    return ToolCall(
        tool_name=action.name,
        arguments=checked,
        agent_id=agent_id,
        session_id=session_id,
    )
