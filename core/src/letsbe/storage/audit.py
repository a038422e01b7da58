"""The audit log: appended to, chained, and able to show what was done to it."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from letsbe.errors import StorageError
from letsbe.storage.database import Database
from letsbe.storage.verification import Anchor, Chain, Verification

FIRST = "0" * 64
"""What stands as the previous hash of the first row."""

MOST_ROWS = 10_000
"""The most rows that one query returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What one row tells. Redacted before it gets here.

    Args:
        kind: ``start``, ``intent``, ``outcome``, ``denied``, ``pending``,
            ``approval``, ``secret``, ...
        agent_id: Who called.
        session_id: The runtime's session.
        tool_name: What was called.
        tier: The tier's name.
        external: Whether it reaches the outside.
        rule: The rule that decided.
        decision: What the gate, a person or the execution said.
        approval_id: The approval that it belongs to.
        intent_seq: Of an outcome: the row of its intent.
        digest: The digest of what runs.
        detail: Anything else, as JSON; NaN and infinities are stored as text.
    """

    kind: str
    agent_id: str | None = None
    session_id: str | None = None
    tool_name: str | None = None
    tier: str | None = None
    external: bool = False
    rule: str | None = None
    decision: str | None = None
    approval_id: str | None = None
    intent_seq: int | None = None
    digest: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow(AuditEntry):
    """An entry as it is stored.

    Args:
        seq: Its number, from 1 without gaps.
        time: When it was written, RFC 3339 in UTC with microseconds.
        prev_hash: The hash of the row before, in hexadecimal.
        hash: HMAC-SHA256 over all the rest of the row.
    """

    seq: int
    time: str
    prev_hash: str
    hash: str


_COLUMNS = (
    "seq",
    "time",
    *(f.name for f in fields(AuditEntry)),
    "prev_hash",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)}, hash FROM audit_log"  # noqa: S608 - constants
_INSERT = (
    f"INSERT INTO audit_log ({', '.join(_COLUMNS)}, hash) "  # noqa: S608 - constants
    f"VALUES ({', '.join('?' * (len(_COLUMNS) + 1))})"
)


class AuditLog:
    """The log of one database.

    Args:
        database: Where the rows are.
        key: What the chain is made with; kept where agents cannot read it.
    """

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    def append(self, connection: sqlite3.Connection, entry: AuditEntry) -> int:
        """Add a row, inside a change of :meth:`Database.write`.

        Args:
            connection: The change's connection: the row is stored with what else the
                change does, or not at all.
            entry: What to write.

        Returns:
            The row's number.

        Raises:
            TypeError: ``detail`` is not JSON.
            ValueError: ``detail`` holds itself.
        """
        seq, previous = _head(connection) or (0, FIRST)
        values = (
            seq + 1,
            datetime.now(UTC).isoformat(timespec="microseconds"),
            *_stored(entry),
            previous,
        )
        connection.execute(_INSERT, (*values, _seal(self._key, values)))
        return seq + 1

    def probe(self) -> None:
        """Check that rows could be added, without adding one.

        Raises:
            StorageError: The file cannot be written: the disk is full, or read-only.
        """
        self._database.write(_probe)

    def head(self) -> Anchor | None:
        """Return number and hash of the last row, for keeping elsewhere."""
        return self._database.read(_head)

    def verify(self, anchor: Anchor | None = None) -> Verification:
        """Check every row, in one consistent state.

        Args:
            anchor: A head that was kept elsewhere: shows a tail that was cut off and
                a log that was written anew with the key.

        Raises:
            StorageError: The file cannot be read.
        """

        def walk(connection: sqlite3.Connection) -> Verification:
            chain = Chain(FIRST, anchor)
            for row in connection.execute(f"{_SELECT} ORDER BY seq"):
                values = row[:-1]
                chain.add(
                    seq=row[0],
                    kind=values[_KIND],
                    intent_seq=values[_INTENT],
                    previous=values[-1],
                    stored=row[-1],
                    right=_seal(self._key, values),
                )
            return chain.result()

        return self._database.read(walk)

    def query(
        self,
        *,
        agent_id: str | None = None,
        tool_name: str | None = None,
        tier: str | None = None,
        kind: str | None = None,
        after_seq: int = 0,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[AuditRow]:
        """Find rows.

        Args:
            agent_id: Only this agent's.
            tool_name: Only calls of this tool.
            tier: Only this tier's, by name.
            kind: Only rows of this kind.
            after_seq: Only rows after this number.
            limit: How many at most.
            newest_first: Whether to begin at the end.

        Returns:
            Rows in the order of their numbers, or the other way round.
        """
        wanted = {
            "agent_id": agent_id,
            "tool_name": tool_name,
            "tier": tier,
            "kind": kind,
        }
        filters = {name: value for name, value in wanted.items() if value is not None}
        where = "".join(f" AND {name} = ?" for name in filters)
        order = "DESC" if newest_first else "ASC"
        statement = f"{_SELECT} WHERE seq > ?{where} ORDER BY seq {order} LIMIT ?"
        arguments = (after_seq, *filters.values(), max(0, min(limit, MOST_ROWS)))
        rows = self._database.read(lambda c: c.execute(statement, arguments).fetchall())
        return [_row(row) for row in rows]


_KIND = _COLUMNS.index("kind")
_INTENT = _COLUMNS.index("intent_seq")


def _head(connection: sqlite3.Connection) -> Anchor | None:
    row = connection.execute(
        "SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (row[0], row[1])


def _probe(connection: sqlite3.Connection) -> None:
    # The number is written as it is, so that the page goes to the disk.
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {int(number)}")


def _seal(key: bytes, values: tuple[Any, ...]) -> str:
    """Return the HMAC of a row: its columns, the previous hash last, as JSON."""
    text = json.dumps(values, separators=(",", ":"), default=repr)
    return hmac.new(key, text.encode("ascii"), hashlib.sha256).hexdigest()


def _stored(entry: AuditEntry) -> tuple[str | int | None, ...]:
    """Return an entry's columns exactly as SQLite will give them back."""
    return (
        _text(entry.kind),
        _text(entry.agent_id),
        _text(entry.session_id),
        _text(entry.tool_name),
        _text(entry.tier),
        int(entry.external),
        _text(entry.rule),
        _text(entry.decision),
        _text(entry.approval_id),
        entry.intent_seq,
        _text(entry.digest),
        _json(entry.detail),
    )


def _json(detail: Mapping[str, Any]) -> str:
    try:
        return _dumps(detail, allow_nan=False)
    except ValueError:
        # A caller's 1e999 must not keep its call off the log.
        readable = json.loads(_dumps(detail, allow_nan=True), parse_constant=str)
        return _dumps(readable, allow_nan=False)


def _dumps(detail: Mapping[str, Any], *, allow_nan: bool) -> str:
    return json.dumps(
        dict(detail), sort_keys=True, separators=(",", ":"), allow_nan=allow_nan
    )


def _text(value: str | None) -> str | None:
    """Keep what a caller sent storable: half a surrogate pair is no UTF-8."""
    if value is None:
        return None
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def _row(values: tuple[Any, ...]) -> AuditRow:
    columns = dict(zip((*_COLUMNS, "hash"), values, strict=True))
    columns["external"] = bool(columns["external"])
    try:
        columns["detail"] = json.loads(columns["detail"])
    except (ValueError, TypeError):
        message = (
            f"row {values[0]} of the audit log is damaged: run `letsbe audit verify`"
        )
        raise StorageError(message) from None
    return AuditRow(**columns)
