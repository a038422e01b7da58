"""A call that comes twice with one id runs once and gets the first answer."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from letsbe.errors import Conflict
from letsbe.storage.database import Database
from letsbe.wrapper.answers import Answer


@dataclass(frozen=True, slots=True)
class CallKey:
    """What makes a call the same call.

    Args:
        agent_id: Who calls.
        session_id: In which session.
        tool_call_id: The runtime's id of the call.
        digest: SHA-256 of the tool's name and arguments, so that a reused id is seen.
    """

    agent_id: str
    session_id: str
    tool_call_id: str
    digest: str

    @property
    def place(self) -> tuple[str, str, str]:
        """The primary key."""
        return self.agent_id, self.session_id, self.tool_call_id


class Retries:
    """The answers given so far, by call.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def earlier(self, key: CallKey) -> Answer | None:
        """Return the answer that this call has already been given, if any.

        Raises:
            Conflict: The id belongs to another call, or the first attempt has no
                answer yet.
        """

        def look(connection: sqlite3.Connection) -> tuple[str, str | None] | None:
            found = connection.execute(
                "SELECT digest, answer FROM tool_calls"
                " WHERE agent_id = ? AND session_id = ? AND tool_call_id = ?",
                key.place,
            ).fetchone()
            return None if found is None else (found[0], found[1])

        found = self._database.read(look)
        if found is None:
            return None
        digest, answer = found
        if digest != key.digest:
            message = "tool_call_id belongs to another call: give each call its own id"
            raise Conflict(message)
        if answer is None:
            raise unanswered()
        return Answer.model_validate_json(answer)

    @staticmethod
    def claim(
        connection: sqlite3.Connection, key: CallKey | None, approval_id: str | None
    ) -> None:
        """Take the id for this call, inside the change that records its intent.

        Raises:
            Conflict: Another attempt of the same call got there first.
        """
        if key is None:
            return
        try:
            connection.execute(
                "INSERT INTO tool_calls (agent_id, session_id, tool_call_id, digest,"
                " approval_id, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (*key.place, key.digest, approval_id, time.time()),
            )
        except sqlite3.IntegrityError:
            raise unanswered() from None

    @staticmethod
    def settle(
        connection: sqlite3.Connection, key: CallKey | None, answer: Answer
    ) -> None:
        """Store the call's answer for attempts to come."""
        if key is not None:
            connection.execute(
                "UPDATE tool_calls SET answer = ? WHERE agent_id = ?"
                " AND session_id = ? AND tool_call_id = ?",
                (answer.model_dump_json(), *key.place),
            )


def unanswered() -> Conflict:
    """Make the error for an attempt whose outcome is not known."""
    return Conflict(
        "an attempt with this tool_call_id has begun and has no outcome: it is still"
        " running, or was cut off; look at its effect before you call again with a"
        " new id"
    )
