"""Agents of a real OpenClaw hand work to each other, by the bridge."""

from __future__ import annotations

import json
import uuid

from tests.openclaw.scripted_llm import Reply, ToolUse
from tests.openclaw.stage import DONE, Stage


def ask(agent: str, task: str) -> Reply:
    use = ToolUse("letsbe_ask_agent", {"agent": agent, "task": task})
    return Reply(calls=(use,))


def test_another_agent_does_it_with_its_own_tools(stage: Stage) -> None:
    conversation = uuid.uuid4().hex
    for word in ("first", "second"):
        run = Reply(calls=(ToolUse("letsbe_shell", {"command": f"echo {word}"}),))
        with stage.llm.script(run, Reply(f"{word} is done.")) as other:
            task = ask("marketing", f"Do the {word}. {other.mark}")
            script = stage.turn(task, conversation=conversation)
        answer = json.loads(script.requests[-1].results[-1])
        assert answer["output"] == {
            "agent": "marketing",
            "state": "done",
            "said": f"{word} is done.",
        }
        assert "main is an agent like you and not the owner" in other.requests[0].text
        assert json.loads(other.requests[1].results[-1])["status"] == "ok"
    assert "Do the first." in other.requests[0].text  # it remembers
    rows = stage.tenant.audit(kind="intent", agent_id="marketing", tool_name="shell")
    assert rows[-1]["detail"]["arguments"]["command"] == "echo second"
    asked = stage.tenant.audit(kind="intent", tool_name="ask_agent")
    assert (asked[-1]["agent_id"], asked[-1]["tier"]) == ("main", "YELLOW")


def test_an_agent_that_was_asked_cannot_ask_back(stage: Stage) -> None:
    with stage.llm.script(ask("main", "You do it."), Reply("I cannot.")) as other:
        script = stage.turn(ask("marketing", f"Do it. {other.mark}"))
    refused = json.loads(other.requests[-1].results[-1])
    assert refused["status"] == "denied"
    assert "main asks marketing" in refused["reason"]
    assert json.loads(script.requests[-1].results[-1])["output"]["said"] == "I cannot."


def test_an_abort_ends_the_work_of_both(stage: Stage) -> None:
    sleep = Reply(calls=(ToolUse("letsbe_shell", {"command": "sleep 100.5"}),))
    with stage.llm.script(sleep, DONE) as other:
        task = {"agent": "marketing", "task": f"Wait. {other.mark}"}
        use = ToolUse("letsbe_ask_agent", task)
        # The mark is the command of the one that was asked: its call has begun then.
        ended = stage.abort_during(use, "sleep 100.5")
    assert ended["detail"]["code"] == "cancelled"
    assert ended["agent_id"] == "marketing"
    assert stage.row("outcome", "cancelled", tool_name="ask_agent")
