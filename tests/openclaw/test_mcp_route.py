"""A real OpenClaw whose tools come by MCP: the route that needs no JavaScript."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from tests.openclaw.configured import Cafe
from tests.openclaw.gateway import Gateway
from tests.openclaw.scripted_llm import Reply, ScriptedLlm, ToolUse
from tests.openclaw.stage import Stage


@pytest.fixture
def stage(gateway: Gateway, cafe: Cafe, llm: ScriptedLlm) -> Stage:
    return Stage(gateway, cafe.tenant, llm, agent="it-admin")


def test_each_agent_calls_as_itself_and_by_its_own_server_alone(stage: Stage) -> None:
    for agent, other in (("it-admin", "sales"), ("sales", "it-admin")):
        note = stage.tenant.work / f"for-{agent}.txt"
        note.write_text(agent)
        use = ToolUse(f"sw-{agent}__file_read", {"path": str(note)})
        stolen = ToolUse(f"sw-{other}__file_read", {"path": str(note)})
        script = stage.turn(Reply(calls=(use, stolen)), agent=agent)
        own, others = script.requests[-1].results
        assert json.loads(own)["output"]["content"] == agent
        assert "not found" in others
        assert all(
            name.startswith(f"sw-{agent}__") for name in script.requests[0].tools
        )
        rows = stage.tenant.audit(kind="intent")
        mine = [r for r in rows if r["detail"]["arguments"].get("path") == str(note)]
        assert [row["agent_id"] for row in mine] == [agent]


def test_the_prompt_has_few_tools_and_is_small(stage: Stage) -> None:
    script = stage.turn(conversation=uuid.uuid4().hex)
    names = [name.partition("__")[2] for name in script.requests[0].tools]
    assert "shell" in names
    assert len(names) <= 12
    assert len(script.requests[0].body) <= 30_000


def test_a_denial_and_an_approval_are_read_as_results(stage: Stage) -> None:
    denied = json.loads(stage.call("sw-it-admin__file_read", path="/etc/shadow"))
    assert denied["status"] == "denied"
    (stage.tenant.work / "old.txt").write_text("old")
    waits = json.loads(stage.call("sw-it-admin__shell", command="rm old.txt"))
    assert waits["status"] == "pending_approval"
    place = f"/api/v1/approvals/{waits['approval_id']}/approve"
    stage.tenant.ask("POST", place)
    told = stage.call("sw-it-admin__approval_status", approval_id=waits["approval_id"])
    assert json.loads(told)["output"]["state"] == "done"
    assert not (stage.tenant.work / "old.txt").exists()


def test_a_native_tool_does_not_run(stage: Stage, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    assert "not found" in stage.call("exec", command=f"touch {canary}")
    assert not canary.exists()


def test_an_abort_ends_the_call_that_the_agent_waits_for(stage: Stage) -> None:
    """OpenClaw's MCP client says that it cancels; the wrapper ends the program."""
    use = ToolUse("sw-it-admin__shell", {"command": "sleep 100.25"})
    ended = stage.abort_during(use, "100.25")
    assert ended["detail"]["code"] == "cancelled"
    assert ended["detail"]["seconds"] < 90


def test_the_dispatcher_has_work_done_by_another(stage: Stage) -> None:
    note = stage.tenant.work / "boxes.txt"
    note.write_text("three boxes")
    look = Reply(calls=(ToolUse("sw-it-admin__file_read", {"path": str(note)}),))
    with stage.llm.script(look, Reply("There are three.")) as other:
        task = {"agent": "it-admin", "task": f"Count the boxes. {other.mark}"}
        ask = Reply(calls=(ToolUse("sw-dispatcher__ask_agent", task),))
        script = stage.turn(ask, agent="dispatcher")
    answer = json.loads(script.requests[-1].results[-1])
    assert answer["output"]["said"] == "There are three."
    assert "sw-dispatcher__ask_agent" in script.requests[0].tools
    assert "three boxes" in other.requests[-1].results[-1]
    refused = json.loads(
        stage.call("sw-it-admin__ask_agent", agent="it-admin", task="x")
    )
    assert refused["status"] == "denied"
