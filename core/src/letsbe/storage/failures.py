"""What SQLite's errors mean, in words that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from letsbe.errors import StorageError

_ADVICE = {
    sqlite3.SQLITE_FULL: "cannot grow because the disk is full: free some space",
    sqlite3.SQLITE_IOERR: "met an input/output error: check the disk it is on",
    sqlite3.SQLITE_BUSY: "is held by another process: end that one or try again",
    sqlite3.SQLITE_LOCKED: "is held by another process: end that one or try again",
    sqlite3.SQLITE_READONLY: "cannot be written: check the owner and mode of the file "
    "and of its folder",
    sqlite3.SQLITE_PERM: "may not be opened: check its owner and mode",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and who "
    "may use it",
    sqlite3.SQLITE_CORRUPT: "is damaged: stop LetsBe and restore it from a backup",
    sqlite3.SQLITE_NOTADB: "is not a database: move it away or restore it from a "
    "backup",
}
_OTHERWISE = "could not be used: check it with `sqlite3 FILE 'PRAGMA integrity_check'`"

_CALLERS_OWN = (sqlite3.IntegrityError, sqlite3.ProgrammingError)
"""A broken constraint is for the caller to handle, wrong use of the library a bug."""


def storage_error(path: Path, error: sqlite3.Error) -> StorageError:
    """Say in our words what an error of SQLite means.

    Args:
        path: The database file.
        error: What SQLite raised; its own text is not passed on.

    Returns:
        An error that names the file and what to do.
    """
    # The low byte is the primary code: https://www.sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return StorageError(f"the database {path} {_ADVICE.get(code, _OTHERWISE)}")


@contextmanager
def storage_failures(path: Path) -> Iterator[None]:
    """Raise :class:`StorageError` where SQLite says that a file cannot be used.

    ``IntegrityError`` and ``ProgrammingError`` pass as they are.
    """
    try:
        yield
    except _CALLERS_OWN:
        raise
    except sqlite3.Error as error:
        raise storage_error(path, error) from None
