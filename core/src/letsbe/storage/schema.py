"""The numbered migrations, and whether a file is one of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from letsbe.errors import StorageError

APPLICATION_ID = 0x4C424531
"""``LBE1``, in the file's header, so that a foreign database is not taken for ours."""


@cache
def migrations() -> tuple[str, ...]:
    """Return the text of every migration; number ``n`` stands at ``n - 1``."""
    folder = files("letsbe.storage") / "migrations"
    found = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    return tuple(entry.read_text(encoding="utf-8") for entry in found)


def check_schema(connection: sqlite3.Connection, path: Path) -> int:
    """Say how many migrations are still to be applied.

    Raises:
        StorageError: The file is another program's database or a newer version's.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (owner or version or tables):
        message = f"{path} is another program's database: choose another file"
        raise StorageError(message)
    known = len(migrations())
    if version > known:
        message = (
            f"{path} was written by a newer version (schema {version}, this one knows "
            f"{known}): upgrade letsbe-core"
        )
        raise StorageError(message)
    missing: int = known - version
    return missing


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a database to the newest schema, in one transaction.

    Args:
        connection: In autocommit mode.
        path: Its file, for errors.

    Raises:
        StorageError: As :func:`check_schema`.
    """
    if not check_schema(connection, path):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again, as another process may have migrated while this one waited.
        missing = check_schema(connection, path)
        for script in migrations()[len(migrations()) - missing :]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations())}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Split a script, because ``executescript`` would commit before it starts."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
