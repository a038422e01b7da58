"""A real OpenClaw on its tenant, and what a test does with it: turns and calls."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import connect

from tests.openclaw.gateway import Gateway
from tests.openclaw.scripted_llm import Next, Reply, Script, ScriptedLlm, ToolUse
from tests.openclaw.tenant import Tenant

DONE = Reply("Done.")


@dataclass
class Stage:
    """Everything that runs."""

    gateway: Gateway
    tenant: Tenant
    llm: ScriptedLlm
    agent: str = "main"
    """Who is spoken to, if nobody else is named."""

    def turn(
        self,
        *replies: Next,
        conversation: str | None = None,
        agent: str | None = None,
        api: str | None = None,
        said: str = "Please.",
    ) -> Script:
        """Play one user turn to its end, and return what the LLM was asked."""
        with self.llm.script(*replies, DONE) as script:
            text = f"{said} {script.mark}"
            assert (
                self.gateway.chat(text, conversation, agent or self.agent, api)
                == "Done."
            )
        return script

    def call(self, name: str, /, **arguments: object) -> str:
        """Let the LLM call one tool, and return what it reads of the result."""
        script = self.turn(Reply(calls=(ToolUse(name, dict(arguments)),)))
        return script.requests[-1].results[-1]

    def abort_during(self, use: ToolUse, mark: str) -> dict[str, Any]:
        """Let the agent call a tool in a chat, abort that, and return what came of it.

        Args:
            use: The call, which would take long.
            mark: What stands in its arguments alone.
        """
        place = {"agent_id": self.agent, "conversation_id": uuid.uuid4().hex}
        with self.llm.script(Reply(calls=(use,))) as script:
            headers = {"authorization": f"Bearer {self.tenant.token('operator')}"}
            url = self.tenant.wrapper.replace("http", "ws", 1) + "/api/v1/chat/socket"
            with connect(url, additional_headers=headers) as socket:
                said = {**place, "message": f"Wait. {script.mark}"}
                socket.send(json.dumps({"type": "send", **said}))
                intent = self.row("intent", mark)
                socket.send(json.dumps({"type": "abort", **place}))
                return self.row("outcome", intent_seq=intent["seq"])

    def row(self, kind: str, text: str = "", **wanted: object) -> dict[str, Any]:
        """Wait for a row of the audit log that is as wanted and holds a text."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for row in self.tenant.audit(kind=kind, **wanted):
                if text in json.dumps(row):
                    return row
            time.sleep(0.05)
        raise AssertionError(f"there is no {kind} of {text}")
