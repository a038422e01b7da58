"""What the client remembers in ``hub_state``: it survives a kill at any point."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from letsbe.storage.database import Database

_PUT = """
INSERT INTO hub_state (key, value, updated_at) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
"""


class HubState:
    """Named JSON values.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """Return a value; None if there is none."""
        row = self._database.read(
            lambda c: c.execute(
                "SELECT value FROM hub_state WHERE key = ?", (key,)
            ).fetchone()
        )
        return None if row is None else json.loads(row[0])

    def all(self, prefix: str) -> dict[str, Any]:
        """Return the values whose key begins so, by the rest of the key."""
        rows = self._database.read(
            lambda c: c.execute(
                "SELECT key, value FROM hub_state WHERE substr(key, 1, ?) = ?",
                (len(prefix), prefix),
            ).fetchall()
        )
        return {key[len(prefix) :]: json.loads(value) for key, value in rows}

    async def change(self, values: Mapping[str, Any]) -> None:
        """Put values in place, all at once; None takes one away."""
        await self._database.write_async(lambda c: put(c, values))

    def change_now(self, values: Mapping[str, Any]) -> None:
        """As :meth:`change`, for those who have no event loop."""
        self._database.write(lambda c: put(c, values))


def put(connection: sqlite3.Connection, values: Mapping[str, Any]) -> None:
    """Put values in place, inside a change of the database."""
    now = time.time()
    for key, value in values.items():
        if value is None:
            connection.execute("DELETE FROM hub_state WHERE key = ?", (key,))
        else:
            connection.execute(_PUT, (key, json.dumps(value), now))
