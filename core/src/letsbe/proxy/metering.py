"""The meter: usage by hour, agent and model."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from letsbe.errors import StorageError
from letsbe.proxy.journal import (
    Entry,
    Journal,
    applied,
    entries,
    forget,
    left_behind,
)
from letsbe.proxy.usage import NOTHING, Usage, difference
from letsbe.storage.database import Database

log = logging.getLogger(__name__)

HOUR = 3600

PAUSE = 0.05
"""Seconds between two writes to the database; what comes meanwhile shares one."""

TROUBLED_PAUSE = 1.0
"""Seconds until another attempt, after one that failed."""

_COLUMNS = tuple(field.name for field in fields(Usage))
_ADD = f"""
INSERT INTO token_usage (hour, agent_id, model, {", ".join(_COLUMNS)}, revision)
VALUES (?, ?, ?, {", ".join("?" * len(_COLUMNS))}, 1)
ON CONFLICT (hour, agent_id, model) DO UPDATE SET
    {", ".join(f"{name} = {name} + excluded.{name}" for name in _COLUMNS)},
    revision = revision + 1
"""  # noqa: S608 - the names are those of our own fields
# A correction may take away; a row with less than nothing could not be put in.
_CORRECT = f"""
UPDATE token_usage
SET {", ".join(f"{name} = max({name} + ?, 0)" for name in _COLUMNS)},
    revision = revision + 1
WHERE hour = ? AND agent_id = ? AND model = ?
"""  # noqa: S608 - as above
_READ = f"""
SELECT hour, agent_id, model, revision, {", ".join(_COLUMNS)} FROM token_usage
WHERE hour >= ? ORDER BY hour DESC, agent_id, model
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one agent used of one model in one hour, so far.

    Args:
        hour: The hour's start, in seconds since 1970 (UTC).
        agent_id: Whose calls.
        model: Which model.
        revision: Grows with every change.
        usage: The sums.
    """

    hour: int
    agent_id: str
    model: str
    revision: int
    usage: Usage


class Meter:
    """Counts usage: at once in a journal, some milliseconds later in the database.

    Args:
        database: Opened for writing.
        journals: The folder of the journals.

    Raises:
        StorageError: What a former process left behind cannot be added, or no journal
            be made.
    """

    def __init__(self, database: Database, journals: Path) -> None:
        self._database = database
        for journal, path in left_behind(journals):
            _add_left_behind(database, journal, path)
        self._journal = Journal(journals)
        self._path = journals / f"{self._journal.id}.jsonl"
        self._waiting: list[Entry] = []
        self._number = 0
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._troubled = False

    def record(self, agent_id: str, model: str, usage: Usage) -> Entry:
        """Count the usage of a request. It outlives this process from now on.

        On a full disk it is kept in memory, and written when there is room again.

        Args:
            agent_id: Whose request.
            model: Which model.
            usage: What it used.

        Returns:
            What was counted, for :meth:`correct`.
        """
        entry = Entry(int(time.time()) // HOUR * HOUR, agent_id, model, usage)
        self._count(entry)
        return entry

    def correct(self, entry: Entry, usage: Usage) -> None:
        """Set right what was counted for a request, in the bucket it was counted in.

        Args:
            entry: What was counted.
            usage: What it used.
        """
        change = difference(usage, entry.usage)
        if change != NOTHING:
            self._count(Entry(entry.hour, entry.agent_id, entry.model, change))

    def _count(self, entry: Entry) -> None:
        try:
            self._number = self._journal.append(entry)
        except StorageError as error:
            log.error("usage is kept in memory for now: %s", error.message)
        self._waiting.append(entry)
        if self._task is None:
            self._task = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Write what is counted, and take the journal away if all of it is written."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if await self._flush():
            self._path.unlink(missing_ok=True)
            await self._database.write_async(lambda c: forget(c, self._journal.id))
        self._journal.close()

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(TROUBLED_PAUSE if self._troubled else PAUSE)
            # Cancelled in the middle, it would not be known what was written.
            await asyncio.shield(self._flush())
        self._task = None

    async def _flush(self) -> bool:
        """Write what waits; tell whether nothing of it is left."""
        async with self._writing:
            return await self._flush_alone()

    async def _flush_alone(self) -> bool:
        batch, number = self._waiting, self._number
        self._waiting = []

        def change(connection: sqlite3.Connection) -> None:
            _add(connection, batch)
            self._journal.note(connection, number)

        try:
            if batch:
                await self._database.write_async(change)
        except (StorageError, sqlite3.Error) as error:
            self._waiting = batch + self._waiting
            if not self._troubled:
                shown = error.message if isinstance(error, StorageError) else "refused"
                log.error("usage waits in its journal: %s", shown)
            self._troubled = True
            return False
        self._troubled = False
        self._journal.trim(number)
        return True


def buckets(database: Database, since: float = 0.0) -> list[Bucket]:
    """Return the buckets of all hours from one on, the newest first.

    Args:
        database: Where they are.
        since: Seconds since 1970 (UTC).

    Raises:
        StorageError: The database cannot be read.
    """
    first = int(since) // HOUR * HOUR
    rows = database.read(lambda c: c.execute(_READ, (first,)).fetchall())
    return [_bucket(*row) for row in rows]


def total(usages: Iterable[Usage]) -> Usage:
    """Add usages up."""
    columns = zip(*(astuple(usage) for usage in usages), strict=True)
    sums = [sum(column) for column in columns] or [0] * len(_COLUMNS)
    return Usage(*sums)


def _add(connection: sqlite3.Connection, added: Iterable[Entry]) -> None:
    together: defaultdict[tuple[int, str, str], list[Usage]] = defaultdict(list)
    for entry in added:
        together[entry.hour, entry.agent_id, entry.model].append(entry.usage)
    for key, usages in together.items():
        counts = astuple(total(usages))
        if min(counts) >= 0:
            connection.execute(_ADD, (*key, *counts))
        else:
            connection.execute(_CORRECT, (*counts, *key))


def _add_left_behind(database: Database, journal: str, path: Path) -> None:
    def change(connection: sqlite3.Connection) -> None:
        _add(connection, entries(path, applied(connection, journal)))
        # Nothing is added again should the file outlive this.
        connection.execute(
            "INSERT OR REPLACE INTO usage_journals VALUES (?, ?)", (journal, 2**62)
        )

    database.write(change)
    path.unlink(missing_ok=True)
    database.write(lambda connection: forget(connection, journal))


def _bucket(
    hour: int, agent_id: str, model: str, revision: int, *counts: int
) -> Bucket:
    return Bucket(hour, agent_id, model, revision, Usage(*counts))
