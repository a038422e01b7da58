"""What the vault tells about a secret: everything but its value."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from letsbe.vault.names import unknown_secret
from letsbe.vault.scopes import ANYWHERE

COLUMNS = "name, version, fingerprint, tools, hosts, created_at"


@dataclass(frozen=True, slots=True)
class SecretRecord:
    """One secret in a listing.

    Args:
        name: Its name.
        version: Counts up with every new value.
        fingerprint: Equal for equal values, and tells nothing of them.
        tools: The tools that may use it.
        hosts: The hosts it may be sent to.
        created_at: When its first value came, in seconds since 1970 (UTC).
        rotated_at: When its newest value came.
    """

    name: str
    version: int
    fingerprint: str
    tools: tuple[str, ...] = ANYWHERE
    hosts: tuple[str, ...] = ANYWHERE
    created_at: float = 0.0
    rotated_at: float = 0.0


_LIST = """
SELECT name, version, fingerprint, tools, hosts, created_at AS rotated_at,
       (SELECT min(o.created_at) FROM secrets o
         WHERE o.name = s.name AND o.state <> 'deleted') AS created_at
  FROM secrets s
 WHERE state = 'current'
"""


def all_records(connection: sqlite3.Connection) -> list[SecretRecord]:
    """Return every secret, sorted by name."""
    rows = connection.execute(f"{_LIST} ORDER BY name").fetchall()
    return [_record(row) for row in rows]


def record_of(connection: sqlite3.Connection, name: str) -> SecretRecord | None:
    """Return one secret, if it is there."""
    row = connection.execute(f"{_LIST} AND name = ?", (name,)).fetchone()
    return None if row is None else _record(row)


def existing(connection: sqlite3.Connection, name: str) -> SecretRecord:
    """Return one secret.

    Raises:
        UnknownSecret: There is none of that name; close names are listed.
    """
    record = record_of(connection, name)
    if record is None:
        known = (other.name for other in all_records(connection))
        raise unknown_secret(name, known)
    return record


def version_of(connection: sqlite3.Connection) -> int:
    """Return the number that grows with every change of the vault."""
    query = "SELECT coalesce(max(changed), 0) FROM secrets"
    return int(connection.execute(query).fetchone()[0])


def _record(row: tuple[str, int, str, str, str, float, float]) -> SecretRecord:
    name, version, fingerprint, tools, hosts, rotated_at, created_at = row
    return SecretRecord(
        name=name,
        version=version,
        fingerprint=fingerprint,
        tools=tuple(json.loads(tools)),
        hosts=tuple(json.loads(hosts)),
        created_at=created_at,
        rotated_at=rotated_at,
    )
