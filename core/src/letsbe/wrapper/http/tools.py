"""Tool calls and the list of tools."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from letsbe.errors import InvalidRequest
from letsbe.plugin import Action
from letsbe.wrapper.answers import Answer
from letsbe.wrapper.http.endpoints import Endpoint, Exchange, answered, read_body
from letsbe.wrapper.requests import ToolRequest, parse_request
from letsbe.wrapper.tokens import Role

CALLERS = frozenset({Role.AGENT, Role.RUNTIME})


class Tool(BaseModel):
    """One tool that can be called."""

    name: str
    summary: str
    tier: str
    """The lowest tier a call of it can have."""
    external: bool
    idempotent: bool
    arguments: dict[str, Any]
    """The JSON schema of its arguments."""

    @classmethod
    def of(cls, action: Action) -> Tool:
        """Describe an action."""
        return cls(
            name=action.name,
            summary=action.summary,
            tier=str(action.tier),
            external=action.external,
            idempotent=action.idempotent,
            arguments=action.arguments.model_json_schema(),
        )


class Tools(BaseModel):
    """The tools there are, by name."""

    tools: list[Tool]


async def execute(exchange: Exchange) -> Response:
    """Answer one tool call."""
    request = parse_request(await read_body(exchange.request))
    assert exchange.caller is not None
    agent_id = exchange.caller.agent_id or request.agent_id
    if agent_id is None:
        message = "agent_id is missing: this token does not belong to one agent"
        raise InvalidRequest(message)
    return answered(await exchange.wrapper.dispatcher.call(request, agent_id))


async def list_tools(exchange: Exchange) -> Response:
    """List the tools, in a stable order."""
    catalog = exchange.wrapper.plugins.catalog
    tools = [Tool.of(catalog[name].action) for name in sorted(catalog)]
    return answered(Tools(tools=tools))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/tools/execute",
        execute,
        CALLERS,
        "Call a tool",
        body=ToolRequest,
        answer=Answer,
    ),
    Endpoint(
        "GET",
        "/api/v1/tools",
        list_tools,
        CALLERS | {Role.OPERATOR},
        "List the tools",
        answer=Tools,
    ),
)
