"""What is written of a call: audit row, approval and retry, in one transaction each.

An intent is on disk before anything starts, and its outcome after it has ended. All
text is redacted before it is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from letsbe.errors import OutputWithheld
from letsbe.plugin import Decision, ToolCall
from letsbe.policy.classes import CallClass
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.audit import AuditEntry, AuditLog
from letsbe.storage.database import Database
from letsbe.wrapper.allowances import Allow, Allowances
from letsbe.wrapper.answers import Answer, Status, failed, judged
from letsbe.wrapper.approvals import Approval, Approvals
from letsbe.wrapper.cases import Case
from letsbe.wrapper.digests import abridged, canonical, digest, sha256
from letsbe.wrapper.retries import CallKey, Retries


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's decision about an approval.

    Args:
        approval_id: Which one.
        person: Whose decision.
        reason: Why, in that person's words.
        allow: Whether its class is allowed too, and for how long.
        call_class: That class, if so.
    """

    approval_id: str
    person: str
    reason: str | None
    allow: Allow | None = None
    call_class: CallClass | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that is on record and about to run.

    Args:
        row: The audit row, which the outcome names.
        texts: The verdict's texts, each with what may be said of it.
    """

    row: int
    texts: Mapping[str, str]


class Journal:
    """Writes what happens to calls.

    Args:
        database: Where everything is kept.
        audit: The audit log.
        approvals: The queue.
        retries: The answers by call.
        allowances: The classes that people allowed.
        pipeline: Takes out what must not be stored.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        approvals: Approvals,
        retries: Retries,
        allowances: Allowances,
        pipeline: Pipeline,
    ) -> None:
        self._database = database
        self._audit = audit
        self._approvals = approvals
        self._retries = retries
        self._allowances = allowances
        self._pipeline = pipeline

    async def denied(
        self, call: ToolCall, key: CallKey | None, answer: Answer
    ) -> Answer:
        """Record a call that will not run."""
        answer = self._redacted(answer)
        entry = self._entry(call, "denied", answer, {"reason": answer.reason})

        def change(connection: sqlite3.Connection) -> Answer:
            final = _numbered(answer, self._audit.append(connection, entry))
            self._retries.claim(connection, key, None)
            self._retries.settle(connection, key, final)
            return final

        return await self._database.write_async(change)

    async def pending(
        self, case: Case, decision: Decision, told: Mapping[str, Any]
    ) -> Answer:
        """Queue a call for a person, or join the equal one that waits already.

        Args:
            case: The call.
            decision: Why it waits.
            told: Its ``explanation`` and ``preview``.
        """
        verdict = decision.verdict
        columns = self._clean({**case.described(verdict), **told})
        reason = f"{verdict.reason}; {decision.reason}"
        waiting = self._redacted(judged(verdict, Status.PENDING_APPROVAL, reason))
        detail = {
            "arguments": abridged(columns["tool_args"]),
            "plan": abridged(columns["plan"]),
            "reason": waiting.reason,
        }
        entry = self._entry(case.call, "pending", waiting, detail, columns["digest"])

        def change(connection: sqlite3.Connection) -> Answer:
            approval = self._approvals.add(connection, columns)
            about = replace(entry, approval_id=approval.id)
            final = _numbered(waiting, self._audit.append(connection, about))
            final = final.model_copy(update={"approval_id": approval.id})
            self._retries.claim(connection, case.key, approval.id)
            self._retries.settle(connection, case.key, final)
            return final

        return await self._database.write_async(change)

    async def refused(self, approval: Approval, consent: Consent) -> Answer:
        """Record that a person said no.

        Raises:
            ApprovalClosed: Somebody else has decided.
        """
        said = self._pipeline.redact_text(consent.reason or "no reason given")
        answer = Answer(
            status=Status.DENIED,
            tier=approval.tier,
            external=approval.external,
            rule="approval.denied",
            code="denied",
            reason=f"a person denied this call: {said}",
            approval_id=approval.id,
        )
        entry = AuditEntry(
            kind="approval",
            agent_id=approval.agent_id,
            session_id=approval.session_id,
            tool_name=approval.tool_name,
            tier=approval.tier,
            external=approval.external,
            rule=approval.rule,
            decision="denied",
            approval_id=approval.id,
            digest=approval.digest,
            detail={"by": consent.person, "reason": said},
        )

        def change(connection: sqlite3.Connection) -> Answer:
            self._approvals.take(
                connection,
                approval.id,
                state="denied",
                person=consent.person,
                reason=said,
            )
            final = _numbered(answer, self._audit.append(connection, entry))
            self._approvals.finish(connection, approval.id, final)
            return final

        return await self._database.write_async(change)

    async def intent(
        self, case: Case, decision: Decision, consent: Consent | None
    ) -> Intent:
        """Record that a call is about to run, and use up its approval if it has one.

        Raises:
            ApprovalClosed: Somebody else has used the approval.
            Conflict: Another attempt of the same call has begun, or the class that
                allowed it has ended.
        """
        verdict = decision.verdict
        detail = self._clean(
            {
                "arguments": abridged(case.arguments),
                "plan": abridged(verdict.plan),
                "reason": verdict.reason,
                "decision": decision.reason,
                "allowed_by": decision.allowed_by,
                "approved_because": consent.reason if consent else None,
                "rule": verdict.rule,
                **_origin(case.call),
            }
        )
        texts = {verdict.rule: detail.pop("rule"), verdict.reason: detail["reason"]}
        entry = AuditEntry(
            kind="intent",
            agent_id=case.call.agent_id,
            session_id=case.call.session_id,
            tool_name=case.call.tool_name,
            tier=str(verdict.tier),
            external=verdict.external,
            rule=verdict.rule,
            decision=decision.outcome.value,
            approval_id=consent.approval_id if consent else None,
            digest=digest(detail),
            detail=detail,
        )

        def change(connection: sqlite3.Connection) -> int:
            if consent is None:
                self._retries.claim(connection, case.key, None)
            else:
                self._approvals.take(
                    connection,
                    consent.approval_id,
                    state="running",
                    person=consent.person,
                    reason=detail["approved_because"],
                )
                self._allow(connection, case, consent)
            if decision.allowed_by is not None:
                self._allowances.use(connection, decision.allowed_by)
            return self._audit.append(connection, entry)

        return Intent(await self._database.write_async(change), texts)

    def _allow(
        self, connection: sqlite3.Connection, case: Case, consent: Consent
    ) -> None:
        if consent.allow is None or consent.call_class is None:
            return
        self._allowances.add(
            connection,
            consent.call_class,
            approval_id=consent.approval_id,
            agent_id=case.call.agent_id,
            session_id=case.call.session_id,
            person=consent.person,
            allow=consent.allow,
        )

    async def outcome(
        self,
        case: Case,
        intent: Intent,
        answer: Answer,
        consent: Consent | None,
        seconds: float,
    ) -> Answer:
        """Record how a call ended, and give its answer to whoever waits for it."""
        approval_id = consent.approval_id if consent else None
        answer = self._redacted(answer, intent.texts)
        answer = answer.model_copy(update={"approval_id": approval_id})
        output = canonical(answer.output)
        detail = {
            "status": answer.status.value,
            "code": answer.code,
            "reason": answer.reason if answer.code else None,
            "seconds": round(seconds, 4),
            "output_bytes": len(output),
        }
        entry = replace(
            self._entry(case.call, "outcome", answer, detail, sha256(output)),
            intent_seq=intent.row,
            approval_id=approval_id,
        )

        def change(connection: sqlite3.Connection) -> Answer:
            final = _numbered(answer, self._audit.append(connection, entry))
            if approval_id is not None:
                self._approvals.finish(connection, approval_id, final)
            self._retries.settle(connection, case.key, final)
            return final

        return await self._database.write_async(change)

    def _redacted(
        self, answer: Answer, known: Mapping[str, str] | None = None
    ) -> Answer:
        # The output has been redacted; redacting it again changes nothing, but costs.
        # So it is with texts of which it is known what may be said.
        texts = {name: getattr(answer, name) for name in _TEXTS}
        known = known or {}
        try:
            if all(text is None or text in known for text in texts.values()):
                clean = {n: text and known[text] for n, text in texts.items()}
            else:
                clean = self._clean(texts)
        except OutputWithheld as error:
            # What happened must be on record even if nothing may be said of it.
            return failed(error).model_copy(update={"tier": answer.tier})
        return answer if clean == texts else answer.model_copy(update=clean)

    def _clean(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return cast(dict[str, Any], self._pipeline.redact_json(dict(value)))

    @staticmethod
    def _entry(
        call: ToolCall,
        kind: str,
        answer: Answer,
        detail: Mapping[str, Any],
        about: str | None = None,
    ) -> AuditEntry:
        return AuditEntry(
            kind=kind,
            agent_id=call.agent_id,
            session_id=call.session_id,
            tool_name=call.tool_name,
            tier=answer.tier,
            external=answer.external,
            rule=answer.rule,
            decision=answer.status.value,
            digest=about,
            detail=detail,
        )


_TEXTS = ("reason", "alternative", "rule")
"""What an answer says, besides its output."""


def _origin(call: ToolCall) -> dict[str, Any]:
    """Return where a call comes from, as far as it was told."""
    context = call.context
    told = {
        "tool_call_id": context.tool_call_id,
        "channel": context.channel,
        "sender_id": context.sender_id,
        "sender_is_owner": context.sender_is_owner,
    }
    return {
        key: value
        for key, value in told.items()
        if value is not None or key == "tool_call_id"
    }


def _numbered(answer: Answer, row: int) -> Answer:
    return answer.model_copy(update={"audit_id": row})
