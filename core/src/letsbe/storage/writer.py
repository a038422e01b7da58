"""One thread that writes, and commits many changes with one flush of the disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from letsbe.errors import StorageError
from letsbe.storage.connection import connect
from letsbe.storage.failures import storage_error, storage_failures

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], Any]
_Job = tuple[Change, "Future[Any]"]

BATCH = 256
"""The most changes of one commit, so that nobody waits for an endless one."""


class Writer:
    """The queue of changes and the thread that works it off.

    The thread starts with the first change, so that reading costs none.

    Args:
        path: The database file, already migrated.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, change: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Queue a change.

        Returns:
            Its answer, once it is committed; or what it raised.

        Raises:
            StorageError: The database is closed.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                message = f"the database {self._path} is closed"
                raise StorageError(message)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="letsbe-writer", daemon=True
                )
                self._thread.start()
            self._queue.put((change, future))
        return future

    def is_current_thread(self) -> bool:
        """Say whether a change is what asks; it would wait for itself."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """Commit what is queued, then stop. More than once does no harm."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        while (batch := self._next_batch()) is not None:
            try:
                if connection is None:
                    connection = connect(self._path, read_only=False)
                _commit(connection, batch)
            except sqlite3.Error as error:
                _fail(batch, storage_error(self._path, error))
                # After an input/output error only a new connection is sure to be well.
                _closed(connection)
                connection = None
            except BaseException as error:  # noqa: BLE001 - the callers get it
                _fail(batch, error)
            # A caller's values must not live on in this frame until the next change.
            del batch
        _closed(connection)

    def _next_batch(self) -> _Batch | None:
        job = self._queue.get()
        if job is None:
            return None
        batch = _Batch(self._path)
        batch.take(job)
        while len(batch.jobs) < BATCH:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                # Seen again when this batch is done.
                self._queue.put(None)
                break
            batch.take(job)
        return batch


class _Batch:
    """Changes of one transaction, and what came of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.jobs: list[_Job] = []
        self.answers: list[tuple[Any, BaseException | None]] = []

    def take(self, job: _Job) -> None:
        """Add a change, unless its caller has gone meanwhile."""
        if job[1].set_running_or_notify_cancel():
            self.jobs.append(job)


def _commit(connection: sqlite3.Connection, batch: _Batch) -> None:
    """Run a batch in one transaction and tell each caller.

    Raises:
        sqlite3.Error: Nothing of it was stored.
    """
    if not batch.jobs:
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        for change, _ in batch.jobs:
            batch.answers.append(_apply(connection, change, batch.path))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    for (_, future), (answer, error) in zip(batch.jobs, batch.answers, strict=True):
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)


def _apply(
    connection: sqlite3.Connection, change: Change, path: Path
) -> tuple[Any, BaseException | None]:
    """Run one change in its own savepoint; what it raises takes back it alone."""
    connection.execute("SAVEPOINT change")
    try:
        with storage_failures(path):
            answer = change(connection)
    except BaseException as error:
        if not connection.in_transaction:
            # A full disk ends the whole transaction, and with it all of the batch.
            raise
        connection.execute("ROLLBACK TO change")
        connection.execute("RELEASE change")
        return None, error
    connection.execute("RELEASE change")
    return answer, None


def _closed(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()


def _fail(batch: _Batch, error: BaseException) -> None:
    for _, future in batch.jobs:
        if not future.done():
            future.set_exception(error)
