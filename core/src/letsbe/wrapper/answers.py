"""What a caller is told about a tool call."""

from __future__ import annotations

import enum
from typing import Any

from pydantic import BaseModel, ConfigDict

from letsbe.errors import Conflict, FieldError, LetsBeError, OutputWithheld, Refused
from letsbe.policy.verdict import Verdict
from letsbe.redaction.pipeline import Pipeline


class Status(enum.StrEnum):
    """How a call ended, or that it waits."""

    OK = "ok"
    DENIED = "denied"
    PENDING_APPROVAL = "pending_approval"
    ERROR = "error"


class FieldDetail(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Answer(BaseModel):
    """The answer to a tool call, the same by HTTP, MCP and the command line."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    status: Status
    """``ok``, ``denied``, ``pending_approval`` or ``error``."""
    tier: str | None = None
    """The call's tier."""
    external: bool = False
    """Whether it reaches the outside."""
    rule: str | None = None
    """The rule that decided."""
    reason: str | None = None
    """Why, in a sentence; for anything but ``ok`` also what to do."""
    alternative: str | None = None
    """Another way, where there is one."""
    code: str | None = None
    """The named error, if the call was denied or failed."""
    details: tuple[FieldDetail, ...] = ()
    """The fields at fault, if the form of the call is what was wrong."""
    output: Any = None
    """What the tool gave, redacted."""
    approval_id: str | None = None
    """The approval to wait for."""
    audit_id: int | None = None
    """The audit log's row of this outcome."""


def judged(verdict: Verdict, status: Status, reason: str, **more: Any) -> Answer:  # noqa: ANN401 - passed to Answer, which checks it
    """Make an answer to a call that has a verdict."""
    return Answer(
        status=status,
        tier=str(verdict.tier),
        external=verdict.external,
        rule=verdict.rule,
        reason=reason,
        alternative=None if status is Status.OK else verdict.alternative,
        **more,
    )


def refused(verdict: Verdict) -> Answer:
    """Make the answer to a call that will not be run, whoever approves."""
    return judged(verdict, Status.DENIED, verdict.reason, code=Refused.code)


def failed(error: LetsBeError, verdict: Verdict | None = None) -> Answer:
    """Make the answer of a call that an error ended.

    Args:
        error: What happened. Refusals are ``denied``, all else is ``error``.
        verdict: The call's verdict, if it got that far.
    """
    denied = isinstance(error, Refused | Conflict)
    return Answer(
        status=Status.DENIED if denied else Status.ERROR,
        tier=str(verdict.tier) if verdict else None,
        external=verdict.external if verdict else False,
        rule=error.code,
        code=error.code,
        reason=error.message,
        alternative=error.alternative,
        details=tuple(
            FieldDetail(field=d.field, message=d.message) for d in error.details
        ),
    )


def showable(error: LetsBeError, pipeline: Pipeline) -> LetsBeError:
    """Take secrets out of an error: names of fields come from the caller too.

    Args:
        error: What is to be shown.
        pipeline: Finds the secrets.

    Returns:
        An error of the same kind; or, if it cannot be redacted, one that says so.
    """
    clean = pipeline.redact_text
    try:
        return type(error)(
            clean(error.message),
            details=tuple(
                FieldError(clean(d.field), clean(d.message)) for d in error.details
            ),
            alternative=error.alternative and clean(error.alternative),
        )
    except OutputWithheld as withheld:
        return withheld
