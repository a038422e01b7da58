"""Usage leaves ``letsbe.db`` for a file of its own, and nothing is lost on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from letsbe.errors import StorageError
from letsbe.storage import home_schema, schema
from letsbe.storage.database import Database
from letsbe.storage.home_schema import HOME, USAGE

BUCKET = (3600, "main", "m", 10, 5, 4, 7, 3, 2, 1, 1)
STATE = [
    ("allowance", '{"periods": []}', 1.0),
    ("connection", '"kept"', 2.0),
    ("usage-refused:3600:main:m", "7", 3.0),
    ("usage:3600:main:m", "7", 4.0),
]


@contextmanager
def before(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a database of the version before, with usage in it."""
    old = schema.Schema(HOME.application_id, HOME.folder)
    scripts = schema.migrations(HOME)[:3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "migrations", lambda _: scripts)
        Database(path, schema=old).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        marks = ", ".join("?" * len(BUCKET))
        connection.execute(f"INSERT INTO token_usage VALUES ({marks})", BUCKET)
        connection.execute("INSERT INTO usage_journals VALUES ('abc', 12)")
        connection.executemany("INSERT INTO hub_state VALUES (?, ?, ?)", STATE)
        yield connection


def rows(path: Path, table: str, kind: schema.Schema) -> list[tuple[object, ...]]:
    with Database(path, schema=kind) as database:
        query = f"SELECT * FROM {table} ORDER BY 1"
        return database.read(lambda c: c.execute(query).fetchall())


def usage_file(path: Path) -> Path:
    return path.parent / "usage" / "usage.db"


def check(path: Path) -> None:
    Database(path).close()
    moved = usage_file(path)
    assert rows(moved, "token_usage", USAGE) == [BUCKET]
    assert rows(moved, "usage_journals", USAGE) == [("abc", 12)]
    assert rows(moved, "hub_state", USAGE) == [STATE[0], *STATE[2:]]
    assert rows(path, "hub_state", HOME) == [STATE[1]]
    assert moved.stat().st_mode & 0o777 == 0o600
    assert moved.parent.stat().st_mode & 0o777 == 0o700


def test_everything_moves_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "letsbe.db"
    with before(path):
        pass
    check(path)
    check(path)


def test_a_move_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "letsbe.db"
    with before(path):
        pass

    def cut_off(connection: sqlite3.Connection, file: Path) -> None:
        home_schema.move_usage(connection, file)
        message = "killed"
        raise KeyboardInterrupt(message)

    broken = schema.Schema(HOME.application_id, HOME.folder, {4: cut_off})
    with pytest.raises(KeyboardInterrupt):
        Database(path, schema=broken)
    check(path)


def test_without_usage_no_folder_is_made(tmp_path: Path) -> None:
    Database(tmp_path / "letsbe.db").close()
    assert {p.name for p in tmp_path.iterdir()} == {"letsbe.db"}


def test_what_cannot_be_stored_there_stays_here(tmp_path: Path) -> None:
    path = tmp_path / "letsbe.db"
    with before(path) as connection:
        usage_file(path).parent.write_text("in the way")
        with pytest.raises(StorageError, match="out of the way"):
            Database(path)
        found = connection.execute("SELECT * FROM token_usage").fetchall()
    assert found == [BUCKET]
    usage_file(path).parent.unlink()
    check(path)


def test_a_usage_database_is_none_of_a_home(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Database(path, schema=USAGE).close()
    with pytest.raises(StorageError, match="another program's"):
        Database(path)
