"""The audit log: what it keeps, and that it shows every kind of tampering."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import StorageError
from letsbe.storage.audit import AuditEntry, AuditLog, AuditRow
from letsbe.storage.database import Database

KEY = bytes(range(32))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
entries = st.builds(
    AuditEntry,
    kind=st.sampled_from(["start", "denied", "secret"]),
    agent_id=st.none() | st.text(max_size=10),
    tool_name=st.none() | st.text(max_size=10),
    external=st.booleans(),
    rule=st.none() | st.characters(categories=["Cs", "Cc", "Lu"]),
    detail=st.dictionaries(st.text(), json_values, max_size=3),
)


def append(database: Database, log: AuditLog, *rows: AuditEntry) -> list[int]:
    def adding(row: AuditEntry) -> Callable[[sqlite3.Connection], int]:
        return lambda connection: log.append(connection, row)

    return [database.write(adding(row)) for row in rows]


def calls(count: int) -> list[AuditEntry]:
    """Return intents with their outcomes, as calls one after the other write them."""
    rows = []
    for n in range(count):
        rows.append(AuditEntry(kind="intent", tool_name=f"t{n}", tier="GREEN"))
        rows.append(AuditEntry(kind="outcome", tool_name=f"t{n}", intent_seq=2 * n + 1))
    return rows


def tamper(database: Database, *statements: str) -> None:
    """Change the file as someone would who does not have the key."""
    connection = sqlite3.connect(database.path)
    connection.execute("DROP TRIGGER IF EXISTS audit_log_is_not_changed")
    connection.execute("DROP TRIGGER IF EXISTS audit_log_is_not_cut")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_rows_count_from_one_and_name_the_one_before(
    database: Database, log: AuditLog
) -> None:
    assert append(database, log, *calls(2)) == [1, 2, 3, 4]
    rows = log.query()
    assert [row.seq for row in rows] == [1, 2, 3, 4]
    assert [row.prev_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]


def test_a_row_tells_what_was_appended(database: Database, log: AuditLog) -> None:
    entry = AuditEntry(
        kind="intent",
        agent_id="a",
        session_id="s",
        tool_name="shell",
        tier="RED",
        external=True,
        rule="rm.recursive",
        decision="ask",
        approval_id="x",
        intent_seq=None,
        digest="d",
        detail={"b": [1, 2.5, None, "ä"], "a": {"x": True}},
    )
    append(database, log, entry)
    (row,) = log.query()
    assert isinstance(row, AuditRow)
    for name in AuditEntry.__dataclass_fields__:
        assert getattr(row, name) == getattr(entry, name)


def test_time_is_utc_with_microseconds(database: Database, log: AuditLog) -> None:
    append(database, log, AuditEntry(kind="start"))
    time = log.query()[0].time
    assert len(time) == len("2026-01-02T03:04:05.678901+00:00")
    assert datetime.fromisoformat(time).utcoffset() == timedelta(0)


@given(st.lists(entries, max_size=6))
def test_whatever_is_appended_verifies(
    tmp_path_factory: pytest.TempPathFactory, rows: list[AuditEntry]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.db"
    with Database(path) as database:
        log = AuditLog(database, KEY)
        append(database, log, *rows)
        found = log.verify(log.head())
        assert found.ok
        assert found.rows == found.anchored == len(rows)
        stored = [row.detail for row in log.query()]
    # NaN is not equal to itself, so it is compared as the text that it becomes.
    expected = [json.loads(json.dumps(r.detail), parse_constant=str) for r in rows]
    assert stored == expected


def test_an_empty_log_verifies(log: AuditLog) -> None:
    found = log.verify()
    assert found.ok
    assert (found.rows, found.head, log.head()) == (0, None, None)


def test_a_row_whose_change_fails_is_not_there(
    database: Database, log: AuditLog
) -> None:
    def change(connection: sqlite3.Connection) -> None:
        log.append(connection, AuditEntry(kind="intent"))
        raise ZeroDivisionError

    append(database, log, AuditEntry(kind="start"))
    with pytest.raises(ZeroDivisionError):
        database.write(change)
    append(database, log, AuditEntry(kind="start"))
    assert log.verify().ok
    assert [row.kind for row in log.query()] == ["start", "start"]


@pytest.mark.parametrize("detail", [{"a": {1, 2}}, {"a": b"x"}])
def test_what_is_not_json_is_not_stored(
    database: Database, log: AuditLog, detail: dict[str, Any]
) -> None:
    with pytest.raises((TypeError, ValueError)):
        append(database, log, AuditEntry(kind="start", detail=detail))
    assert log.verify().rows == 0


def test_the_database_itself_stops_changes_by_mistake(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(1))
    with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
        database.write(lambda c: c.execute("UPDATE audit_log SET kind = 'x'"))
    with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
        database.write(lambda c: c.execute("DELETE FROM audit_log"))
    assert log.verify().ok


COLUMNS = {
    "time": "'2020-01-01T00:00:00.000000+00:00'",
    "kind": "'denied'",
    "agent_id": "'someone'",
    "session_id": "'other'",
    "tool_name": "NULL",
    "tier": "'RED'",
    "external": "1",
    "rule": "'other'",
    "decision": "'run'",
    "approval_id": "'other'",
    "intent_seq": "1",
    "digest": "'other'",
    "detail": "'{\"a\":1}'",
    "prev_hash": "'" + "0" * 64 + "'",
    "hash": "'" + "0" * 64 + "'",
}


@pytest.mark.parametrize(("column", "value"), COLUMNS.items())
def test_a_changed_row_is_named(
    database: Database, log: AuditLog, column: str, value: str
) -> None:
    append(database, log, *calls(3))
    tamper(database, f"UPDATE audit_log SET {column} = {value} WHERE seq = 3")
    found = log.verify()
    assert not found.ok
    assert found.broken_seq == 3
    assert found.broken_why is not None
    assert "does not match its hash" in found.broken_why


def test_every_column_is_tried_above(database: Database) -> None:
    query = "SELECT name FROM pragma_table_info('audit_log')"
    columns = {row[0] for row in database.read(lambda c: c.execute(query).fetchall())}
    assert columns == {"seq", *COLUMNS}


@pytest.mark.parametrize("value", ["x'00ff'", "1.5", "NULL"])
def test_a_value_of_another_type_is_a_changed_row(
    database: Database, log: AuditLog, value: str
) -> None:
    append(database, log, *calls(2))
    tamper(
        database,
        "CREATE TABLE loose AS SELECT * FROM audit_log",
        "DROP TABLE audit_log",
        "ALTER TABLE loose RENAME TO audit_log",
        f"UPDATE audit_log SET kind = {value}, hash = {value} WHERE seq = 2",
    )
    assert log.verify().broken_seq == 2


def test_the_first_of_several_changed_rows_is_named(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(3))
    tamper(database, "UPDATE audit_log SET rule = 'x' WHERE seq IN (2, 5)")
    assert log.verify().broken_seq == 2


@pytest.mark.parametrize(
    ("first", "last", "named"), [(1, 1, 2), (3, 3, 4), (2, 4, 5), (1, 5, 6)]
)
def test_deleted_rows_are_a_gap(
    database: Database, log: AuditLog, first: int, last: int, named: int
) -> None:
    append(database, log, *calls(3))
    tamper(database, f"DELETE FROM audit_log WHERE seq BETWEEN {first} AND {last}")
    found = log.verify()
    assert not found.ok
    assert found.gaps == ((first, last),)
    assert found.broken_seq == named


def test_a_gap_that_was_closed_up_is_found(database: Database, log: AuditLog) -> None:
    append(database, log, *calls(3))
    tamper(
        database,
        "DELETE FROM audit_log WHERE seq = 3",
        "UPDATE audit_log SET seq = seq - 1 WHERE seq > 3",
    )
    found = log.verify()
    assert found.gaps == ()
    assert found.broken_seq == 3


def test_an_inserted_row_is_named(database: Database, log: AuditLog) -> None:
    append(database, log, *calls(2))
    tamper(
        database,
        "INSERT INTO audit_log SELECT seq + 1, time, kind, agent_id, session_id,"
        " tool_name, tier, external, rule, decision, approval_id, intent_seq, digest,"
        " detail, hash, hash FROM audit_log WHERE seq = 4",
    )
    assert log.verify().broken_seq == 5


def test_rows_that_changed_places_are_named(database: Database, log: AuditLog) -> None:
    append(database, log, *calls(3))
    tamper(
        database,
        "UPDATE audit_log SET seq = 100 WHERE seq = 2",
        "UPDATE audit_log SET seq = 2 WHERE seq = 3",
        "UPDATE audit_log SET seq = 3 WHERE seq = 100",
    )
    assert log.verify().broken_seq == 2


def test_a_row_of_another_log_with_the_same_key_does_not_fit(
    database: Database, log: AuditLog, tmp_path: Path
) -> None:
    append(database, log, *calls(2))
    with Database(tmp_path / "other.db") as other:
        append(other, AuditLog(other, KEY), *calls(2))
    tamper(
        database,
        "DELETE FROM audit_log WHERE seq = 3",
        f"ATTACH '{tmp_path / 'other.db'}' AS other",
        "INSERT INTO audit_log SELECT * FROM other.audit_log WHERE seq = 3",
    )
    found = log.verify()
    assert found.broken_seq == 3
    assert found.broken_why == "it does not follow the row before it"


def test_another_key_fits_no_row(database: Database, log: AuditLog) -> None:
    append(database, log, *calls(2))
    found = AuditLog(database, bytes(32)).verify()
    assert found.broken_seq == 1
    assert found.broken_why is not None
    assert "another key" in found.broken_why


def test_a_tail_that_was_cut_is_found_with_an_anchor(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(3))
    anchor = log.head()
    tamper(database, "DELETE FROM audit_log WHERE seq > 4")
    assert log.verify().ok
    found = log.verify(anchor)
    assert not found.ok
    assert found.broken_seq is None
    assert found.anchor_why == "the log ends at row 4, but row 6 was seen elsewhere"
    assert found.anchored == 0


def test_a_log_emptied_or_written_anew_is_found_with_an_anchor(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(3))
    anchor = log.head()
    tamper(database, "DELETE FROM audit_log")
    assert not log.verify(anchor).ok
    append(database, log, *calls(4))
    assert log.verify().ok
    found = log.verify(anchor)
    assert not found.ok
    assert found.anchor_why == "row 6 is not the one that was seen elsewhere"


def test_an_anchors_row_that_was_deleted_is_found(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(3))
    anchor = log.query(after_seq=2, limit=1)[0]
    tamper(database, "DELETE FROM audit_log WHERE seq = 3")
    found = log.verify((anchor.seq, anchor.hash))
    assert found.anchor_why == "row 3, which was seen elsewhere, is missing"


def test_rows_before_and_after_the_anchor_are_told_apart(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(2))
    anchor = log.head()
    append(database, log, *calls(1))
    found = log.verify(anchor)
    assert found.ok
    assert (found.anchored, found.unanchored) == (4, 2)


def test_a_text_that_is_no_hash_is_a_wrong_anchor(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(1))
    assert not log.verify((2, "ä")).ok


def test_intents_without_outcome_are_listed(database: Database, log: AuditLog) -> None:
    append(
        database,
        log,
        AuditEntry(kind="intent"),
        AuditEntry(kind="intent"),
        AuditEntry(kind="outcome", intent_seq=2),
        AuditEntry(kind="intent"),
        AuditEntry(kind="denied"),
    )
    found = log.verify(log.head())
    assert found.ok
    assert found.open_intents == (1, 4)
    assert found.anchored_open_intents == (1, 4)


@pytest.fixture
def mixed(database: Database, log: AuditLog) -> AuditLog:
    for n in range(6):
        append(
            database,
            log,
            AuditEntry(
                kind="intent" if n % 2 else "denied",
                agent_id="ab"[n % 2],
                tool_name="shell" if n < 3 else "file_read",
                tier="RED" if n == 5 else "GREEN",
            ),
        )
    return log


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"agent_id": "a"}, [1, 3, 5]),
        ({"tool_name": "shell"}, [1, 2, 3]),
        ({"tier": "RED"}, [6]),
        ({"kind": "denied", "tool_name": "file_read"}, [5]),
        ({"after_seq": 4}, [5, 6]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "newest_first": True}, [6, 5]),
        ({"limit": 0}, []),
        ({"limit": -1}, []),
        ({"agent_id": "' OR 1=1 --"}, []),
    ],
)
def test_rows_are_found_by_what_they_tell(
    mixed: AuditLog, filters: dict[str, Any], expected: list[int]
) -> None:
    assert [row.seq for row in mixed.query(**filters)] == expected


def test_a_damaged_row_is_reported_by_a_query(
    database: Database, log: AuditLog
) -> None:
    append(database, log, *calls(1))
    tamper(database, "UPDATE audit_log SET detail = 'no json' WHERE seq = 2")
    with pytest.raises(StorageError, match="row 2 of the audit log is damaged"):
        log.query()


def test_verifying_does_not_hold_up_writers(database: Database, log: AuditLog) -> None:
    append(database, log, *calls(2))
    other = AuditLog(database, KEY)

    def during(connection: sqlite3.Connection) -> int:
        append(database, log, AuditEntry(kind="start"))
        return int(connection.execute("SELECT count(*) FROM audit_log").fetchone()[0])

    look: Callable[[sqlite3.Connection], int] = during
    assert database.read(look) in {4, 5}
    assert other.verify().rows == 5
