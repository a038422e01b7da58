"""A file for usage that is counted and not yet in the database.

A line is in the hands of the kernel before the answer that it counts has ended, so a
process that dies loses nothing; what it left behind is added at the next start. Lines
are numbered, and the database notes in the same transaction how far it has come, so
that nothing is added twice.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from letsbe.errors import StorageError
from letsbe.proxy.usage import Usage

CUT_AT = 1024 * 1024
"""A journal is emptied at this length, when all of it is in the database."""

_APPLIED = """
INSERT INTO usage_journals (id, applied) VALUES (?, ?)
ON CONFLICT (id) DO UPDATE SET applied = max(applied, excluded.applied)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """The usage of one request.

    Args:
        hour: The hour's start, in seconds since 1970 (UTC).
        agent_id: Whose request.
        model: Which model.
        usage: What it used.
    """

    hour: int
    agent_id: str
    model: str
    usage: Usage


class Journal:
    """The journal of this process, which nobody else writes.

    Args:
        folder: Where journals are kept; made if it is not there.

    Raises:
        StorageError: It cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.id = secrets.token_hex(8)
        self._path = folder / f"{self.id}.jsonl"
        self._number = 0
        self._length = 0
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            # Held for as long as this process lives, however it ends.
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError:
            message = f"{folder} cannot be written to: check who may write there"
            raise StorageError(message) from None

    def append(self, entry: Entry) -> int:
        """Write a line, and return its number.

        Raises:
            StorageError: The disk is full or broken.
        """
        number = self._number + 1
        line = _line(number, entry)
        try:
            written = os.write(self._file, line)
        except OSError:
            written = 0
        if written != len(line):
            # A line that was cut off has no end, and is not read back.
            message = f"{self._path} cannot be written to: free some space"
            raise StorageError(message)
        self._number = number
        self._length += len(line)
        return number

    def note(self, connection: sqlite3.Connection, number: int) -> None:
        """Note in a transaction that every line up to one is added by it."""
        connection.execute(_APPLIED, (self.id, number))

    def trim(self, number: int) -> None:
        """Empty the file if it is long, and one's line is its last."""
        if number == self._number and self._length > CUT_AT:
            os.ftruncate(self._file, 0)
            self._length = 0

    def close(self) -> None:
        """Let go of the file, as a process does that ends; its lines stay."""
        os.close(self._file)


def left_behind(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give the journals of processes that are gone: their id and file.

    While one is given, no other process takes it.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.glob("*.jsonl")):
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield path.stem, path
        except BlockingIOError:
            continue
        finally:
            os.close(file)


def entries(path: Path, after: int) -> list[Entry]:
    """Read what a journal holds behind a number; a damaged line is left out.

    Args:
        path: The file.
        after: The number of the last line that is added already.
    """
    found = []
    for line in path.read_bytes().splitlines():
        try:
            number, hour, agent_id, model, *counts = json.loads(line)
        except (ValueError, TypeError):
            continue
        if number > after:
            found.append(Entry(hour, agent_id, model, Usage(*counts)))
    return found


def applied(connection: sqlite3.Connection, journal: str) -> int:
    """Return the number of the last line of a journal that is added already."""
    query = "SELECT applied FROM usage_journals WHERE id = ?"
    row = connection.execute(query, (journal,)).fetchone()
    return int(row[0]) if row else 0


def forget(connection: sqlite3.Connection, journal: str) -> None:
    """Let go of the note about a journal whose file is gone."""
    connection.execute("DELETE FROM usage_journals WHERE id = ?", (journal,))


def _line(number: int, entry: Entry) -> bytes:
    row = [number, entry.hour, entry.agent_id, entry.model, *astuple(entry.usage)]
    # Begins with an end of line too, in case the line before was cut off.
    return b"\n" + json.dumps(row).encode() + b"\n"
