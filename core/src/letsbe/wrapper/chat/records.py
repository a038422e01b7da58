"""Conversations on the disk: how their turns ended, through restarts."""

from __future__ import annotations

import json
import sqlite3
import time

from letsbe.storage.database import Database
from letsbe.wrapper.chat.conversations import STRIDE, Conversation, Event

MOST_KEPT, MOST_TURNS_KEPT = 256, 64
"""The most conversations that are kept, and the most turns of each."""

INTERRUPTED = {
    "code": "interrupted",
    "message": "LetsBe was started anew while the agent answered",
    "alternative": "send the message again; what the agent had done is done",
}


class Records:
    """Keeps what a resumed stream needs; nobody waits for it.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begun(self, conversation: Conversation) -> None:
        """Keep that a turn has begun, and forget what is too much."""
        row = (*conversation.place, conversation.run, conversation.turns, time.time())
        oldest = (conversation.turns - MOST_TURNS_KEPT) * STRIDE

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO chat_conversations (agent_id, conversation_id, run, turns,"
                " used_at, under_way) VALUES (?, ?, ?, ?, ?, 1)"
                " ON CONFLICT (agent_id, conversation_id) DO UPDATE SET"
                " turns = excluded.turns, used_at = excluded.used_at, under_way = 1",
                row,
            )
            connection.execute(
                "DELETE FROM chat_events WHERE agent_id = ? AND conversation_id = ?"
                " AND number < ?",
                (*conversation.place, oldest),
            )
            _forget(connection)

        self._database.write_later(keep)

    def ended(self, conversation: Conversation, event: Event) -> None:
        """Keep how a turn ended."""
        data = json.dumps(event.data, ensure_ascii=False)
        row = (*conversation.place, event.number, event.kind, data)

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE chat_conversations SET under_way = 0"
                " WHERE agent_id = ? AND conversation_id = ?",
                conversation.place,
            )
            connection.execute(
                "INSERT INTO chat_events (agent_id, conversation_id, number, kind,"
                " data) SELECT ?, ?, ?, ?, ? WHERE changes()",
                row,
            )

        self._database.write_later(keep)

    def found(self, agent_id: str, conversation_id: str) -> Conversation | None:
        """Return a conversation as it was left, if it is kept.

        A turn that a restart cut off has ended with an error that says so.

        Raises:
            StorageError: It cannot be read.
        """
        place = (agent_id, conversation_id)

        def look(
            connection: sqlite3.Connection,
        ) -> tuple[tuple[str, int, int] | None, list[tuple[int, str, str]]]:
            where = "WHERE agent_id = ? AND conversation_id = ?"
            told = connection.execute(
                f"SELECT run, turns, under_way FROM chat_conversations {where}",  # noqa: S608 - a constant
                place,
            ).fetchone()
            rows = connection.execute(
                f"SELECT number, kind, data FROM chat_events {where} ORDER BY number",  # noqa: S608 - a constant
                place,
            ).fetchall()
            return told, rows

        told, rows = self._database.read(look)
        if told is None:
            return None
        run, turns, under_way = told
        events = [
            Event(run, number, kind, json.loads(data))  # type: ignore[arg-type] # what ended() wrote
            for number, kind, data in rows
        ]
        if under_way:
            number = turns * STRIDE + STRIDE - 1
            events.append(Event(run, number, "error", INTERRUPTED))
        made = Conversation(agent_id, conversation_id, run, turns, events)
        if under_way:
            self.ended(made, events[-1])
        return made

    def named(self, agent_id: str, name: str) -> str | None:
        """Return the id that is so in lower case, of the conversation used last.

        Raises:
            StorageError: It cannot be read.
        """

        def look(connection: sqlite3.Connection) -> str | None:
            found = connection.execute(
                "SELECT conversation_id FROM chat_conversations WHERE agent_id = ?"
                " AND lower(conversation_id) = ? ORDER BY used_at DESC LIMIT 1",
                (agent_id, name),
            ).fetchone()
            return found[0] if found else None

        return self._database.read(look)


def _forget(connection: sqlite3.Connection) -> None:
    """Let the conversations go that were not used for longest."""
    too_many = connection.execute(
        "SELECT agent_id, conversation_id FROM chat_conversations"
        " ORDER BY used_at DESC LIMIT -1 OFFSET ?",
        (MOST_KEPT,),
    ).fetchall()
    for table in ("chat_events", "chat_conversations"):
        connection.executemany(
            f"DELETE FROM {table} WHERE agent_id = ? AND conversation_id = ?",  # noqa: S608 - constants
            too_many,
        )
