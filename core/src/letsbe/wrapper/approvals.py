"""The queue of calls that wait for a person.

An approval binds to a digest of what will run, is used once, expires, and survives a
restart. Equal pending requests are one approval. The row moves only forward:
``pending`` to ``running`` to ``done`` or ``failed``; or ``denied``, ``expired``,
``interrupted``. Each step is one conditional update, so two people (or processes)
cannot both take it.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from letsbe.errors import ApprovalClosed, NotFound
from letsbe.policy.tiers import Tier
from letsbe.storage.database import Database
from letsbe.wrapper.answers import Answer

State = Literal[
    "pending",
    "running",
    "done",
    "failed",
    "interrupted",
    "denied",
    "expired",
    "withdrawn",
]

_JSON_COLUMNS = (
    "tool_args",
    "context",
    "plan",
    "answer",
    "explanation",
    "preview",
)


class Approval(BaseModel):
    """One call that waits, or waited, for a person."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    id: str
    """The approval's id."""
    state: State
    """Where it stands."""
    digest: str
    """SHA-256 of what will run."""
    agent_id: str
    """Who asked."""
    session_id: str
    """In which session."""
    tool_name: str
    """The tool."""
    tool_args: dict[str, Any]
    """The arguments, with secrets as references."""
    context: dict[str, Any]
    """Where the call comes from."""
    tier: str
    """The call's tier."""
    external: bool
    """Whether it reaches the outside."""
    rule: str
    """The rule that decided the tier."""
    reason: str
    """What that rule found."""
    alternative: str | None
    """Another way, if there is one."""
    plan: dict[str, Any]
    """What exactly will run."""
    created_at: float
    """When it was asked, in seconds since 1970 (UTC)."""
    expires_at: float
    """When it expires, likewise."""
    decided_at: float | None = None
    """When a person decided, likewise."""
    decided_by: str | None = None
    """Who decided."""
    decision_reason: str | None = None
    """Why, as that person said it."""
    answer: dict[str, Any] | None = None
    """What came of it."""
    explanation: dict[str, Any] | None = None
    """Every rule that matched, and what each autonomy level would say."""
    preview: dict[str, Any] | None = None
    """What it would take or change, as it was when it was asked."""


class Approvals:
    """The approvals of one tenant.

    Args:
        database: Where they are kept.
        hours: How long one stays open.
        run_seconds: How long an approved call may run; one that still runs after that
            was cut off by the end of its process.
    """

    def __init__(self, database: Database, hours: float, run_seconds: float) -> None:
        self._database = database
        self._seconds = hours * 3600
        self._run_seconds = run_seconds

    def get(self, approval_id: str) -> Approval:
        """Return one approval as it stands now.

        Raises:
            NotFound: There is none of that id.
        """

        def look(connection: sqlite3.Connection) -> Approval | None:
            found = _select(connection, "WHERE id = ?", (approval_id,))
            return found[0] if found else None

        approval = self._database.read(look)
        if approval is None:
            raise NotFound("there is no approval of this id: list them to see the ids")
        return self._as_of_now(approval)

    def list(
        self, state: State | None = None, *, limit: int = 100, after: str | None = None
    ) -> list[Approval]:
        """Return approvals, newest first.

        Args:
            state: Only those in this state.
            limit: The most to return.
            after: The id of the last one seen, to go on from there.
        """
        clause, values = _filter(state, after)

        def look(connection: sqlite3.Connection) -> list[Approval]:
            return _select(connection, clause, (*values, limit))

        return [self._as_of_now(approval) for approval in self._database.read(look)]

    def of_agent(self, agent_id: str, limit: int) -> tuple[Approval, ...]:
        """Return one agent's approvals, newest first."""

        def look(connection: sqlite3.Connection) -> Sequence[Approval]:
            clause = "WHERE agent_id = ? ORDER BY rowid DESC LIMIT ?"
            return _select(connection, clause, (agent_id, limit))

        return tuple(self._as_of_now(found) for found in self._database.read(look))

    def add(self, connection: sqlite3.Connection, new: Mapping[str, Any]) -> Approval:
        """Queue a call, or find the pending approval of an equal one.

        Args:
            connection: Inside a change of the database.
            new: The columns that describe the call.
        """
        now = time.time()
        _expire(connection, now)
        found = _select(
            connection, "WHERE digest = ? AND state = 'pending'", (new["digest"],)
        )
        if found:
            return found[0]
        approval = Approval(
            id=f"apr_{secrets.token_hex(10)}",
            state="pending",
            created_at=now,
            expires_at=now + self._seconds,
            **new,
        )
        row = approval.model_dump()
        row.update({key: _dumped(row[key]) for key in _JSON_COLUMNS})
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        connection.execute(f"INSERT INTO approvals ({names}) VALUES ({marks})", row)  # noqa: S608 - names are the model's own fields
        return approval

    def take(
        self,
        connection: sqlite3.Connection,
        approval_id: str,
        *,
        state: Literal["running", "denied"],
        person: str,
        reason: str | None,
    ) -> None:
        """Decide a pending approval; only the first who tries succeeds.

        Raises:
            ApprovalClosed: It is no longer pending, or has expired.
        """
        now = time.time()
        _expire(connection, now)
        taken = connection.execute(
            "UPDATE approvals SET state = ?, decided_at = ?, decided_by = ?,"
            " decision_reason = ? WHERE id = ? AND state = 'pending'",
            (state, now, person, reason, approval_id),
        )
        if taken.rowcount == 0:
            raise closed(_state(connection, approval_id))

    def finish(
        self, connection: sqlite3.Connection, approval_id: str, answer: Answer
    ) -> None:
        """Store what came of an approval, for it and for the calls that wait for it."""
        state = {"ok": "done", "denied": "denied"}.get(answer.status, "failed")
        stored = answer.model_dump_json()
        connection.execute(
            "UPDATE approvals SET state = ?, answer = ? WHERE id = ?",
            (state, stored, approval_id),
        )
        connection.execute(
            "UPDATE tool_calls SET answer = ? WHERE approval_id = ?",
            (stored, approval_id),
        )

    def _as_of_now(self, approval: Approval) -> Approval:
        """An approval whose time has passed, though no change has said so yet."""
        now, decided = time.time(), approval.decided_at
        if approval.state == "pending" and approval.expires_at <= now:
            return approval.model_copy(update={"state": "expired"})
        if approval.state != "running" or decided is None:
            return approval
        if decided + self._run_seconds >= now:
            return approval
        return approval.model_copy(update={"state": "interrupted"})


def closed(state: str | None) -> ApprovalClosed | NotFound:
    """Make the error for an approval that cannot be decided any more."""
    if state is None:
        return NotFound("there is no approval of this id: list them to see the ids")
    return ApprovalClosed(
        f"the approval is {state} and can no longer be decided",
        alternative="the agent may ask again; that makes a new approval",
    )


def _filter(state: State | None, after: str | None) -> tuple[str, tuple[Any, ...]]:
    conditions = ["1"]
    values: list[str] = []
    if state is not None:
        conditions.append("state = ?")
        values.append(state)
    if after is not None:
        conditions.append("rowid < (SELECT rowid FROM approvals WHERE id = ?)")
        values.append(after)
    return f"WHERE {' AND '.join(conditions)} ORDER BY rowid DESC LIMIT ?", tuple(
        values
    )


def _select(
    connection: sqlite3.Connection, clause: str, values: tuple[Any, ...]
) -> list[Approval]:
    names = ", ".join(Approval.model_fields)
    rows = connection.execute(f"SELECT {names} FROM approvals {clause}", values)  # noqa: S608 - names and clauses are this module's own
    approvals = []
    for values_of_row in rows:
        row = dict(zip(Approval.model_fields, values_of_row, strict=True))
        row.update(
            {key: json.loads(row[key]) for key in _JSON_COLUMNS if row[key] is not None}
        )
        approvals.append(Approval.model_validate(row))
    return approvals


def _state(connection: sqlite3.Connection, approval_id: str) -> str | None:
    found = connection.execute(
        "SELECT state FROM approvals WHERE id = ?", (approval_id,)
    ).fetchone()
    return None if found is None else str(found[0])


def _expire(connection: sqlite3.Connection, now: float) -> None:
    connection.execute(
        "UPDATE approvals SET state = 'expired'"
        " WHERE state = 'pending' AND expires_at <= ?",
        (now,),
    )


def _dumped(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    return None if value is None else json.dumps(value)


def tier_of(approval: Approval) -> Tier:
    """Return an approval's tier."""
    return Tier[approval.tier]
