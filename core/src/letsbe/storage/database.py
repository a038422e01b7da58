"""A SQLite file that many threads and processes use at once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from letsbe.errors import StorageError
from letsbe.storage.connection import connect, create_file, use_wal
from letsbe.storage.failures import storage_failures
from letsbe.storage.home_schema import HOME
from letsbe.storage.schema import Schema, check_schema, migrate
from letsbe.storage.writer import Writer

T = TypeVar("T")


class Database:
    """A file that many threads and processes read and write at once.

    Args:
        path: The file; created with mode 0600 unless ``read_only``.
        read_only: Whether changes are refused. The file must exist and be current.
        schema: What it holds.
        group: The group whose members may use the file as well; none if left out.

    Raises:
        StorageError: The file cannot be used, is another program's, or was written by
            a newer version.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        schema: Schema = HOME,
        group: int | None = None,
    ) -> None:
        self.path = path
        self._schema = schema
        self._group = group
        self.read_only = read_only
        self._readers: deque[sqlite3.Connection] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._writer = Writer(path)
        if read_only:
            self._check()
        else:
            self._prepare()

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a question from one consistent state; never waits for writers.

        Args:
            query: Runs statements that change nothing.

        Returns:
            What the query returns.

        Raises:
            StorageError: The file cannot be read or the database is closed.
        """
        with storage_failures(self.path):
            connection = self._take_reader()
            try:
                connection.execute("BEGIN")
                answer = query(connection)
                connection.execute("COMMIT")
            except BaseException:
                # The connection's state is unknown now, so nobody else gets it.
                connection.close()
                raise
            self._give_back(connection)
            return answer

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Make a change, all of it or nothing, and return once it is on the disk.

        Changes are made in the order they came. Many that wait at once share one
        commit; one that raises is taken back alone.

        Args:
            change: Runs statements; starts and ends no transaction itself, and calls
                neither :meth:`write` nor anything slow.

        Returns:
            What the change returns.

        Raises:
            StorageError: Nothing was stored: the disk is full, the file is read-only,
                damaged or held by another process, or the database is closed.
            Exception: Whatever the change raises; nothing of it was stored.
        """
        return self._submit(change).result()

    async def write_async(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """As :meth:`write`, without blocking the event loop.

        Cancelled while the change waits in the queue, it is not made; cancelled
        later, it is made all the same.
        """
        return await asyncio.wrap_future(self._submit(change))

    def write_later(self, change: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """As :meth:`write`, without waiting: the future tells what came of it."""
        return self._submit(change)

    def close(self) -> None:
        """Store what is queued and let go of the file. Again does no harm."""
        self._writer.close()
        with self._lock:
            self._closed = True
            while self._readers:
                self._readers.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _submit(self, change: Callable[[sqlite3.Connection], T]) -> Future[T]:
        if self.read_only:
            message = f"the database {self.path} was opened to read only"
            raise StorageError(message)
        if self._writer.is_current_thread():
            message = "a change asked for another change and would wait for itself"
            raise RuntimeError(message)
        return self._writer.submit(change)

    def _prepare(self) -> None:
        create_file(self.path, self._group)
        with storage_failures(self.path):
            connection = connect(self.path, read_only=False)
            try:
                check_schema(connection, self.path, self._schema)
                use_wal(connection, self.path)
                migrate(connection, self.path, self._schema)
            finally:
                connection.close()

    def _check(self) -> None:
        with storage_failures(self.path):
            connection = connect(self.path, read_only=True)
            try:
                missing = check_schema(connection, self.path, self._schema)
            finally:
                connection.close()
        if missing:
            message = (
                f"{self.path} is of an older version: open it once with `letsbe up`"
            )
            raise StorageError(message)

    def _take_reader(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                message = f"the database {self.path} is closed"
                raise StorageError(message)
            if self._readers:
                return self._readers.pop()
        connection = connect(self.path, read_only=self.read_only)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._readers.append(connection)
                return
        connection.close()
