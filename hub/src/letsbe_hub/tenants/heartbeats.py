"""Heartbeats: the Hub's hottest write, many to a transaction, in hand-written SQL.

Each is stored before it is answered, and the answer tells in the same transaction what
the server should know: the configuration that is meant for it, whether decisions wait.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from letsbe_hub.storage.group_commit import GroupCommit
from letsbe_hub.storage.store import KeptWriter, Store
from letsbe_hub.storage.texts import json_of, rows_of, valued


@dataclass(frozen=True, slots=True)
class Beat:
    """What a server says of itself, in the order of the columns.

    Args:
        key_hash: Of the key that it came with, which must be good when it is stored.
        tenant_id: Whose server.
        server_id: Which server.
        last_seen_at: When the Hub got it.
        reported_status: ``operational``, ``degraded`` or ``updating``.
        wrapper_version: Of ``letsbe-core``.
        openclaw_version: Of the agent runtime.
        safety_wrapper_url: Where its Safety Wrapper listens.
        config_version: The version that it has applied.
        config_failed_version: A newer one that it could not apply.
        config_error: What was wrong with that.
        audit_seq: The number of its audit log's last row.
        audit_hash: That row's hash.
        approvals_waiting: How many of its approvals the Hub has yet to get.
        usage_waiting: How many of its buckets.
        clock_skew: Seconds by which its clock is ahead.
        details: Anything else, as JSON.
    """

    key_hash: str
    tenant_id: str
    server_id: str
    last_seen_at: float
    reported_status: str
    wrapper_version: str | None
    openclaw_version: str | None
    safety_wrapper_url: str | None
    config_version: int
    config_failed_version: int | None
    config_error: str | None
    audit_seq: int | None
    audit_hash: str | None
    approvals_waiting: int
    usage_waiting: int
    clock_skew: float | None
    details: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a server is told in answer.

    Args:
        config_version: The configuration's version that is meant for it.
        decisions: How many decisions it has not confirmed yet.
        allowance: What its edge is to enforce, as the billing room says.
    """

    config_version: int
    decisions: int
    allowance: Mapping[str, Any] | None


_COLUMNS = [field.name for field in fields(Beat)]
_PLACES = {name: place for place, name in enumerate(_COLUMNS, 1)}
_WHERE = ("tenant_id", "server_id", "key_hash")
_SET = [name for name in _COLUMNS if name not in _WHERE]
_row = attrgetter(*_COLUMNS)  # astuple() would copy every value
_KINDS = {
    "last_seen_at": "double precision",
    "clock_skew": "double precision",
    "config_version": "bigint",
    "config_failed_version": "bigint",
    "audit_seq": "bigint",
    "approvals_waiting": "bigint",
    "usage_waiting": "bigint",
}
_UNDELIVERED = """
(SELECT count(*) FROM command_approvals a WHERE a.tenant_id = t.id
 AND a.decided_at IS NOT NULL AND a.delivered_at IS NULL)
"""
_GOOD = """
k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > b.last_seen_at)
AND t.state NOT IN ('suspended', 'closed')
"""
_SQLITE_TOLD = f"""
SELECT json_group_array(json_array(b.place, t.config_version, {_UNDELIVERED},
    json(t.allowance)))
FROM (SELECT key AS place, value ->> 0 AS tenant_id, value ->> 1 AS server_id,
    value ->> 2 AS key_hash, value ->> 3 AS last_seen_at FROM json_each(?)) b
CROSS JOIN tenant_keys k ON k.key_hash = b.key_hash AND k.tenant_id = b.tenant_id
CROSS JOIN tenants t ON t.id = k.tenant_id
CROSS JOIN server_connections s
    ON s.tenant_id = t.id AND s.server_id = b.server_id
WHERE {_GOOD}
"""  # noqa: S608 - constants; CROSS JOIN keeps SQLite to this order
_SQLITE_SET = f"""
UPDATE server_connections
SET {", ".join(f"{name} = b.column{_PLACES[name]}" for name in _SET)}
FROM (VALUES {{}}) b
WHERE server_connections.tenant_id = b.column{_PLACES["tenant_id"]}
"""  # noqa: S608 - the names are those of our own fields
_POSTGRESQL = f"""
WITH beats AS (
    SELECT * FROM json_to_recordset(%s::json) AS beats ({
    ", ".join(f"{name} {_KINDS.get(name, 'text')}" for name in _COLUMNS)
})
), good AS (
    SELECT b.*, t.id, t.config_version AS wanted, t.allowance
    FROM beats b JOIN tenant_keys k
        ON k.key_hash = b.key_hash AND k.tenant_id = b.tenant_id
    JOIN tenants t ON t.id = k.tenant_id
    WHERE {_GOOD}
), written AS (
    UPDATE server_connections s
    SET {
    ", ".join(
        f"{name} = b.{name}{'::json' if name == 'details' else ''}" for name in _SET
    )
}
    FROM (SELECT DISTINCT ON (tenant_id, server_id) * FROM good
        ORDER BY tenant_id, server_id, last_seen_at DESC) b
    WHERE s.tenant_id = b.tenant_id AND s.server_id = b.server_id
    RETURNING s.tenant_id, s.server_id
)
SELECT json_agg(json_build_array(t.id, t.server_id, t.key_hash, t.wanted,
    {_UNDELIVERED}, t.allowance))
FROM good t JOIN written w ON w.tenant_id = t.id AND w.server_id = t.server_id
"""  # noqa: S608 - as above


class Heartbeats:
    """Takes heartbeats.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._writer = KeptWriter(store)
        apply = _on_sqlite if store.is_sqlite else _on_postgresql
        self._commits: GroupCommit[Beat, Told | None] = GroupCommit(
            [self._writer], apply, "letsbe-heartbeats"
        )

    async def take(self, beat: Beat) -> Told | None:
        """Store a heartbeat.

        Returns:
            What the server is to be told, once the heartbeat is stored. None if it was
            not: its key is not good now, or another server has taken its place.

        Raises:
            StorageUnavailable: It is not known to be stored.
        """
        return await self._commits.submit(beat)

    def check(self) -> None:
        """Make sure that there is room for one more, before its body is read.

        Raises:
            Overloaded: There is none.
        """
        self._commits.check()

    def close(self) -> None:
        """Store what waits."""
        self._commits.close()
        self._writer.close()


def skew(sent_at: float | None, now: float | None = None) -> float | None:
    """Return by how many seconds a server's clock is ahead of the Hub's."""
    if sent_at is None:
        return None
    return round(sent_at - (time.time() if now is None else now), 3)


def _on_sqlite(
    connection: sa.Connection, beats: Sequence[Beat]
) -> Sequence[Told | None]:
    cursor: Any = connection.connection.cursor()
    asked = [(b.tenant_id, b.server_id, b.key_hash, b.last_seen_at) for b in beats]
    cursor.execute(_SQLITE_TOLD, (json_of(asked),))
    told: dict[int, Told] = {
        place: Told(*said) for place, *said in rows_of(cursor.fetchone()[0])
    }
    # Of several by one server the last counts.
    latest = {beats[place].tenant_id: beats[place] for place in sorted(told)}
    for statement, bound in valued(_SQLITE_SET, [_row(b) for b in latest.values()]):
        cursor.execute(statement, bound)
    return [told.get(place) for place in range(len(beats))]


def _on_postgresql(
    connection: sa.Connection, beats: Sequence[Beat]
) -> Sequence[Told | None]:
    # In one order on every node, so that two that share tenants do not wait for each
    # other; of several by one server the last counts.
    latest = {_key(beat): beat for beat in beats}
    rows = json_of(
        [dict(zip(_COLUMNS, _row(latest[k]), strict=True)) for k in sorted(latest)]
    )
    cursor: Any = connection.connection.cursor()
    cursor.execute(_POSTGRESQL, (rows,))
    found = cursor.fetchone()[0] or ()
    told = {tuple(row[:3]): Told(*row[3:]) for row in found}
    return [told.get(_key(beat)) for beat in beats]


def _key(beat: Beat) -> tuple[str, str, str]:
    return beat.tenant_id, beat.server_id, beat.key_hash
