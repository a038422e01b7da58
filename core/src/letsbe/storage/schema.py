"""The numbered migrations of each database, and whether a file is one of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from letsbe.errors import StorageError

Step = Callable[[sqlite3.Connection, Path], object]
"""What a migration does beside its statements, before them: given the database, in
the migration's transaction, and its file."""


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One kind of database.

    Args:
        application_id: In the file's header, so that a foreign database is not taken
            for ours.
        folder: Where its migrations lie, below this package.
        steps: What a migration does besides, by its number.
    """

    application_id: int
    folder: str
    steps: Mapping[int, Step] = field(default_factory=dict)


@cache
def migrations(schema: Schema) -> tuple[str, ...]:
    """Return the text of every migration; number ``n`` stands at ``n - 1``."""
    folder = files("letsbe.storage") / schema.folder
    found = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    return tuple(entry.read_text(encoding="utf-8") for entry in found)


def check_schema(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """Say how many migrations are still to be applied.

    Args:
        connection: To the database.
        path: Its file, for errors.
        schema: What it should be.

    Raises:
        StorageError: The file is another program's database or a newer version's.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != schema.application_id and (owner or version or tables):
        message = f"{path} is another program's database: choose another file"
        raise StorageError(message)
    known = len(migrations(schema))
    if version > known:
        message = (
            f"{path} was written by a newer version (schema {version}, this one knows "
            f"{known}): upgrade letsbe-core"
        )
        raise StorageError(message)
    missing: int = known - version
    return missing


def migrate(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Bring a database to the newest schema, in one transaction.

    Args:
        connection: In autocommit mode.
        path: Its file, for errors and for what a migration does besides.
        schema: What it is to be.

    Raises:
        StorageError: As :func:`check_schema`.
    """
    if not check_schema(connection, path, schema):
        return
    scripts = migrations(schema)
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again, as another process may have migrated while this one waited.
        applied = len(scripts) - check_schema(connection, path, schema)
        for number, script in enumerate(scripts[applied:], start=applied + 1):
            if number in schema.steps:
                schema.steps[number](connection, path)
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.application_id}")
        connection.execute(f"PRAGMA user_version = {len(scripts)}")
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
