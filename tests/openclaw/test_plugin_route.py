"""A real OpenClaw whose tools come by the bridge: calls, approvals, secrets, prompt."""

from __future__ import annotations

import json
import time
import uuid
from itertools import takewhile

import pytest

from tests.openclaw.gateway import APIS
from tests.openclaw.scripted_llm import LlmRequest, Reply, ToolUse
from tests.openclaw.stage import DONE, Stage
from tests.openclaw.tenant import SECRET


class TestCalls:
    @pytest.mark.parametrize("api", APIS)
    def test_a_call_runs_behind_the_wrapper_by_every_api(
        self, stage: Stage, api: str
    ) -> None:
        use = ToolUse("letsbe_shell", {"command": "echo hello"})
        script = stage.turn(Reply(calls=(use,)), api=api)
        answer = json.loads(script.requests[-1].results[-1])
        assert answer["status"] == "ok"
        assert answer["output"]["stdout"] == "hello\n"

    def test_the_wrapper_is_told_where_a_call_comes_from(self, stage: Stage) -> None:
        conversation = uuid.uuid4().hex
        use = ToolUse("letsbe_shell", {"command": "echo from"})
        for agent in ("main", "marketing"):
            stage.turn(Reply(calls=(use,)), conversation=conversation, agent=agent)
        rows = [
            row
            for row in stage.tenant.audit(kind="intent")
            if conversation in row["session_id"]
        ]
        assert [row["agent_id"] for row in rows] == ["main", "marketing"]
        for row in rows:
            assert row["session_id"].startswith(f"agent:{row['agent_id']}:")
            assert row["detail"]["channel"] == "webchat"
            assert row["detail"]["sender_is_owner"] is True
            assert row["detail"]["tool_call_id"]

    def test_a_denial_is_read_with_its_reason(self, stage: Stage) -> None:
        answer = json.loads(stage.call("letsbe_file_read", path="/etc/shadow"))
        assert answer["status"] == "denied"
        assert "root" in answer["reason"]

    def test_wrong_arguments_are_for_the_model_to_mend(self, stage: Stage) -> None:
        answer = stage.call("letsbe_shell", command=["echo"])
        assert "command" in answer
        assert "hello" not in answer


class TestApprovals:
    def test_a_call_waits_and_the_agent_is_told_once_it_is_decided(
        self, stage: Stage
    ) -> None:
        victim = stage.tenant.work / "old.txt"
        victim.write_text("old")
        conversation = uuid.uuid4().hex
        use = ToolUse("letsbe_shell", {"command": "rm old.txt"})
        script = stage.turn(Reply(calls=(use,)), conversation=conversation)
        answer = json.loads(script.requests[-1].results[-1])
        assert answer["status"] == "pending_approval"
        assert victim.exists()
        approval_id = answer["approval_id"]
        stage.tenant.ask("POST", f"/api/v1/approvals/{approval_id}/approve")
        assert not victim.exists()
        asking = ToolUse(
            "letsbe_approval_status", {"approval_id": answer["approval_id"]}
        )
        later = self._told(stage, answer["approval_id"])
        assert "was approved and has run" in later
        script = stage.turn(Reply(calls=(asking,)), conversation=conversation)
        assert json.loads(script.requests[-1].results[-1])["output"]["state"] == "done"

    def test_the_outcome_comes_without_the_person_speaking(self, stage: Stage) -> None:
        (stage.tenant.work / "stale.txt").write_text("stale")
        use = ToolUse("letsbe_shell", {"command": "rm stale.txt"})
        with stage.llm.script(
            Reply(calls=(use,)), DONE, Reply("It is gone.")
        ) as script:
            stage.gateway.chat(f"Tidy up. {script.mark}")
            approval_id = json.loads(script.requests[-1].results[-1])["approval_id"]
            stage.tenant.ask("POST", f"/api/v1/approvals/{approval_id}/approve")
            woken = script.wait_for(3, 30)
        assert approval_id in woken.text
        assert "was approved and has run" in woken.text

    def test_a_denial_comes_with_the_persons_reason(self, stage: Stage) -> None:
        (stage.tenant.work / "kept.txt").write_text("kept")
        use = ToolUse("letsbe_shell", {"command": "rm kept.txt"})
        script = stage.turn(Reply(calls=(use,)))
        answer = json.loads(script.requests[-1].results[-1])
        place = f"/api/v1/approvals/{answer['approval_id']}/deny"
        stage.tenant.ask("POST", place, {"reason": "it is still read"})
        later = self._told(stage, answer["approval_id"])
        assert "was denied. The person said: it is still read" in later
        assert (stage.tenant.work / "kept.txt").exists()

    @staticmethod
    def _told(stage: Stage, approval_id: str) -> str:
        """Return the request that put the outcome before the agent.

        The runtime wakes the agent for it, in a turn that is of no script.
        """
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for request in list(stage.llm.others):
                if f"waited as {approval_id}" in request.text:
                    return request.text
            time.sleep(0.1)
        raise AssertionError("the agent was not told")


class TestSecrets:
    def test_a_secret_in_a_file_never_reaches_the_llm(self, stage: Stage) -> None:
        loose = "ghp_" + "x7Kq2mVb9RtYwP4nLsD8" + "cFgH1jZaE3uT6o"
        note = stage.tenant.work / "note.txt"
        note.write_text(f"token={SECRET}\nother: {loose}\n")
        conversation = uuid.uuid4().hex
        use = ToolUse("letsbe_file_read", {"path": str(note)})
        first = stage.turn(Reply(calls=(use,)), conversation=conversation)
        second = stage.turn(conversation=conversation, said=f"It is {SECRET}.")
        sent = b"".join(r.body for r in first.requests + second.requests)
        assert SECRET.encode() not in sent
        assert loose.encode() not in sent
        assert b"SECRET_REF(cloud_token)" in sent

    def test_a_reference_still_works_in_the_third_turn(self, stage: Stage) -> None:
        """The runtime masks its own transcript; the model copies what it sees there."""
        conversation = uuid.uuid4().hex
        line = {"command": "printenv NC", "env_refs": {"NC": "cloud_token"}}
        plain = {"command": "echo SECRET_REF(cloud_token)"}

        def again(request: LlmRequest) -> Reply:
            """Copy the calls as this very request's history shows them."""
            calls = [
                ToolUse(c["function"]["name"], json.loads(c["function"]["arguments"]))
                for message in request.json["messages"]
                for c in message.get("tool_calls", [])
            ]
            return Reply(calls=tuple(calls[:2]))

        uses = (ToolUse("letsbe_shell", line), ToolUse("letsbe_shell", plain))
        stage.turn(Reply(calls=uses), conversation=conversation)
        for _ in range(2):
            script = stage.turn(again, conversation=conversation)
            for result in script.requests[-1].results[-2:]:
                answer = json.loads(result)
                assert answer["status"] == "ok", answer
                assert "SECRET_REF(cloud_token)" in answer["output"]["stdout"]
        ran = stage.tenant.audit(kind="outcome", decision="ok")
        assert len(ran) >= 6

    def test_a_mask_that_comes_back_is_refused_with_the_right_name(
        self, stage: Stage
    ) -> None:
        conversation = uuid.uuid4().hex
        url = "https://cloud.example.com/"
        header = "Authorization: Bearer SECRET_REF(cloud_token)"
        line = ToolUse("letsbe_shell", {"argv": ["echo", "-H", header, url]})
        stage.turn(Reply(calls=(line,)), conversation=conversation)

        def again(request: LlmRequest) -> Reply:
            messages = request.json["messages"]
            calls = [c for m in messages for c in m.get("tool_calls", [])]
            masked = json.loads(calls[0]["function"]["arguments"])
            assert "SECRET_REF(cloud_token)" not in json.dumps(masked)
            return Reply(calls=(ToolUse("letsbe_shell", masked),))

        script = stage.turn(again, conversation=conversation)
        answer = json.loads(script.requests[-1].results[-1])
        assert answer["status"] == "denied"
        assert answer["code"] == "masked_value"
        assert "env_refs" in json.dumps(answer)
        assert "cloud_token" in json.dumps(answer)


class TestPrompt:
    def test_the_first_request_is_small(self, stage: Stage) -> None:
        script = stage.turn(conversation=uuid.uuid4().hex)
        assert len(script.requests[0].body) <= 30_000

    def test_the_prefix_is_stable_over_ten_turns(self, stage: Stage) -> None:
        """A provider caches what begins alike; ten turns begin with the turn before."""
        conversation = uuid.uuid4().hex
        before: LlmRequest | None = None
        use = ToolUse("letsbe_shell", {"command": "echo hi"})
        for _ in range(10):
            script = stage.turn(Reply(calls=(use,)), conversation=conversation)
            for request in script.requests:
                if before is not None:
                    assert request.json["tools"] == before.json["tools"]
                    earlier, now = before.json["messages"], request.json["messages"]
                    pairs = zip(earlier, now, strict=False)
                    alike = [*takewhile(lambda pair: pair[0] == pair[1], pairs)]
                    # What stands last in a request may be said anew in the next.
                    assert len(alike) >= len(earlier) - 1
                before = request

    @pytest.mark.parametrize(
        ("api", "marker"),
        [
            ("anthropic-messages", '"cache_control":{"type":"ephemeral","ttl":"1h"}'),
            ("openai-completions", '"cache_control":{"type":"ephemeral","ttl":"1h"}'),
            ("openai-responses", '"prompt_cache_key"'),
        ],
    )
    def test_cache_markers_are_on_the_wire(
        self, stage: Stage, api: str, marker: str
    ) -> None:
        script = stage.turn(api=api)
        assert marker in script.requests[0].text.replace(" ", "")
