"""A real OpenClaw on its tenant, and what a test does with it: turns and calls."""

from __future__ import annotations

from dataclasses import dataclass

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

    def turn(
        self,
        *replies: Next,
        conversation: str | None = None,
        agent: str = "main",
        api: str | None = None,
        said: str = "Please.",
    ) -> Script:
        """Play one user turn to its end, and return what the LLM was asked."""
        with self.llm.script(*replies, DONE) as script:
            text = f"{said} {script.mark}"
            assert self.gateway.chat(text, conversation, agent, api) == "Done."
        return script

    def call(self, name: str, /, **arguments: object) -> str:
        """Let the LLM call one tool, and return what it reads of the result."""
        script = self.turn(Reply(calls=(ToolUse(name, dict(arguments)),)))
        return script.requests[-1].results[-1]
