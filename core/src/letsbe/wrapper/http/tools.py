"""Tool calls and the list of tools."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from letsbe.plugin import Action
from letsbe.wrapper.agent_tools import AgentTool
from letsbe.wrapper.answers import Answer
from letsbe.wrapper.http.endpoints import (
    Body,
    Endpoint,
    Exchange,
    answered,
    parsed,
    read_body,
)
from letsbe.wrapper.requests import (
    AgentName,
    Identifier,
    ToolRequest,
    parse_request,
)
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


class AgentToolList(BaseModel):
    """The tools as agents are offered them, in the order of their names."""

    tools: list[AgentTool]


class CancelBody(Body):
    """Which call to end."""

    session_id: Identifier
    """The session that it was made in."""
    agent_id: AgentName | None = None
    """Whose it is, where the token does not say so."""
    tool_call_id: Identifier
    """Its id."""


class Cancelled(BaseModel):
    """Whether a call was ended."""

    cancelled: bool
    """False: no such call is under way; it has ended, or never began."""


async def execute(exchange: Exchange) -> Response:
    """Answer one tool call."""
    request = parse_request(await read_body(exchange.request))
    agent_id = exchange.agent(request.agent_id)
    return answered(await exchange.wrapper.tools.call(request, agent_id))


async def cancel(exchange: Exchange) -> Response:
    """End a call that runs, with all that it started."""
    body = await parsed(exchange.request, CancelBody)
    place = (exchange.agent(body.agent_id), body.session_id, body.tool_call_id)
    return answered(Cancelled(cancelled=exchange.wrapper.cancellations.cancel(place)))


async def list_tools(exchange: Exchange) -> Response:
    """List the tools, in a stable order."""
    catalog = exchange.wrapper.catalog
    tools = [Tool.of(catalog[name].action) for name in sorted(catalog)]
    return answered(Tools(tools=tools))


async def list_agent_tools(exchange: Exchange) -> Response:
    """List the few tools that an agent's prompt should carry."""
    return answered(AgentToolList(tools=list(exchange.wrapper.tools.listed)))


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
    Endpoint(
        "GET",
        "/api/v1/tools/listed",
        list_agent_tools,
        CALLERS | {Role.OPERATOR},
        "List the tools that an agent's prompt carries",
        answer=AgentToolList,
    ),
    Endpoint(
        "POST",
        "/api/v1/tools/cancel",
        cancel,
        CALLERS,
        "End a call that runs",
        body=CancelBody,
        answer=Cancelled,
    ),
)
