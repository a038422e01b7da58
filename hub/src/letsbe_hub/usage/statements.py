"""The hand-written SQL of usage, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from letsbe_hub.storage.tables.usage import COUNTS, token_usage_buckets
from letsbe_hub.storage.texts import array_of, json_of, rows_of, valued
from letsbe_hub.usage.buckets import Bucket, Counts

_COLUMNS = [column.name for column in token_usage_buckets.columns]
_KEYS = ("tenant_id", "hour", "agent_id", "model")
_REST = [name for name in _COLUMNS if name not in _KEYS]
_KINDS = {"tenant_id": "text", "agent_id": "text", "model": "text"} | {
    "received_at": "double precision"
}
_NAMES = ", ".join(_COLUMNS)
_READ = ", ".join(f"b.{name}" for name in (*_KEYS, "revision", *COUNTS))
_ON_CONFLICT = f"""
ON CONFLICT ({", ".join(_KEYS)}) DO UPDATE SET
{", ".join(f"{name} = excluded.{name}" for name in _REST)}
"""
_SQLITE_PUT = f"""
INSERT INTO token_usage_buckets ({_NAMES}) VALUES {{}} {_ON_CONFLICT}
"""  # noqa: S608 - the names are those of our own table
_SQLITE_PRESENT = f"""
SELECT json_group_array(json_array({_READ})) FROM json_each(?) w
CROSS JOIN token_usage_buckets b
ON b.tenant_id = w.value ->> 0 AND b.hour = w.value ->> 1
"""  # noqa: S608 - as above
_SQLITE_CLOSED = """
SELECT json_group_object(tenant_id, ends_at) FROM (
    SELECT p.tenant_id, max(p.ends_at) AS ends_at FROM json_each(?) w
    CROSS JOIN billing_periods p ON p.tenant_id = w.value AND p.state <> 'open'
    GROUP BY p.tenant_id)
"""
_POSTGRESQL_PUT = f"""
INSERT INTO token_usage_buckets ({_NAMES}) SELECT * FROM unnest({
    ", ".join(f"%s::{_KINDS.get(name, 'bigint')}[]" for name in _COLUMNS)
}) {_ON_CONFLICT}
"""  # noqa: S608 - as above
_POSTGRESQL_PRESENT = f"""
SELECT {_READ} FROM unnest(%s::text[], %s::bigint[]) AS w (tenant_id, hour)
JOIN token_usage_buckets b ON b.tenant_id = w.tenant_id AND b.hour = w.hour
"""  # noqa: S608 - as above
_POSTGRESQL_CLOSED = """
SELECT tenant_id, max(ends_at) FROM billing_periods
WHERE tenant_id = ANY(%s) AND state <> 'open' GROUP BY tenant_id
"""
_POSTGRESQL_LOCK = """
SELECT id FROM tenants WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""


class Statements:
    """What a batch of pushes asks of the database.

    Args:
        sqlite: Whether it is SQLite, which has one writer at a time.
    """

    def __init__(self, *, sqlite: bool) -> None:
        self._sqlite = sqlite

    def lock(self, connection: sa.Connection, tenants: Sequence[str]) -> None:
        """Let no other node change these tenants' usage until the end."""
        if not self._sqlite:
            _cursor(connection).execute(_POSTGRESQL_LOCK, (list(tenants),))

    def closed_until(
        self, connection: sa.Connection, tenants: Sequence[str]
    ) -> dict[str, float]:
        """Return until when each tenant's usage is billed for good."""
        cursor = _cursor(connection)
        if self._sqlite:
            return dict(_one(cursor, _SQLITE_CLOSED, tenants))
        cursor.execute(_POSTGRESQL_CLOSED, (list(tenants),))
        return dict(cursor.fetchall())

    def present(
        self, connection: sa.Connection, wanted: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int, str, str], Bucket]:
        """Return the buckets that are there of these tenants and hours."""
        cursor = _cursor(connection)
        if self._sqlite:
            rows = _one(cursor, _SQLITE_PRESENT, wanted)
        else:
            columns = [array_of(column) for column in zip(*wanted, strict=True)]
            cursor.execute(_POSTGRESQL_PRESENT, columns)
            rows = cursor.fetchall()
        return {
            (tenant, hour, agent, model): Bucket(
                hour, agent, model, revision, Counts._make(counts)
            )
            for tenant, hour, agent, model, revision, *counts in rows
        }

    def put(
        self, connection: sa.Connection, rows: Sequence[tuple[object, ...]]
    ) -> None:
        """Write buckets, new or in place of those that are there."""
        cursor = _cursor(connection)
        if self._sqlite:
            for statement, bound in valued(_SQLITE_PUT, rows):
                cursor.execute(statement, bound)
        else:
            columns = [array_of(column) for column in zip(*rows, strict=True)]
            cursor.execute(_POSTGRESQL_PUT, columns)


def _one(cursor: Any, statement: str, given: Sequence[object]) -> Any:  # noqa: ANN401 - a driver's, and JSON
    cursor.execute(statement, (json_of(given),))
    return rows_of(cursor.fetchone()[0])


def _cursor(connection: sa.Connection) -> Any:  # noqa: ANN401 - either driver's
    return connection.connection.cursor()
