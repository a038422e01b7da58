"""One tool call, walked through its steps. Each step is a room of its own.

validate, classify, gate; then run (inject, execute, redact, audit), or the approval
queue, from which an approved call goes on in the same way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import anyio

from letsbe.errors import ApprovalChanged, Busy, Conflict, LetsBeError, Refused
from letsbe.plugin import Decision, Outcome, ToolCall, Verdict
from letsbe.plugin._offers import Offer
from letsbe.policy.classes import CallClass
from letsbe.redaction.pipeline import Pipeline
from letsbe.wrapper.allowances import Allow, check_shown
from letsbe.wrapper.answers import Answer, Status, failed, refused
from letsbe.wrapper.approvals import Approval, Approvals, closed
from letsbe.wrapper.arguments import is_clean, with_clean_ids
from letsbe.wrapper.cases import Case, Intake
from letsbe.wrapper.digests import differences, digest
from letsbe.wrapper.explaining import explanation, preview
from letsbe.wrapper.gate import Gate
from letsbe.wrapper.journal import Consent, Journal
from letsbe.wrapper.metrics import Metrics
from letsbe.wrapper.requests import RequestContext, ToolRequest, check_call
from letsbe.wrapper.retries import CallKey, Retries
from letsbe.wrapper.running import Runner


class Dispatcher:
    """Takes tool calls from request to answer, and approvals from decision to answer.

    Args:
        catalog: What the active plugins offer, by tool name.
        intake: Validates and classifies.
        gate: Decides what runs unasked.
        runner: Runs what may run.
        journal: Records what does not.
        approvals: The calls that wait for a person.
        retries: The answers given so far.
        metrics: The counters.
        pipeline: Lent to those who tell what a call would change.
    """

    def __init__(
        self,
        *,
        catalog: Mapping[str, Offer],
        intake: Intake,
        gate: Gate,
        runner: Runner,
        journal: Journal,
        approvals: Approvals,
        retries: Retries,
        metrics: Metrics,
        pipeline: Pipeline,
    ) -> None:
        self._catalog = catalog
        self._intake = intake
        self._gate = gate
        self._runner = runner
        self._journal = journal
        self._approvals = approvals
        self._retries = retries
        self._metrics = metrics
        self._pipeline = pipeline
        self._under_way: dict[tuple[str, str, str], anyio.Event] = {}

    async def call(self, request: ToolRequest, agent_id: str) -> Answer:
        """Answer one tool call.

        Args:
            request: The request, its own form checked.
            agent_id: Who calls, as the token says.

        Returns:
            The answer; a call that is denied or fails is an answer too.

        Raises:
            LetsBeError: The request as a whole cannot be taken (unknown tool, wrong
                arguments, an id used before, too much at once); nothing was done.
        """
        began = time.monotonic()
        clean = is_clean(request, self._pipeline)
        if not clean:
            request = with_clean_ids(request, self._pipeline)
        call, offer = check_call(request, agent_id, self._catalog)
        key = _key(request, agent_id)
        answer = await self._earlier(key)
        if answer is None:
            with self._marked(key):
                answer = await self._walk(request, call, offer, key, clean=clean)
            self._metrics.count(request.tool_name, answer, time.monotonic() - began)
        return answer

    async def _walk(
        self,
        request: ToolRequest,
        call: ToolCall,
        offer: Offer,
        key: CallKey | None,
        *,
        clean: bool,
    ) -> Answer:
        verdict: Verdict | None = None
        try:
            self._gate.admit(call, offer.action)
            case = self._intake.validate(request, call, offer, key, clean=clean)
            verdict = self._intake.classify(case)
            if verdict.refused:
                return await self._journal.denied(call, key, refused(verdict))
            decision = self._gate.decide(case, verdict)
            if decision.outcome is Outcome.ASK:
                return await self._ask(case, decision)
            return await self._runner.run(case, decision)
        except (Busy, Conflict):
            raise
        except LetsBeError as error:
            return await self._journal.denied(call, key, failed(error, verdict))

    async def _ask(self, case: Case, decision: Decision) -> Answer:
        if not case.storable:
            message = (
                "the arguments hold what looks like a secret, so they cannot be shown"
                " to a person for approval"
            )
            instead = "register it and write SECRET_REF(name) in its place"
            raise Refused(message, alternative=instead)
        return await self._journal.pending(
            case, decision, await self.told(case, decision.verdict)
        )

    async def told(self, case: Case, verdict: Verdict) -> dict[str, Any]:
        """Return the ``explanation`` and ``preview`` of a call, not yet redacted."""
        return {
            "explanation": explanation(case, verdict),
            "preview": await preview(case, verdict, self._pipeline),
        }

    def judge(self, request: ToolRequest, agent_id: str) -> tuple[Verdict, Decision]:
        """Classify a call, look at the gate, and do nothing else.

        Raises:
            LetsBeError: As :meth:`examine`.
        """
        case, verdict = self.examine(request, agent_id)
        return verdict, self.decide(case, verdict)

    def decide(self, case: Case, verdict: Verdict) -> Decision:
        """Say what the gate says of a call that is not refused, and do nothing else."""
        return self._gate.decide(case, verdict)

    def examine(self, request: ToolRequest, agent_id: str) -> tuple[Case, Verdict]:
        """Classify a call and do nothing else.

        Raises:
            LetsBeError: As :meth:`call`, and what makes a call's arguments unusable:
                a masked value, an unknown secret, a path outside the roots.
        """
        call, offer = check_call(request, agent_id, self._catalog)
        case = self._intake.validate(request, call, offer, None)
        return case, self._intake.classify(case)

    async def approve(
        self,
        approval_id: str,
        person: str,
        reason: str | None,
        allow: Allow | None = None,
    ) -> Answer:
        """Run a call that a person approved, if it is still what was asked about.

        Args:
            approval_id: The pending approval.
            person: Who approves.
            reason: Why, in that person's words.
            allow: Whether the class of such calls is allowed too, for how long, and
                what that person was shown of it.

        Returns:
            The call's answer.

        Raises:
            NotFound: There is no such approval.
            ApprovalClosed: It was decided or used before, or has expired.
            ApprovalChanged: What would run, or the class, now differs; the text says
                how.
            NoClass: There is no class of such calls.
            LetsBeError: The call can no longer run at all; the approval stays open.
        """
        case, verdict = self._reconsidered(approval_id)
        decision = Decision(Outcome.RUN, verdict, f"approved by {person}")
        consent = Consent(approval_id, person, reason)
        if allow is not None:
            call_class = case.call_class(verdict)
            check_shown(call_class, allow)
            consent = replace(consent, allow=allow, call_class=call_class)
        return await self._runner.run(case, decision, consent)

    def class_of(self, approval_id: str) -> CallClass:
        """Return the class that may be allowed with an approval.

        Raises:
            NoClass: There is none.
            LetsBeError: As :meth:`approve`.
        """
        case, verdict = self._reconsidered(approval_id)
        return case.call_class(verdict)

    def _reconsidered(self, approval_id: str) -> tuple[Case, Verdict]:
        """Look at a pending call again, which must be what was asked about."""
        approval = self._pending(approval_id)
        case = self._restored(approval)
        verdict = self._intake.classify(case)
        if verdict.refused:
            raise Refused(verdict.reason, alternative=verdict.alternative)
        _check_unchanged(approval, case.described(verdict))
        return case, verdict

    async def deny(self, approval_id: str, person: str, reason: str | None) -> Answer:
        """Close an approval with a no, whose reason goes back to the agent.

        Raises:
            NotFound: There is no such approval.
            ApprovalClosed: It was decided or used before, or has expired.
        """
        approval = self._pending(approval_id)
        return await self._journal.refused(
            approval, Consent(approval_id, person, reason)
        )

    def _pending(self, approval_id: str) -> Approval:
        approval = self._approvals.get(approval_id)
        if approval.state != "pending":
            raise closed(approval.state)
        return approval

    def _restored(self, approval: Approval) -> Case:
        request = ToolRequest(
            session_id=approval.session_id,
            agent_id=approval.agent_id,
            tool_name=approval.tool_name,
            tool_args=approval.tool_args,
            context=RequestContext(**approval.context),
        )
        call, offer = check_call(request, approval.agent_id, self._catalog)
        return self._intake.validate(request, call, offer, None)

    async def _earlier(self, key: CallKey | None) -> Answer | None:
        """What the same call was answered before, waiting for one that is under way."""
        if key is None:
            return None
        while (event := self._under_way.get(key.place)) is not None:
            await event.wait()
        answer = self._retries.earlier(key)
        if answer is None or answer.status is not Status.PENDING_APPROVAL:
            return answer
        approval = self._approvals.get(str(answer.approval_id))
        if approval.state in {"expired", "withdrawn", "interrupted"}:
            return failed(closed(approval.state))
        return answer

    @contextmanager
    def _marked(self, key: CallKey | None) -> Iterator[None]:
        """Mark a call as under way, for retries that come meanwhile."""
        if key is None:
            yield
            return
        self._under_way[key.place] = anyio.Event()
        try:
            yield
        finally:
            self._under_way.pop(key.place).set()


def _key(request: ToolRequest, agent_id: str) -> CallKey | None:
    tool_call_id = request.context.tool_call_id
    if tool_call_id is None:
        return None
    asked = digest({"tool": request.tool_name, "arguments": request.tool_args})
    return CallKey(agent_id, request.session_id, tool_call_id, asked)


def _check_unchanged(approval: Approval, now: Mapping[str, Any]) -> None:
    if now["digest"] == approval.digest:
        return
    before = {"arguments": approval.tool_args, "plan": approval.plan}
    after = {"arguments": now["tool_args"], "plan": now["plan"]}
    changes = "; ".join(differences(before, after))
    message = f"what would run is no longer what was asked about: {changes}"
    raise ApprovalChanged(message, alternative="deny it; the agent may ask again")
