"""The chat relay to a real gateway: a stream, an abort, and a stable session."""

from __future__ import annotations

import json
import time
import uuid

import httpx
from websockets.sync.client import connect

from tests.openclaw.scripted_llm import Reply, ToolUse
from tests.openclaw.stage import Stage


class TestChatRelay:
    def test_a_reply_is_streamed_and_the_session_is_stable(self, stage: Stage) -> None:
        place = {"agent_id": "main", "conversation_id": uuid.uuid4().hex}
        with stage.llm.script(Reply("One two three."), Reply("Four.")) as script:
            first = self._streamed(stage, {**place, "message": f"1? {script.mark}"})
            body = {**place, "message": f"2? {script.mark}", "stream": False}
            second = stage.tenant.ask("POST", "/api/v1/chat", body)
        assert first.count("event: delta") >= 1
        assert '"text": "One two three.", "aborted": false' in first
        assert second["text"] == "Four."
        assert "One two three." in script.requests[1].text

    @staticmethod
    def _streamed(stage: Stage, body: dict[str, object]) -> str:
        headers = {"authorization": f"Bearer {stage.tenant.token('operator')}"}
        url = f"{stage.tenant.wrapper}/api/v1/chat"
        return httpx.post(url, json=body, headers=headers, timeout=60).text

    def test_an_abort_ends_the_turn_and_a_lost_stream_is_resumed(
        self, stage: Stage
    ) -> None:
        url = stage.tenant.wrapper.replace("http", "ws", 1) + "/api/v1/chat/socket"
        headers = {"authorization": f"Bearer {stage.tenant.token('operator')}"}
        place = {"agent_id": "main", "conversation_id": uuid.uuid4().hex}
        slow = Reply("word " * 200, pause=0.1)
        with stage.llm.script(slow) as script:
            message = f"Go on. {script.mark}"
            with connect(url, additional_headers=headers) as socket:
                socket.send(json.dumps({"type": "send", **place, "message": message}))
                first = json.loads(socket.recv(timeout=30))
            with connect(url, additional_headers=headers) as socket:
                follow = {"type": "follow", **place, "after": first["id"]}
                socket.send(json.dumps(follow))
                second = json.loads(socket.recv(timeout=30))
                assert second["type"] == "delta"
                socket.send(json.dumps({"type": "abort", **place}))
                while (last := json.loads(socket.recv(timeout=30)))["type"] != "done":
                    pass
            assert last["aborted"] is True
            assert len(last["text"]) < len(slow.text) / 2
        again = stage.turn(conversation=place["conversation_id"])
        assert len(again.requests) == 1

    def test_what_became_of_a_call_is_told_in_the_stream(self, stage: Stage) -> None:
        stale = stage.tenant.work / "stale-report.txt"
        stale.write_text("stale")
        place = {"agent_id": "main", "conversation_id": f"Chat-{uuid.uuid4().hex}"}
        use = ToolUse("letsbe_shell", {"command": "rm stale-report.txt"})
        replies = (Reply(calls=(use,)), Reply("It waits."), Reply("It is gone now."))
        with stage.llm.script(*replies) as script:
            self._streamed(stage, {**place, "message": f"Tidy up. {script.mark}"})
            approval = json.loads(script.requests[-1].results[-1])["approval_id"]
            stage.tenant.ask("POST", f"/api/v1/approvals/{approval}/approve")
            assert not stale.exists()
            said = self._said_later(stage, place, "It is gone now.")
        assert said.count("event: done") == 2
        assert f"waited as {approval} was approved" in script.requests[-1].text

    @staticmethod
    def _said_later(stage: Stage, place: dict[str, str], until: str) -> str:
        headers = {"authorization": f"Bearer {stage.tenant.token('operator')}"}
        url = f"{stage.tenant.wrapper}/api/v1/chat/{place['conversation_id']}/events"
        query = {"agent_id": "main", "stay": "true"}
        said, last = "", time.monotonic() + 60
        with httpx.stream("GET", url, params=query, headers=headers, timeout=60) as got:
            for part in got.iter_text():  # one each 15 seconds at least
                said += part
                if f'"text": "{until}", "aborted"' in said:
                    return said
                assert time.monotonic() < last, said
        raise AssertionError(said)

    def test_an_abort_ends_the_call_that_the_agent_waits_for(
        self, stage: Stage
    ) -> None:
        use = ToolUse("letsbe_shell", {"command": "sleep 100.125"})
        ended = stage.abort_during(use, "100.125")
        assert ended["detail"]["code"] == "cancelled"
        assert ended["detail"]["seconds"] < 90

    def test_the_gateways_token_stays_in_the_wrapper(self, stage: Stage) -> None:
        token = stage.gateway.state.token
        path = stage.tenant.home / "tokens" / "gateway"
        answer = stage.call("letsbe_file_read", path=str(path))
        assert token not in answer
        assert json.loads(answer)["status"] == "denied"
