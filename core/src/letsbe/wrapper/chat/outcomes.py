"""What became of a call that waited for a person, told where that person reads on."""

from __future__ import annotations

import json

from pydantic import BaseModel

from letsbe.errors import Conflict, NotFound
from letsbe.wrapper.approvals import Approval, Approvals
from letsbe.wrapper.chat.relay import Relay

MOST_CHARACTERS = 4000
"""The most of a result that is told; the agent can look at the rest itself."""

MOST_REMEMBERED = 1024
_OPEN = frozenset({"pending", "running"})


class Told(BaseModel):
    """What is told of a decided call."""

    told: bool
    """Whether the chat relay tells it, as a turn of the conversation that a person
    follows there. If not, whoever asked has to."""
    text: str
    """What the agent is told."""


class Outcomes:
    """Tells agents what became of calls, in the conversations of the chat relay.

    Args:
        approvals: The calls that waited.
        relay: Where people and agents talk.
    """

    def __init__(self, approvals: Approvals, relay: Relay) -> None:
        self._approvals = approvals
        self._relay = relay
        self._told: dict[str, None] = {}

    def tell(self, approval_id: str, agent_id: str) -> Told:
        """Begin a turn that tells the outcome, if the call came from the chat relay.

        Args:
            approval_id: The call's approval; a second time tells nothing more.
            agent_id: The agent whose call it was.

        Raises:
            NotFound: That agent has no such approval.
            Conflict: It is not decided, or the agent still answers a message.
            Busy: Too many turns are under way.
        """
        approval = self._approvals.get(approval_id)
        if approval.agent_id != agent_id:
            raise NotFound("you have no approval of this id")
        if approval.state in _OPEN:
            message = "the call still waits, or runs"
            raise Conflict(message, alternative="ask again in a while")
        text = told_of(approval)
        conversation = self._relay.conversation_of(agent_id, approval.session_id)
        if conversation is None:
            return Told(told=False, text=text)
        if approval_id not in self._told:
            self._relay.send(agent_id, conversation, text)
            self._remember(approval_id)
        return Told(told=True, text=text)

    def _remember(self, approval_id: str) -> None:
        self._told[approval_id] = None
        while len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]


def told_of(approval: Approval) -> str:
    """Say in a few words what became of a call."""
    about = f"[LetsBe] The call of {approval.tool_name} that waited as {approval.id}"
    reason = approval.decision_reason
    said = f" The person said: {reason}" if reason else ""
    if approval.state == "denied":
        return f"{about} was denied.{said} Do not try it another way."
    if approval.state not in {"done", "failed"}:
        return f"{about} was not run: it is {approval.state}."
    answer = approval.answer or {}
    shown = ("status", "output" if answer.get("status") == "ok" else "reason")
    result = json.dumps({k: answer.get(k) for k in shown}, ensure_ascii=False)
    return f"{about} was approved and has run.{said} Result: {result[:MOST_CHARACTERS]}"
