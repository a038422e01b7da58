"""Approvals between this server and the Hub: asked, decided there, run here, told.

The queue itself is the outbox: what the Hub has not heard is what its mark is behind.
A decision is kept before it is confirmed and until it has been followed, so that a
kill in between loses none; following it twice is refused by the queue, which lets an
approval be decided once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from letsbe.errors import ApprovalClosed, LetsBeError, NotFound
from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi, HubRefused
from letsbe.wrapper.answers import Answer
from letsbe.wrapper.approvals import Approval, Approvals
from letsbe.wrapper.digests import abridged

log = logging.getLogger(__name__)

_SETTLED = ("done", "failed", "interrupted", "denied", "expired", "withdrawn")
PAGE = 200


class Decides(Protocol):
    """What follows decisions: the Safety Wrapper's dispatcher."""

    async def approve(
        self, approval_id: str, person: str, reason: str | None
    ) -> Answer:
        """Run an approved call."""
        ...

    async def deny(self, approval_id: str, person: str, reason: str | None) -> Answer:
        """Close an approval with a no."""
        ...


class ApprovalOutbox:
    """Keeps the Hub and this server's queue in step.

    Args:
        approvals: The queue.
        dispatcher: Follows decisions.
        state: What the Hub has heard, and decisions that are not followed yet.
        api: The Hub.
    """

    def __init__(
        self, approvals: Approvals, dispatcher: Decides, state: HubState, api: HubApi
    ) -> None:
        self._approvals = approvals
        self._dispatcher = dispatcher
        self._state = state
        self._api = api
        self._running: dict[str, asyncio.Task[None]] = {}

    def waiting(self) -> int:
        """Say how many approvals the Hub has yet to hear of, or hear the end of."""
        return len(self._unheard())

    def _unheard(self) -> list[tuple[Approval, str | None]]:
        """Return what the Hub has not heard, the newest first, with its id there."""
        told: dict[str, str] = self._state.all("approval:")
        refused = self._state.all("approval-refused:")
        pending: list[tuple[Approval, str | None]] = []
        after: str | None = None
        while page := self._approvals.list("pending", limit=PAGE, after=after):
            pending += [
                (a, None)
                for a in page
                if a.state == "pending" and a.id not in told and a.id not in refused
            ]
            after = page[-1].id
        for approval_id, hub_id in told.items():
            try:
                approval = self._approvals.get(approval_id)
            except NotFound:
                continue
            if approval.state in _SETTLED:
                pending.append((approval, hub_id))
        return pending

    async def send(self) -> None:
        """Tell the Hub what it has not heard, the oldest first.

        Raises:
            HubUnreachable: The Hub does not answer; the rest waits.
        """
        for approval, hub_id in reversed(self._unheard()):
            try:
                if hub_id is None:
                    await self._ask(approval)
                else:
                    await self._report(approval, hub_id)
            except HubRefused as error:
                if error.answered in (401, 403):
                    raise
                # Anything else would be refused for ever; the local queue has it.
                log.error("the Hub refuses approval %s: %s", approval.id, error.message)
                await self._state.change(
                    {f"approval-refused:{approval.id}": hub_id is None or None}
                    | {f"approval:{approval.id}": None}
                )
        await self._forget()

    async def _forget(self) -> None:
        """Drop the marks of refused approvals that do not wait any more."""
        over = {
            f"approval-refused:{approval_id}": None
            for approval_id in self._state.all("approval-refused:")
            if not self._waits(approval_id)
        }
        if over:
            await self._state.change(over)

    def _waits(self, approval_id: str) -> bool:
        try:
            return self._approvals.get(approval_id).state == "pending"
        except NotFound:
            return False

    async def _ask(self, approval: Approval) -> None:
        data = await self._api.post("approval-request", described(approval))
        hub_id = str(data["approvalId"])
        await self._state.change({f"approval:{approval.id}": hub_id})

    async def _report(self, approval: Approval, hub_id: str) -> None:
        said = {"state": approval.state, "outcome": outcome(approval)}
        try:
            await self._api.post(f"approval-response/{hub_id}", said)
        except HubRefused as error:
            if error.hub_code != "APPROVAL_CLOSED":
                raise
        # It will not be pending again, so that nothing need be remembered of it.
        await self._state.change({f"approval:{approval.id}": None})

    async def fetch(self) -> None:
        """Get the decisions that wait, and begin to follow them.

        Raises:
            HubUnreachable: The Hub does not answer.
            HubRefused: It says no.
        """
        for decision in await self._api.get("approval-response"):
            approval_id = str(decision["tenantApprovalId"])
            kept = {
                "state": str(decision["state"]),
                "by": str(decision["decidedBy"]),
                "reason": decision["decisionReason"],
                "digest": str(decision["digest"]),
            }
            await self._state.change({f"decision:{approval_id}": kept})
            await self._api.post(
                f"approval-response/{decision['approvalId']}", {"state": "delivered"}
            )
        self.follow()

    def follow(self) -> None:
        """Begin to follow every decision that is kept, each by itself."""
        for approval_id, decision in self._state.all("decision:").items():
            if approval_id not in self._running:
                task = asyncio.create_task(self._follow(approval_id, decision))
                self._running[approval_id] = task
                task.add_done_callback(lambda _, a=approval_id: self._running.pop(a))  # type: ignore[misc] # mypy does not infer the default's type

    async def finish(self) -> None:
        """Wait for the calls that run."""
        if self._running:
            await asyncio.wait(list(self._running.values()))

    async def _follow(self, approval_id: str, decision: dict[str, Any]) -> None:
        person = f"hub:{decision['by']}"
        try:
            approval = self._approvals.get(approval_id)
            if approval.digest != decision["digest"]:
                raise ApprovalClosed("the decision is about something else")
            if decision["state"] == "approved":
                await self._approve(approval_id, person, decision["reason"])
            else:
                await self._dispatcher.deny(approval_id, person, decision["reason"])
        except (ApprovalClosed, NotFound) as error:
            log.warning("decision on %s not followed: %s", approval_id, error.message)
        except LetsBeError as error:
            log.error("decision on %s could not be followed: %s", approval_id, error)
            return
        await self._state.change({f"decision:{approval_id}": None})

    async def _approve(self, approval_id: str, person: str, reason: str | None) -> None:
        try:
            await self._dispatcher.approve(approval_id, person, reason)
        except (ApprovalClosed, NotFound):
            raise
        except LetsBeError as error:
            # It cannot run as it was approved; the agent is told why and may ask anew.
            said = f"it was approved and can no longer run: {error.message}"
            await self._dispatcher.deny(approval_id, person, said)


def described(approval: Approval) -> dict[str, Any]:
    """Return what the Hub is told of an approval; the pipeline redacts it again."""
    summary = {
        "arguments": abridged(approval.tool_args),
        "plan": abridged(approval.plan),
        "rule": approval.rule,
        "alternative": approval.alternative,
        "explanation": abridged(approval.explanation),
        "preview": abridged(approval.preview),
        "sessionId": approval.session_id,
    }
    return {
        "tenantApprovalId": approval.id,
        "digest": approval.digest,
        "agentId": approval.agent_id,
        "toolName": approval.tool_name,
        "tier": approval.tier,
        "external": approval.external,
        "reason": approval.reason[:4000],
        "summary": {name: value for name, value in summary.items() if value},
        "expiresAt": approval.expires_at,
    }


def outcome(approval: Approval) -> dict[str, Any]:
    """Return what the Hub is told of an approval's end: never what a tool printed."""
    answer = approval.answer or {}
    said = {
        "status": answer.get("status"),
        "code": answer.get("code"),
        "reason": answer.get("reason"),
        "auditId": answer.get("audit_id"),
        "decidedBy": approval.decided_by,
        "decisionReason": approval.decision_reason,
    }
    return {name: value for name, value in said.items() if value is not None}
