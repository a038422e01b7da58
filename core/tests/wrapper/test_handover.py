"""One agent gives another a task: who may, how deep, how often, and what comes back."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from letsbe.errors import AgentUnavailable
from letsbe.wrapper.answers import Answer
from letsbe.wrapper.chat import handover
from letsbe.wrapper.chat.records import Records
from letsbe.wrapper.chat.relay import Relay
from letsbe.wrapper.dispatch import Dispatcher
from letsbe.wrapper.requests import RequestContext, ToolRequest
from letsbe.wrapper.tokens import create_agent_token

pytestmark = pytest.mark.anyio

Ask = Callable[..., Any]


class Agents:
    """A gateway whose agents do what the test says, in their sessions."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.ended: list[str] = []
        self.work: Callable[[str, str], Any] | None = None

    async def reply(
        self, agent: str, conversation: str, message: str
    ) -> AsyncGenerator[str, None]:
        self.heard.append((agent, conversation, message))
        try:
            if message.endswith("fail"):
                raise AgentUnavailable("the agent's turn failed")
            while message.endswith("forever"):
                await anyio.sleep(0.005)
            if self.work is not None:
                session = f"agent:{agent}:openai-user:{conversation}"
                yield json.dumps(await self.work(agent, session))
            else:
                yield f"{agent} did it"
        finally:
            self.ended.append(agent)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def agents() -> Agents:
    return Agents()


@pytest.fixture
async def ask(bench: Any, agents: Agents) -> AsyncIterator[Ask]:
    """Call ask_agent on a wrapper whose relay is served."""
    for name in ("sales", "secretary"):
        create_agent_token(bench.home, name)
    bench.home.tenant.write_text("{}")
    relay = Relay(agents, bench.wrapper.pipeline, Records(bench.database))  # type: ignore[arg-type]
    ids = lambda: ("main", "marketing", "sales", "secretary")  # noqa: E731
    offer = handover.Handovers(relay, ids, 8).offer
    dispatcher: Dispatcher = bench.wrapper.dispatcher
    dispatcher._catalog = {handover.ASK: offer}

    async def call(
        agent: str, asked: str, session: str = "s", by: str = "main", **arguments: Any
    ) -> Answer:
        sent = ToolRequest(
            session_id=session,
            tool_name=handover.ASK,
            tool_args={"agent": agent, "task": asked, **arguments},
            context=RequestContext(tool_call_id=None),
        )
        return await dispatcher.call(sent, by)

    async with relay.running():
        yield call


async def test_the_other_agent_does_it_and_its_words_come_back(
    ask: Ask, agents: Agents, bench: Any
) -> None:
    answer = await ask("marketing", "Write a line.")
    assert answer.status == "ok"
    assert answer.tier == "YELLOW"
    assert answer.output == {
        "agent": "marketing",
        "state": "done",
        "said": "marketing did it",
    }
    agent, conversation, message = agents.heard[0]
    assert agent == "marketing"
    assert "main is an agent like you and not the owner" in message
    assert message.endswith("\n\nWrite a line.")
    rows = bench.wrapper.audit.query()
    assert [row.kind for row in rows] == ["intent", "outcome"]
    assert rows[0].detail["arguments"]["agent"] == "marketing"
    await ask("marketing", "And another.")
    await ask("marketing", "Elsewhere.", session="other")
    again, elsewhere = agents.heard[1][1], agents.heard[2][1]
    assert again == conversation  # it remembers what it was asked before
    assert elsewhere != conversation


@pytest.mark.parametrize("agent", ["main", "nobody"])
async def test_only_another_agent_that_is_there_can_be_asked(
    ask: Ask, agents: Agents, agent: str
) -> None:
    answer = await ask(agent, "x")
    assert answer.status == "denied" or answer.status == "error"
    assert "marketing, sales, secretary" in answer.alternative
    assert agents.heard == []


async def test_nobody_asks_in_a_circle_or_ever_deeper(ask: Ask, agents: Agents) -> None:
    found: list[Answer] = []

    async def work(agent: str, session: str) -> Any:
        if agent == "marketing":
            found.append(await ask("main", "back", session, by=agent))
            found.append(await ask("sales", "on", session, by=agent))
        if agent == "sales":
            found.append(await ask("secretary", "deeper", session, by=agent))
            found.append(await ask("main", "by mcp", "mcp:sales", by=agent))
        return "said"

    agents.work = work
    answer = await ask("marketing", "begin")
    assert answer.status == "ok"
    back, deeper, by_mcp, on = found
    assert "waits for this work itself: main asks marketing" in str(back.reason)
    assert on.status == "ok"
    assert "3 agents wait for one another already" in str(deeper.reason)
    assert "waits for this work itself" in str(by_mcp.reason)
    # What is over binds nobody: the same agents may be asked again.
    agents.work = None
    session = f"agent:marketing:openai-user:{agents.heard[0][1]}"
    assert (await ask("main", "later", session, by="marketing")).status == "ok"


async def test_tasks_are_counted(
    ask: Ask, agents: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "MOST_TASKS", 2)
    for _ in range(2):
        assert (await ask("sales", "x")).status == "ok"
    answer = await ask("sales", "x")
    assert answer.code == "busy"
    assert (await ask("sales", "x", by="marketing")).status == "ok"


async def test_long_work_is_waited_for_in_parts(
    ask: Ask, agents: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "SPARE_SECONDS", 119.9)
    answer = await ask("sales", "forever")
    assert answer.output["state"] == "working"
    assert (await ask("sales", "more")).code == "conflict"
    answer = await ask("sales", None)
    assert answer.output["state"] == "working"


async def test_a_turn_that_fails_is_told(ask: Ask) -> None:
    answer = await ask("sales", "fail")
    assert answer.status == "error"
    assert "turn failed" in answer.reason


async def test_without_a_task_there_has_to_be_one_before(ask: Ask) -> None:
    assert (await ask("sales", None)).code == "not_found"


async def test_a_command_line_has_no_agents_to_ask(bench: Any) -> None:
    relay = Relay(Agents(), bench.wrapper.pipeline, Records(bench.database))  # type: ignore[arg-type]
    with pytest.raises(AgentUnavailable, match="running server"):
        relay.send("main", "c", "hi")
