"""The tools as an agent is offered them: few, however many adapters there are.

Every request to an LLM carries the schemas of all tools. So executors' actions are
listed as they are, and adapters' operations are found by ``describe_tool`` and called
by ``use_tool``, but for those that the configuration lists natively. A call by either
way is the same call: it is turned into the operation's own before anything looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from letsbe.discovery.records import Kind
from letsbe.errors import NotFound, UnknownTool
from letsbe.plugin import Arguments
from letsbe.plugin._offers import Offer
from letsbe.policy.tiers import Tier
from letsbe.wrapper.answers import Answer, Status
from letsbe.wrapper.approvals import Approval, Approvals
from letsbe.wrapper.dispatch import Dispatcher
from letsbe.wrapper.requests import ToolRequest, field_errors, invalid
from letsbe.wrapper.schemas import compact_schema

DESCRIBE, USE, STATUS = "describe_tool", "use_tool", "approval_status"
MOST_DESCRIBED = 200
"""The most operations that one answer names."""
MOST_APPROVALS = 20
"""The most approvals that one answer tells of."""

Model = TypeVar("Model", bound=Arguments)


class DescribeArguments(Arguments):
    """Which tools to describe."""

    tool: str | None = None
    """An operation such as nextcloud.list_files: answers with its arguments."""
    search: str | None = None
    """A word of the name or summary: answers with the operations that have it."""


class UseArguments(Arguments):
    """One call of an operation."""

    tool: Annotated[str, Field(min_length=1, max_length=256)]
    """The operation, as describe_tool names it."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Its arguments, as describe_tool describes them. secret_refs and env_refs work
    here as in any tool."""


class StatusArguments(Arguments):
    """Which approvals to tell of."""

    approval_id: str | None = None
    """The id that pending_approval gave; left out: your latest approvals."""


class AgentTool(BaseModel):
    """One tool as an LLM is offered it."""

    name: str
    """Of letters, digits, dashes and underscores, as every LLM's API wants it."""
    tool: str
    """What a call names."""
    description: str
    parameters: dict[str, Any]
    """The JSON schema of its arguments."""
    destructive: bool = False
    """Whether no call of it is anything less than destructive."""
    external: bool = False
    """Whether every call of it reaches the outside."""
    idempotent: bool = False
    """Whether calling it twice does no more than calling it once."""

    @classmethod
    def of(cls, offer: Offer) -> AgentTool:
        """Offer an action."""
        action = offer.action
        return cls(
            name=safe_name(action.name),
            tool=action.name,
            description=action.summary,
            parameters=compact_schema(action.arguments),
            destructive=action.tier >= Tier.RED,
            external=action.external,
            idempotent=action.idempotent,
        )


def safe_name(tool: str) -> str:
    """Return a tool's name in the letters that every LLM's API takes."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", tool)


def hidden(catalog: Mapping[str, Offer], native: tuple[str, ...]) -> dict[str, Offer]:
    """Return the operations that are not listed, but found and called by name."""
    return {
        name: offer
        for name, offer in sorted(catalog.items())
        if offer.record.kind is Kind.TOOL
        and not any(fnmatchcase(name, pattern) for pattern in native)
    }


def listed(
    catalog: Mapping[str, Offer], native: tuple[str, ...]
) -> tuple[AgentTool, ...]:
    """Return the tools that a prompt carries, in a stable order.

    Args:
        catalog: What the active plugins offer, by tool name.
        native: The operations to list as tools of their own: names, or ``prefix.*``.
    """
    behind = hidden(catalog, native)
    found = {
        STATUS: _own_tool(
            STATUS,
            "Say what became of a call that waits for a person.",
            StatusArguments,
        )
    }
    if behind:
        names = sorted({name.partition(".")[0] for name in behind})
        about = f"Find operations of {', '.join(names)}, and see their arguments."
        found[DESCRIBE] = _own_tool(DESCRIBE, about, DescribeArguments)
        about = "Call an operation that describe_tool has described."
        found[USE] = _own_tool(USE, about, UseArguments)
    taken = {USE, DESCRIBE, STATUS}
    for name, offer in sorted(catalog.items()):
        # Two operations whose names differ only in dots cannot both be listed.
        if name not in behind and safe_name(name) not in taken:
            taken.add(safe_name(name))
            found[safe_name(name)] = AgentTool.of(offer)
    return tuple(found[name] for name in sorted(found))


class AgentTools:
    """What agents are offered, and their calls.

    Args:
        catalog: What the active plugins offer, by tool name.
        native: The operations to list as tools of their own: names, or ``prefix.*``.
        dispatcher: Takes the calls.
        approvals: The calls that wait for a person.
    """

    def __init__(
        self,
        catalog: Mapping[str, Offer],
        native: tuple[str, ...],
        dispatcher: Dispatcher,
        approvals: Approvals,
    ) -> None:
        self._catalog = catalog
        self._dispatcher = dispatcher
        self._approvals = approvals
        self._own: dict[str, Callable[[ToolRequest, str], Answer]] = {
            DESCRIBE: self._describe,
            STATUS: self._status,
        }
        self._hidden = hidden(catalog, native)
        self.listed = listed(catalog, native)
        """The tools, in a stable order."""
        self._named = {tool.name: tool.tool for tool in self.listed}

    async def call(self, request: ToolRequest, agent_id: str) -> Answer:
        """Answer one tool call of an agent.

        Args:
            request: The request, its own form checked.
            agent_id: Who calls, as the token says.

        Raises:
            LetsBeError: As :meth:`Dispatcher.call`.
        """
        own = self._own.get(request.tool_name)
        if own is not None:
            return own(request, agent_id)
        return await self._dispatcher.call(self._unfolded(request), agent_id)

    def _unfolded(self, request: ToolRequest) -> ToolRequest:
        """Turn a call by another name into the call that it means."""
        if request.tool_name != USE:
            name = self._named.get(request.tool_name, request.tool_name)
            if name == request.tool_name or request.tool_name in self._catalog:
                return request
            return request.model_copy(update={"tool_name": name})
        asked = _checked(UseArguments, request)
        if asked.tool not in self._catalog:
            raise _unknown()
        return request.model_copy(
            update={"tool_name": asked.tool, "tool_args": dict(asked.arguments)}
        )

    def _describe(self, request: ToolRequest, _: str) -> Answer:
        asked = _checked(DescribeArguments, request)
        if asked.tool is not None:
            offer = self._catalog.get(asked.tool)
            if offer is None:
                raise _unknown()
            return Answer(status=Status.OK, output=_described(offer))
        word = (asked.search or "").casefold()
        found = {
            name: offer.action.summary
            for name, offer in self._hidden.items()
            if word in f"{name} {offer.action.summary}".casefold()
        }
        left_out = len(found) - MOST_DESCRIBED
        output: dict[str, Any] = {"tools": dict(list(found.items())[:MOST_DESCRIBED])}
        if left_out > 0:
            output["left_out"] = f"{left_out} more: give a search that finds fewer"
        return Answer(status=Status.OK, output=output)

    def _status(self, request: ToolRequest, agent_id: str) -> Answer:
        asked = _checked(StatusArguments, request)
        if asked.approval_id is not None:
            approval = self._approvals.get(asked.approval_id)
            if approval.agent_id != agent_id:
                raise NotFound("you have no approval of this id")
            return Answer(status=Status.OK, output=_told(approval))
        own = self._approvals.of_agent(agent_id, MOST_APPROVALS)
        return Answer(status=Status.OK, output={"approvals": [_told(a) for a in own]})


def _own_tool(name: str, description: str, model: type[Arguments]) -> AgentTool:
    return AgentTool(
        name=name,
        tool=name,
        description=description,
        parameters=compact_schema(model),
        idempotent=name != USE,
    )


def _checked(model: type[Model], request: ToolRequest) -> Model:
    try:
        return model.model_validate(request.tool_args)
    except ValidationError as error:
        summary = f"the arguments do not fit {request.tool_name}"
        raise invalid(summary, field_errors(error, "tool_args")) from None


def _unknown() -> UnknownTool:
    return UnknownTool(
        "no active plugin offers this tool",
        alternative="describe_tool lists the operations there are",
    )


def _described(offer: Offer) -> dict[str, Any]:
    action = offer.action
    return {
        "tool": action.name,
        "summary": action.summary,
        "tier": str(action.tier),
        "external": action.external,
        "arguments": compact_schema(action.arguments),
        "examples": [dict(example.arguments) for example in action.examples[:3]],
    }


def _told(approval: Approval) -> dict[str, Any]:
    """What an agent may know of its own approval."""
    told = {
        "approval_id": approval.id,
        "state": approval.state,
        "tool": approval.tool_name,
        "session_id": approval.session_id,
        "reason": approval.decision_reason,
        "answer": approval.answer,
    }
    return {key: value for key, value in told.items() if value is not None}
