"""What became of a call is told where the person reads on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from starlette.testclient import TestClient

from core.tests.wrapper.test_chat import Agent, events, say, serving
from letsbe.wrapper.chat.records import Records
from letsbe.wrapper.chat.relay import Relay
from letsbe.wrapper.requests import RequestContext, ToolRequest
from letsbe.wrapper.tokens import read_token


async def _waiting(bench: Any, conversation: str) -> str:
    """Let a call of a conversation wait for a person; return its approval."""
    asked = ToolRequest(
        session_id=f"agent:main:openai-user:{conversation}",
        tool_name="deed",
        tool_args={"tier": "RED", "text": "away with it"},
        context=RequestContext(),
    )
    answer = await bench.wrapper.dispatcher.call(asked, "main")
    assert answer.approval_id is not None
    return str(answer.approval_id)


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def client(bench: Any, agent: Agent) -> Iterator[TestClient]:
    with serving(bench, agent) as served:
        yield served


class TestOutcomes:
    @pytest.fixture
    def token(self, bench: Any) -> dict[str, str]:
        made = read_token(bench.home.agent_tokens / "main")
        return {"authorization": f"Bearer {made}"}

    def tell(self, client: TestClient, approval: str, token: dict[str, str]) -> Any:
        return client.post(f"/api/v1/approvals/{approval}/tell", headers=token)

    def test_it_is_a_turn_of_the_conversation(
        self, client: TestClient, agent: Agent, bench: Any, token: dict[str, str]
    ) -> None:
        say(client, "go", conversation_id="C1")
        approval = anyio.run(_waiting, bench, "c1")
        assert self.tell(client, approval, token).status_code == 409
        client.post(f"/api/v1/approvals/{approval}/approve", json={"reason": "do"})
        assert self.tell(client, approval, token).json()["told"] is True
        assert self.tell(client, approval, token).json()["told"] is True
        now = say(client, "and now?", conversation_id="C1")
        headers = {"last-event-id": events(now.text)[-1][0]}
        again = client.get("/api/v1/chat/C1/events?agent_id=main", headers=headers)
        assert again.text == ""
        said = [text for _, _, text in agent.heard]
        assert [said[0], said[-1], len(said)] == ["go", "and now?", 3]
        about = f"[LetsBe] The call of deed that waited as {approval} was approved"
        assert said[1].startswith(about)
        assert "The person said: do" in said[1]
        whole = client.get("/api/v1/chat/C1/events?agent_id=main").text
        assert about in whole

    def test_elsewhere_whoever_asked_tells_it(
        self, client: TestClient, agent: Agent, bench: Any, token: dict[str, str]
    ) -> None:
        approval = anyio.run(_waiting, bench, "not-here")
        client.post(f"/api/v1/approvals/{approval}/deny", json={"reason": "not today"})
        told = self.tell(client, approval, token).json()
        assert told["told"] is False
        assert told["text"].endswith(
            "was denied. The person said: not today Do not try it another way."
        )
        assert agent.heard == []

    def test_another_agents_call_is_not_told(
        self, client: TestClient, bench: Any
    ) -> None:
        approval = anyio.run(_waiting, bench, "c1")
        bearer = read_token(bench.home.agent_tokens / "marketing")
        other = {"authorization": f"Bearer {bearer}"}
        assert self.tell(client, approval, other).status_code == 404
        assert self.tell(client, "apr_none", other).status_code == 404
        assert self.tell(client, approval, dict(client.headers)).status_code == 403

    @pytest.mark.anyio
    async def test_who_stays_hears_of_it(self, bench: Any, agent: Agent) -> None:
        relay = Relay(agent, bench.wrapper.pipeline, Records(bench.database))  # type: ignore[arg-type]
        heard: list[str] = []

        async def stay() -> None:
            followed = relay.follow("main", "c1", None, stay=True)
            async for event in followed:
                heard.append(event.kind)  # noqa: PERF401 - while it goes on

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group, relay.running():
                relay.send("main", "c1", "one")
                group.start_soon(stay)
                while heard[-1:] != ["done"]:
                    await anyio.sleep(0.01)
                relay.send("main", "c1", "two")
                while heard.count("done") < 2:
                    await anyio.sleep(0.01)
        assert heard == ["delta", "done"] * 2
