"""What ``letsbe.db`` holds, and how usage left it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from letsbe.errors import StorageError
from letsbe.storage.connection import connect, create_file, use_wal
from letsbe.storage.schema import Schema, migrate

USAGE = Schema(0x4C425531, "usage_migrations")
"""``LBU1``: the usage of tokens, which the Secrets Proxy writes."""

USAGE_FOLDER, USAGE_FILE = "usage", "usage.db"
"""Where usage lies beside ``letsbe.db``."""

_TABLES = {
    "token_usage": "true",
    "usage_journals": "true",
    "hub_state": "key = 'allowance' OR key GLOB 'usage:*'"
    " OR key GLOB 'usage-refused:*'",
}
"""What left, and which rows of it."""


def move_usage(connection: sqlite3.Connection, path: Path) -> None:
    """Copy usage, and what the Hub said of it, into a file of its own.

    It is stored there before it is gone here, so that a kill at any point loses
    nothing; done twice, it changes nothing.

    Args:
        connection: To the home's database, in a transaction.
        path: Its file.
    """
    rows = {
        name: connection.execute(f"SELECT * FROM {name} WHERE {which}").fetchall()  # noqa: S608 - from the table above
        for name, which in _TABLES.items()
    }
    if not any(rows.values()):
        return
    file = path.parent / USAGE_FOLDER / USAGE_FILE
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        message = f"{file.parent} cannot be made: take what is there out of the way"
        raise StorageError(message) from None
    create_file(file)
    with closing(connect(file, read_only=False)) as usage:
        use_wal(usage, file)
        migrate(usage, file, USAGE)
        usage.execute("BEGIN IMMEDIATE")
        for name, found in rows.items():
            marks = ", ".join("?" * len(found[0])) if found else ""
            usage.executemany(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", found)  # noqa: S608 - as above
        usage.execute("COMMIT")


HOME = Schema(0x4C424531, "migrations", {4: move_usage})
"""``LBE1``: what the Safety Wrapper keeps."""
