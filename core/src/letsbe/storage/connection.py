"""Opening one SQLite file the way every part of LetsBe needs it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from pathlib import Path

from letsbe.errors import StorageError
from letsbe.storage.modes import too_open

BUSY_SECONDS = 15.0
"""How long a connection waits for another process that is writing."""


def create_file(path: Path, group: int | None = None) -> None:
    """Make sure that the file is there and only its owner may open it.

    SQLite gives its ``-wal`` and ``-shm`` files the mode of the database.

    Args:
        path: The file.
        group: The group whose members may open it as well; none if left out.

    Raises:
        StorageError: It cannot be created, or others may open it.
    """
    try:
        status = _status(path, 0o600 if group is None else 0o660)
    except OSError:
        message = (
            f"the database {path} cannot be opened: check that its folder exists and "
            "who may write to it"
        )
        raise StorageError(message) from None
    if not stat.S_ISREG(status.st_mode):
        message = f"the database {path} is not a regular file: choose another place"
        raise StorageError(message)
    if too_open(status, group, 0o660):
        message = f"the database {path} is open to others: run `chmod 600 {path}`"
        raise StorageError(message)


def _status(path: Path, mode: int) -> os.stat_result:
    """Return a file's state; make the file first if it is not there."""
    try:
        return path.stat()
    except FileNotFoundError:
        pass
    # Never opened once it is a database: closing it would let go of every lock that
    # this process has on it, and another process could take its log away
    # (https://www.sqlite.org/howtocorrupt.html, 2.2).
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with contextlib.suppress(FileExistsError):
        file = os.open(path, flags, mode)
        # Whatever the umask; the group is that of the folder, which hands it on.
        os.fchmod(file, mode)
        os.close(file)
    return path.stat()


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a connection in autocommit mode that any thread may use, one at a time.

    Args:
        path: The database file, which exists.
        read_only: Whether every change is refused, also by SQLite itself.

    Raises:
        sqlite3.Error: The file cannot be used.
    """
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        # FULL: what was answered is on the disk, also after a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        # Erased values leave no bytes behind in free pages.
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Switch the file to write-ahead logging, where readers and writers never wait.

    Raises:
        StorageError: The file system cannot do it.
        sqlite3.OperationalError: Another process holds the file for too long.
    """
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            # SQLite does not wait here when two processes create one file.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            message = (
                f"the database {path} is on a file system without write-ahead logging: "
                "put the home folder on a local disk"
            )
            raise StorageError(message)
        return
