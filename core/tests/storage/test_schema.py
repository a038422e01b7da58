"""Migrations: applied once, never over a newer or a foreign database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from letsbe.errors import StorageError
from letsbe.storage import schema
from letsbe.storage.database import Database
from letsbe.storage.home_schema import HOME, USAGE

TABLES = {
    *("secrets", "approvals", "audit_log", "hub_state", "tool_calls"),
    *("allowed_classes", "reference_marks", "chat_conversations", "chat_events"),
}


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    query = "SELECT name FROM sqlite_schema WHERE type = 'table'"
    found = {row[0] for row in connection.execute(query)}
    connection.close()
    return found


def test_a_new_file_gets_every_table(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Database(path).close()
    assert tables(path) == TABLES


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Database(path) as database:
        database.write(lambda c: c.execute("INSERT INTO hub_state VALUES ('a','b',0)"))
    with Database(path) as database:
        rows = database.read(lambda c: c.execute("SELECT * FROM hub_state").fetchall())
    assert rows == [("a", "b", 0.0)]


@pytest.mark.parametrize("each", [HOME, USAGE])
def test_numbers_follow_each_other(each: schema.Schema) -> None:
    folder = Path(schema.__file__).parent / each.folder
    numbers = sorted(int(file.name[:4]) for file in folder.glob("*.sql"))
    assert numbers == list(range(1, len(schema.migrations(each)) + 1))
    assert set(each.steps) <= set(numbers)


def test_a_newer_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Database(path) as database:
        database.write(lambda c: c.execute("PRAGMA user_version = 999"))
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"schema 999.*upgrade letsbe-core"):
        Database(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    path.chmod(0o600)
    with pytest.raises(StorageError, match="another program's"):
        Database(path)
    assert tables(path) == {"theirs"}


def test_only_what_is_missing_is_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    Database(path).close()
    longer = (*schema.migrations(HOME), "CREATE TABLE added (a TEXT) STRICT;")
    monkeypatch.setattr(schema, "migrations", lambda _: longer)
    with pytest.raises(StorageError, match="older version"):
        Database(path, read_only=True)
    Database(path).close()
    assert tables(path) == {*TABLES, "added"}


def test_a_migration_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    Database(path).close()
    broken = "CREATE TABLE added (a TEXT) STRICT;\nCREATE TABLE secrets (a TEXT);"
    longer = (*schema.migrations(HOME), broken)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "migrations", lambda _: longer)
        with pytest.raises(StorageError):
            Database(path)
    assert tables(path) == TABLES
    Database(path).close()


def test_equal_pending_approvals_cannot_be_two(database: Database) -> None:
    columns = (
        "id, digest, state, agent_id, session_id, tool_name, tool_args, context, tier,"
        " external, rule, reason, plan, created_at, expires_at"
    )

    def add(number: int, state: str) -> None:
        row = (str(number), "d", state, "a", "s", "t", "{}", "{}", "RED", 0)
        values = (*row, "r", "w", "{}", 0, 0)
        marks = ", ".join("?" * len(values))
        insert = f"INSERT INTO approvals ({columns}) VALUES ({marks})"
        database.write(lambda c: c.execute(insert, values))

    add(1, "done")
    add(2, "pending")
    with pytest.raises(sqlite3.IntegrityError):
        add(3, "pending")
    with pytest.raises(sqlite3.IntegrityError):
        add(4, "no such state")
