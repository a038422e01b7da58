"""The request for a tool call, and the step that checks its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import to_json

from letsbe.errors import FieldError, InvalidRequest, UnknownTool
from letsbe.plugin import CallContext, ToolCall
from letsbe.plugin._offers import Offer

Identifier = Annotated[
    str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")
]
AgentName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class _Body(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class RequestContext(_Body):
    """Where a call comes from."""

    conversation_id: Identifier | None = None
    """The conversation at the runtime."""
    parent_tool_call_id: Identifier | None = None
    """The call that led to this one."""
    tool_call_id: Identifier | None = None
    """Makes the call idempotent: a retry with the same id gets the first answer."""
    channel: Identifier | None = None
    """By which channel the person's message came."""
    sender_id: Identifier | None = None
    """Whose message it was, by that channel's id."""
    sender_is_owner: bool | None = None
    """Whether the runtime holds that person to be its owner; decides nothing here."""


class ToolRequest(_Body):
    """The body of ``POST /api/v1/tools/execute``."""

    session_id: Identifier
    """The runtime's session."""
    agent_id: AgentName | None = None
    """Who calls. A token that belongs to one agent decides this by itself."""
    tool_name: Identifier
    """An executor's action or an adapter's operation."""
    tool_args: dict[str, JsonValue] = Field(default_factory=dict)
    """The arguments; the tool's schema says which."""
    context: RequestContext = RequestContext()
    """Where the call comes from."""


def field_errors(error: ValidationError, prefix: str = "") -> tuple[FieldError, ...]:
    """List what is wrong, field by field, without anything that was sent.

    Args:
        error: The validator's finding.
        prefix: The path of the validated object inside the request.
    """
    found = []
    for item in error.errors(
        include_input=False, include_url=False, include_context=False
    ):
        path = ".".join(str(part) for part in item["loc"])
        known = item["type"] != "extra_forbidden"
        text = (
            item["msg"].removeprefix("Value error, ")
            if known
            else "there is no field of this name"
        )
        found.append(FieldError(".".join(p for p in (prefix, path) if p), text))
    return tuple(found)


def parse_request(body: bytes) -> ToolRequest:
    """Read a request's body.

    Raises:
        InvalidRequest: It is not UTF-8, not JSON or not of this form.
    """
    try:
        return ToolRequest.model_validate_json(body)
    except ValidationError as error:
        raise invalid("the request's form is wrong", field_errors(error)) from None


def invalid(summary: str, details: tuple[FieldError, ...]) -> InvalidRequest:
    """Make the error for a wrong form; it names the first field in its text."""
    first = [text for d in details[:1] for text in (d.field, d.message) if text]
    return InvalidRequest(": ".join([summary, *first]), details=details)


def check_call(
    request: ToolRequest, agent_id: str, catalog: Mapping[str, Offer]
) -> tuple[ToolCall, Offer]:
    """Check a request against the tool that it names.

    Args:
        request: The request, its own form checked.
        agent_id: Who calls, as the token says.
        catalog: What the active plugins offer, by tool name.

    Returns:
        The call, and the offer it goes to.

    Raises:
        UnknownTool: No active plugin offers the tool.
        InvalidRequest: The arguments do not fit; the error names each field.
    """
    offer = catalog.get(request.tool_name)
    if offer is None:
        raise UnknownTool(
            "no active plugin offers this tool",
            alternative="GET /api/v1/tools lists the tools there are",
        )
    return bind(request, agent_id, offer, request.tool_args), offer


def bind(
    request: ToolRequest, agent_id: str, offer: Offer, arguments: Mapping[str, Any]
) -> ToolCall:
    """Make the call from arguments, checked against the action's model."""
    try:
        # Through JSON, so that strict models take lists for tuples and names for enums.
        model = offer.action.arguments.model_validate_json(to_json(dict(arguments)))
    except ValidationError as error:
        details = field_errors(error, "tool_args")
        summary = f"the arguments do not fit {offer.action.name}"
        raise invalid(summary, details) from None
    context = request.context
    return ToolCall(
        tool_name=request.tool_name,
        arguments=model,
        agent_id=agent_id,
        session_id=request.session_id,
        context=CallContext(**context.model_dump()),
    )
