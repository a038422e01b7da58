"""The classes of calls that people have allowed: kept, found, used and taken back.

A class belongs to one agent, and to one session if the person chose so. It expires, at
the latest after a day; revoking it counts from the next call on. Whatever happens to
one is on the audit log, and so is each call that ran because of one.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from letsbe.errors import ApprovalChanged, Conflict, InvalidRequest, NotFound
from letsbe.policy.classes import CallClass
from letsbe.storage.audit import AuditEntry, AuditLog
from letsbe.storage.database import Database

MOST_HOURS = 24.0
"""How long a class counts at most, one for a session too: nobody tells us when a
session is over."""


@dataclass(frozen=True, slots=True)
class Allow:
    """A person's wish to allow the class of a call that is being approved.

    Args:
        text: The class's text as that person saw it.
        hours: For how long; ``None`` is for as long as can be, in this session alone.
    """

    text: str
    hours: float | None = None

    def seconds(self) -> float:
        """Return for how long it counts.

        Raises:
            InvalidRequest: That is no time, or too long.
        """
        hours = MOST_HOURS if self.hours is None else self.hours
        if not 0 < hours <= MOST_HOURS:
            message = f"a class is allowed for more than 0 and at most {MOST_HOURS:g} h"
            raise InvalidRequest(message)
        return hours * 3600


def check_shown(call_class: CallClass, allow: Allow) -> None:
    """Make sure that a person saw the very text of what would be allowed.

    Raises:
        ApprovalChanged: It reads otherwise; the error has the text.
        InvalidRequest: The time is none, or too long.
    """
    allow.seconds()
    if allow.text != call_class.text():
        message = f"this is the class that would be allowed: {call_class.text()}"
        instead = "show it to the person and send this very text"
        raise ApprovalChanged(message, alternative=instead)


class AllowedClass(BaseModel):
    """One class that a person allowed."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    id: str
    """The class's id."""
    agent_id: str
    """For which agent."""
    session_id: str | None
    """For which of its sessions; all of them, if none is named."""
    tool_name: str
    """Of which tool."""
    tier: str
    """The strictest tier that it covers."""
    external: bool
    """Whether it covers calls that reach the outside."""
    text: str
    """What it allows, as the person saw it."""
    approval_id: str
    """The approval that it came from."""
    created_at: float
    """When it was allowed, in seconds since 1970 (UTC)."""
    created_by: str
    """By whom."""
    expires_at: float
    """When it ends, likewise."""
    revoked_at: float | None = None
    """When it was taken back, likewise."""
    revoked_by: str | None = None
    """By whom."""
    uses: int = 0
    """How many calls ran because of it."""

    @property
    def live(self) -> bool:
        """Whether it counts now."""
        return self.revoked_at is None and time.time() < self.expires_at


class Allowances:
    """The allowed classes of one tenant.

    Args:
        database: Where they are kept.
        audit: Where each act is recorded.
    """

    def __init__(self, database: Database, audit: AuditLog) -> None:
        self._database = database
        self._audit = audit

    def list(self, *, live: bool = True, limit: int = 1000) -> list[AllowedClass]:
        """Return classes, newest first.

        Args:
            live: Only those that count now.
            limit: The most to return.
        """
        conditions = _LIVE if live else "1"

        def look(connection: sqlite3.Connection) -> list[AllowedClass]:
            return _select(connection, conditions, {"limit": limit})

        return self._database.read(look)

    def covering(
        self, asked: CallClass, agent_id: str, session_id: str
    ) -> AllowedClass | None:
        """Return a class that covers a call, if a person has allowed one.

        Args:
            asked: The class that the call itself stands for.
            agent_id: Who calls.
            session_id: In which session.
        """
        values = {"agent": agent_id, "tool": asked.tool, "session": session_id}

        def look(connection: sqlite3.Connection) -> AllowedClass | None:
            for found in _select(connection, f"{_MINE} AND {_LIVE}", values):
                if _class_of(connection, found.id).covers(asked):
                    return found
            return None

        return self._database.read(look)

    def add(
        self,
        connection: sqlite3.Connection,
        call_class: CallClass,
        *,
        approval_id: str,
        agent_id: str,
        session_id: str,
        person: str,
        allow: Allow,
    ) -> str:
        """Store a class, inside the change that uses up the approval it comes from.

        Returns:
            Its id.
        """
        now = time.time()
        new = AllowedClass(
            id=f"cls_{secrets.token_hex(10)}",
            agent_id=agent_id,
            session_id=session_id if allow.hours is None else None,
            tool_name=call_class.tool,
            tier=str(call_class.tier),
            external=call_class.external,
            text=allow.text,
            approval_id=approval_id,
            created_at=now,
            created_by=person,
            expires_at=now + allow.seconds(),
        )
        row = {**new.model_dump(), "class": json.dumps(call_class.as_json())}
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        connection.execute(
            f"INSERT INTO allowed_classes ({names}) VALUES ({marks})",  # noqa: S608 - names are the model's own fields
            row,
        )
        self._audit.append(connection, _entry(new, "allowed", person))
        return new.id

    @staticmethod
    def use(connection: sqlite3.Connection, class_id: str) -> None:
        """Count a use, inside the change that records the call's intent.

        Raises:
            Conflict: The class was revoked, or expired, since the gate looked.
        """
        used = connection.execute(
            f"UPDATE allowed_classes SET uses = uses + 1 WHERE id = :id AND {_LIVE}",  # noqa: S608 - a constant
            {"id": class_id, "now": time.time()},
        )
        if used.rowcount == 0:
            message = "the class that allowed this call has just ended: call again"
            raise Conflict(message)

    def revoke(self, class_id: str, person: str) -> AllowedClass:
        """Take a class back. One that has ended already stays as it is.

        Raises:
            NotFound: There is none of that id.
        """

        def change(connection: sqlite3.Connection) -> AllowedClass:
            now = time.time()
            ended = connection.execute(
                "UPDATE allowed_classes SET revoked_at = :now, revoked_by = :by"  # noqa: S608 - a constant
                f" WHERE id = :id AND {_LIVE}",
                {"id": class_id, "now": now, "by": person},
            )
            found = _select(connection, "id = :id", {"id": class_id})
            if not found:
                message = "there is no class of this id: list them to see the ids"
                raise NotFound(message)
            if ended.rowcount:
                self._audit.append(connection, _entry(found[0], "revoked", person))
            return found[0]

        return self._database.write(change)


_LIVE = "revoked_at IS NULL AND expires_at > :now"
_MINE = (
    "agent_id = :agent AND tool_name = :tool"
    " AND (session_id IS NULL OR session_id = :session)"
)


def _select(
    connection: sqlite3.Connection, conditions: str, values: Mapping[str, Any]
) -> list[AllowedClass]:
    names = ", ".join(AllowedClass.model_fields)
    rows = connection.execute(
        f"SELECT {names} FROM allowed_classes WHERE {conditions}"  # noqa: S608 - this module's own words
        " ORDER BY rowid DESC LIMIT :limit",
        {"limit": -1, "now": time.time(), **values},
    )
    return [
        AllowedClass.model_validate(
            dict(zip(AllowedClass.model_fields, row, strict=True))
        )
        for row in rows
    ]


def _class_of(connection: sqlite3.Connection, class_id: str) -> CallClass:
    query = "SELECT class FROM allowed_classes WHERE id = ?"
    (stored,) = connection.execute(query, (class_id,)).fetchone()
    return CallClass.from_json(json.loads(stored))


def _entry(allowed: AllowedClass, decision: str, person: str) -> AuditEntry:
    return AuditEntry(
        kind="class",
        agent_id=allowed.agent_id,
        session_id=allowed.session_id,
        tool_name=allowed.tool_name,
        tier=allowed.tier,
        external=allowed.external,
        decision=decision,
        approval_id=allowed.approval_id,
        detail={
            "class": allowed.id,
            "text": allowed.text,
            "by": person,
            "expires_at": round(allowed.expires_at, 3),
        },
    )
