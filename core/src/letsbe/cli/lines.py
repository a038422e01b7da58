"""Tool calls as text: the arguments of a command line, and lines of JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    JsonValue,
    TypeAdapter,
    ValidationError,
)

from letsbe.errors import LetsBeError
from letsbe.wrapper.requests import (
    AgentName,
    Identifier,
    ToolRequest,
    field_errors,
    invalid,
)

_ARGUMENTS: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class Line(BaseModel):
    """One line of ``--jsonl``."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    id: str | int | None = None
    tool_name: Identifier
    tool_args: dict[str, JsonValue] = {}
    agent_id: AgentName | None = None
    session_id: Identifier | None = None


class ParsedLine(NamedTuple):
    """A line that was read: a request, or what is wrong with it."""

    id: str | int | None
    request: ToolRequest | None
    agent_id: str | None
    error: LetsBeError


_NO_ERROR = LetsBeError("")


def parse_line(line: bytes, session: str) -> ParsedLine:
    """Read one line of JSON.

    Args:
        line: UTF-8.
        session: The session of lines that name none.
    """
    try:
        read = Line.model_validate_json(line)
    except ValidationError as error:
        problem = invalid("the line is not a call", field_errors(error))
        return ParsedLine(_id_of(line), None, None, problem)
    request = ToolRequest(
        session_id=read.session_id or session,
        tool_name=read.tool_name,
        tool_args=read.tool_args,
    )
    return ParsedLine(read.id, request, read.agent_id, _NO_ERROR)


def request_of(tool: str, arguments: bytes, session: str) -> ToolRequest:
    """Make a request from a command line.

    Raises:
        InvalidRequest: The arguments are not a JSON object.
    """
    try:
        parsed = _ARGUMENTS.validate_json(arguments, strict=True)
        return ToolRequest(session_id=session, tool_name=tool, tool_args=parsed)
    except ValidationError as error:
        details = field_errors(error)
        raise invalid("TOOL or JSON is not of the right form", details) from None


def _id_of(line: bytes) -> str | int | None:
    """The id of a line that is wrong elsewhere, so that its answer can be told."""
    try:
        value: Any = TypeAdapter(dict[str, Any]).validate_json(line).get("id")
    except ValidationError:
        return None
    return value if isinstance(value, str | int) else None
