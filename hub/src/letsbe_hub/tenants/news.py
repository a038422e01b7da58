"""What waits for servers that ask for news: many looked up at once.

Every server asks again as soon as its last question is answered, which with ten
thousand of them is some four hundred questions a second.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import sqlalchemy as sa

from letsbe_hub.errors import Overloaded
from letsbe_hub.storage.group_commit import GroupCommit
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.texts import json_of, rows_of

_FOUND = """
k.key_hash, t.config_version, EXISTS (SELECT 1 FROM command_approvals a
    WHERE a.tenant_id = t.id AND a.decided_at IS NOT NULL AND a.delivered_at IS NULL)
"""
_GOOD = """
k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > {now})
AND t.state NOT IN ('suspended', 'closed')
"""
_SQLITE = f"""
SELECT json_group_array(json_array({_FOUND}))
FROM json_each(?) w CROSS JOIN tenant_keys k ON k.key_hash = w.value
JOIN tenants t ON t.id = k.tenant_id WHERE {_GOOD.format(now="?")}
"""  # noqa: S608 - constants
_POSTGRESQL = f"""
SELECT {_FOUND} FROM tenant_keys k JOIN tenants t ON t.id = k.tenant_id
WHERE k.key_hash = ANY(%s) AND {_GOOD.format(now="%s")}
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a server.

    Args:
        config_version: The configuration that is meant for it.
        decision: Whether there is a decision that it has not confirmed.
    """

    config_version: int
    decision: bool


class News:
    """Looks up what waits, for no more servers at once than there is memory for.

    Args:
        store: The database.
        most: How many may wait.
    """

    def __init__(self, store: Store, most: int) -> None:
        self._looks = GroupCommit([store.read], _look, "letsbe-news")
        self._most = most
        self._waiting: set[anyio.CancelScope] = set()

    @contextmanager
    def place(self) -> Iterator[anyio.CancelScope]:
        """Let a server wait for the length of a block.

        Returns:
            What it is to wait in; it ends when this node stops.

        Raises:
            Overloaded: As many wait as may; this one need not ask again soon.
        """
        if len(self._waiting) >= self._most:
            # Its heartbeats tell it of news meanwhile.
            raise Overloaded(random.randint(60, 120))  # noqa: S311 - jitter
        scope = anyio.CancelScope()
        self._waiting.add(scope)
        try:
            yield scope
        finally:
            self._waiting.discard(scope)

    def release(self) -> None:
        """Answer all who wait that there is nothing, as this node stops."""
        for scope in list(self._waiting):
            scope.cancel()

    async def of(self, key_hash: str) -> Waiting | None:
        """Return what waits for the server with a key; None if it is not good now."""
        return await self._looks.submit(key_hash)

    def close(self) -> None:
        """Stop looking up."""
        self._looks.close()


def _look(connection: sa.Connection, hashes: Sequence[str]) -> Sequence[Waiting | None]:
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        cursor.execute(_SQLITE, (json_of(hashes), time.time()))
        rows = rows_of(cursor.fetchone()[0])
    else:
        cursor.execute(_POSTGRESQL, (list(hashes), time.time()))
        rows = cursor.fetchall()
    found = {each: Waiting(version, bool(decided)) for each, version, decided in rows}
    return [found.get(each) for each in hashes]
