"""A real OpenClaw whose tools come by MCP: the route that needs no JavaScript."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.openclaw import tenant as tenants
from tests.openclaw.gateway import State, running
from tests.openclaw.runtime import Runtime
from tests.openclaw.scripted_llm import Reply, ScriptedLlm, ToolUse
from tests.openclaw.stage import Stage


@pytest.fixture(scope="module")
def stage(
    runtime: Runtime,
    llm: ScriptedLlm,
    new_state: Callable[[str], State],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    state = new_state("mcp")
    tenant = tenants.make(tmp_path_factory.mktemp("mcp-tenant"), llm.address)
    with (
        tenants.running(tenant),
        running(runtime, state, tenants.by_mcp(state, tenant)) as gateway,
    ):
        yield Stage(gateway, tenant, llm)


def test_each_agent_calls_as_itself_and_by_its_own_server_alone(stage: Stage) -> None:
    for agent, other in (("main", "marketing"), ("marketing", "main")):
        use = ToolUse(f"lb-{agent}__shell", {"command": f"echo {agent}"})
        stolen = ToolUse(f"lb-{other}__shell", {"command": "echo stolen"})
        script = stage.turn(Reply(calls=(use, stolen)), agent=agent)
        own, others = script.requests[-1].results
        assert json.loads(own)["output"]["stdout"] == f"{agent}\n"
        assert "not found" in others
        assert all(
            name.startswith(f"lb-{agent}__") for name in script.requests[0].tools
        )
    rows = stage.tenant.audit(kind="intent")
    lines = [(row["agent_id"], row["detail"]["arguments"]["command"]) for row in rows]
    assert lines == [("main", "echo main"), ("marketing", "echo marketing")]


def test_the_prompt_has_few_tools_and_is_small(stage: Stage) -> None:
    script = stage.turn(conversation=uuid.uuid4().hex)
    names = [name.partition("__")[2] for name in script.requests[0].tools]
    assert "shell" in names
    assert len(names) <= 12
    assert len(script.requests[0].body) <= 30_000


def test_a_denial_and_an_approval_are_read_as_results(stage: Stage) -> None:
    denied = json.loads(stage.call("lb-main__file_read", path="/etc/shadow"))
    assert denied["status"] == "denied"
    (stage.tenant.work / "old.txt").write_text("old")
    waits = json.loads(stage.call("lb-main__shell", command="rm old.txt"))
    assert waits["status"] == "pending_approval"
    place = f"/api/v1/approvals/{waits['approval_id']}/approve"
    stage.tenant.ask("POST", place)
    told = stage.call("lb-main__approval_status", approval_id=waits["approval_id"])
    assert json.loads(told)["output"]["state"] == "done"
    assert not (stage.tenant.work / "old.txt").exists()


def test_a_native_tool_does_not_run(stage: Stage, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    assert "not found" in stage.call("exec", command=f"touch {canary}")
    assert not canary.exists()
