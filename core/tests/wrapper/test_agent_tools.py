"""What an agent is offered, and that every way to call a tool is the same call."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from letsbe.discovery.records import Kind, PluginRecord
from letsbe.discovery.records import Status as RecordStatus
from letsbe.errors import InvalidRequest, LetsBeError, NotFound, UnknownTool
from letsbe.plugin import Action, Arguments, Example, Tier
from letsbe.plugin._offers import Offer
from letsbe.wrapper.agent_tools import AgentTools
from letsbe.wrapper.answers import Answer, Status
from letsbe.wrapper.requests import RequestContext, ToolRequest
from letsbe.wrapper.schemas import compact_schema

pytestmark = pytest.mark.anyio


class ListArguments(Arguments):
    """Which folder to list."""

    folder: str
    """The folder, from the
    top."""
    limit: int | None = Field(None, ge=1)
    """The most to list."""
    title: str | None = None
    env_refs: dict[str, str] = Field(default_factory=dict)


def offer(name: str, kind: Kind = Kind.TOOL, tier: Tier = Tier.GREEN) -> Offer:
    examples = (Example({"folder": "/"}, tier),)
    action = Action(name, f"About {name}.", ListArguments, tier=tier, examples=examples)
    record = PluginRecord(kind, "p", "test-p", "1", None, RecordStatus.ACTIVE)
    return Offer(action, object(), record)  # type: ignore[arg-type] # never called


class Calls:
    """A dispatcher that only remembers."""

    def __init__(self) -> None:
        self.requests: list[ToolRequest] = []

    async def call(self, request: ToolRequest, agent_id: str) -> Answer:
        self.requests.append(request)
        return Answer(status=Status.OK)


OPERATIONS = ("cloud.list_files", "cloud.delete_file", "blog.list_posts")


def tools(
    bench: Any, *native: str, operations: tuple[str, ...] = OPERATIONS
) -> tuple[AgentTools, Calls]:
    catalog = {"shell": offer("shell", Kind.EXECUTOR)}
    catalog |= {name: offer(name) for name in operations}
    calls = Calls()
    made = AgentTools(catalog, native, calls, bench.wrapper.approvals)  # type: ignore[arg-type]
    return made, calls


def asked(tool: str, /, **arguments: Any) -> ToolRequest:
    context = RequestContext(tool_call_id="c1", channel="telegram")
    return ToolRequest(
        session_id="s", tool_name=tool, tool_args=arguments, context=context
    )


class TestTheList:
    async def test_it_does_not_grow_with_the_number_of_adapters(
        self, bench: Any
    ) -> None:
        few, _ = tools(bench)
        many, _ = tools(bench, operations=tuple(f"cloud.do_{n}" for n in range(300)))
        names = [tool.name for tool in few.listed]
        expected = ["approval_status", "describe_tool", "shell", "use_tool"]
        assert names == expected == [tool.name for tool in many.listed]

    async def test_without_adapters_nothing_describes_them(self, bench: Any) -> None:
        made, _ = tools(bench, operations=())
        assert [t.name for t in made.listed] == ["approval_status", "shell"]

    async def test_operations_can_be_listed_natively(self, bench: Any) -> None:
        made, calls = tools(bench, "cloud.*")
        names = [tool.name for tool in made.listed]
        assert "cloud_list_files" in names
        assert "use_tool" in names  # the blog's are still called by it
        for name in ("cloud_list_files", "cloud.list_files"):
            await made.call(asked(name, folder="/"), "main")
        assert {r.tool_name for r in calls.requests} == {"cloud.list_files"}

    async def test_two_operations_of_one_safe_name_are_not_confused(
        self, bench: Any
    ) -> None:
        made, calls = tools(bench, "*", operations=("a.b_c", "a_b.c", "use.tool"))
        names = [tool.name for tool in made.listed]
        assert names.count("a_b_c") == 1
        assert "use_tool" not in names
        await made.call(asked("a_b.c", folder="/"), "main")
        assert calls.requests[0].tool_name == "a_b.c"


class TestSchemas:
    async def test_they_say_what_a_caller_needs_and_no_more(self) -> None:
        schema = compact_schema(ListArguments)
        properties = schema["properties"]
        assert properties["folder"] == {
            "type": "string",
            "description": "The folder, from the top.",
        }
        assert properties["limit"] == {
            "type": "integer",
            "minimum": 1,
            "description": "The most to list.",
        }
        assert properties["title"] == {"type": "string"}  # a field of that name stays
        assert schema["additionalProperties"] is False
        assert schema["required"] == ["folder"]
        assert "env_refs" in properties


class TestCalls:
    async def test_use_tool_is_the_operations_own_call(self, bench: Any) -> None:
        made, calls = tools(bench)
        arguments = {"folder": "/", "env_refs": {"A": "b"}}
        await made.call(
            asked("use_tool", tool="cloud.list_files", arguments=arguments), "main"
        )
        (request,) = calls.requests
        assert request.tool_name == "cloud.list_files"
        assert request.tool_args == arguments
        assert request.context.tool_call_id == "c1"
        assert request.context.channel == "telegram"

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"tool": "cloud.nothing"}, UnknownTool),
            ({"tool": "use_tool"}, UnknownTool),
            ({}, InvalidRequest),
            ({"tool": "cloud.list_files", "more": 1}, InvalidRequest),
        ],
    )
    async def test_a_wrong_use_says_what_is_wrong(
        self, bench: Any, arguments: dict[str, Any], error: type[LetsBeError]
    ) -> None:
        made, calls = tools(bench)
        with pytest.raises(error):
            await made.call(asked("use_tool", **arguments), "main")
        assert not calls.requests

    async def test_operations_are_found_and_described(self, bench: Any) -> None:
        made, _ = tools(bench)
        found = await made.call(asked("describe_tool", search="POSTS"), "main")
        assert found.output == {"tools": {"blog.list_posts": "About blog.list_posts."}}
        told = await made.call(asked("describe_tool", tool="blog.list_posts"), "main")
        assert told.output["arguments"]["required"] == ["folder"]
        assert told.output["examples"] == [{"folder": "/"}]
        with pytest.raises(UnknownTool):
            await made.call(asked("describe_tool", tool="blog.nothing"), "main")

    async def test_a_long_list_says_how_much_it_left_out(self, bench: Any) -> None:
        made, _ = tools(bench, operations=tuple(f"cloud.do_{n}" for n in range(300)))
        found = await made.call(asked("describe_tool"), "main")
        assert len(found.output["tools"]) == 200
        assert found.output["left_out"].startswith("100 more")


class TestApprovalStatus:
    async def test_an_agent_sees_its_own_approvals_alone(self, bench: Any) -> None:
        waiting = await bench.call(tier="RED", text="mine")
        made = bench.wrapper.tools
        one = asked("approval_status", approval_id=waiting.approval_id)
        assert (await made.call(one, "main")).output["state"] == "pending"
        with pytest.raises(NotFound):
            await made.call(one, "marketing")
        listed = await made.call(asked("approval_status"), "main")
        assert len(listed.output["approvals"]) == 1
        others = await made.call(asked("approval_status"), "marketing")
        assert others.output["approvals"] == []

    async def test_it_tells_the_outcome_without_the_secret(self, bench: Any) -> None:
        bench.provide()
        waiting = await bench.call(tier="RED", text="SECRET_REF(token)")
        await bench.wrapper.dispatcher.approve(waiting.approval_id, "ann", "go on")
        one = asked("approval_status", approval_id=waiting.approval_id)
        told = await bench.wrapper.tools.call(one, "main")
        assert told.output["state"] == "done"
        assert told.output["reason"] == "go on"
        assert told.output["answer"]["output"]["said"] == "SECRET_REF(token)"
        assert bench.canary not in told.model_dump_json()
