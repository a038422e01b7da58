"""One database by its URL, and transactions on it: the same on SQLite and PostgreSQL.

A *read* sees one consistent state. A *write* is all or nothing: on SQLite writers take
turns; on PostgreSQL they run side by side, lock the rows that they depend on
(``with_for_update``, which SQLite ignores and does not need), and are run again when
the database ends one of two that wait for each other.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

import anyio
import sqlalchemy as sa
from anyio import to_thread
from sqlalchemy import event, exc

from letsbe.errors import ConfigurationError
from letsbe.storage.connection import create_file
from letsbe_hub.errors import StorageUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
Begin = Callable[[], AbstractContextManager[sa.Connection]]

CONNECTIONS = 12
"""The most that one node opens, besides those of the two hot writers."""

BUSY_SECONDS = 15.0
"""How long a writer waits for another process on SQLite, or for a connection."""

ATTEMPTS = 5
"""How often a write is run that PostgreSQL ends because of another one."""

_RETRIED = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: PostgreSQL, appendix A."""


Alongside = Callable[[sa.Connection], object]

ALONGSIDE: ContextVar[Alongside | None] = ContextVar("alongside", default=None)
"""What each write of this context does too, in its very transaction: how a request
notes that it was done, so that neither is without the other."""


class Store:
    """The Hub's database.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://USER@HOST/NAME``.

    Raises:
        ConfigurationError: The URL is of neither kind.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.dialect = parsed.get_backend_name()
        named = parsed.set(drivername=self.dialect)  # as it is written, not as opened
        self.shown = named.render_as_string(hide_password=True)
        self.engine = _engine(parsed)
        driver = self.engine.dialect.loaded_dbapi
        # Hand-written SQL meets the driver's own errors, which SQLAlchemy then does
        # not put into its own.
        self._passing = (exc.OperationalError, driver.OperationalError)
        self._unusable = (
            *self._passing,
            exc.InterfaceError,
            driver.InterfaceError,
            exc.TimeoutError,
        )
        self._lock = threading.Lock() if self.is_sqlite else None
        self._limit: anyio.CapacityLimiter | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, where writers take turns."""
        return self.dialect == "sqlite"

    def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Answer a question from one consistent state.

        Raises:
            StorageUnavailable: The database cannot be used now.
        """
        with self._failures(), self.engine.connect() as connection:
            if not self.is_sqlite:
                # One snapshot for all statements, as SQLite has it by itself.
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                return query(connection)

    def write(
        self, change: Callable[[sa.Connection], T], begin: Begin | None = None
    ) -> T:
        """Make a change, all of it or nothing, and return once it is on the disk.

        Args:
            change: May run more than once, so it does nothing but use the connection.
            begin: Begins a transaction on another connection than one of the pool's.

        Raises:
            StorageUnavailable: Nothing was stored, or the connection was lost at the
                very end: run it again.
            Exception: Whatever the change raises; nothing of it was stored.
        """
        alongside = ALONGSIDE.get()
        with self._failures():
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    with self._turn(), (begin or self._beginning)() as connection:
                        done = change(connection)
                        if alongside is not None:
                            alongside(connection)
                        return done
                except self._passing as error:
                    code = getattr(_cause(error), "sqlstate", None)
                    if code not in _RETRIED or attempt == ATTEMPTS:
                        raise
                time.sleep(0.01 * attempt)
        raise AssertionError  # the last attempt returned or raised

    async def read_async(self, query: Callable[[sa.Connection], T]) -> T:
        """As :meth:`read`, without blocking the event loop."""
        return await to_thread.run_sync(
            lambda: self.read(query), limiter=self._places()
        )

    async def write_async(self, change: Callable[[sa.Connection], T]) -> T:
        """As :meth:`write`, without blocking the event loop."""
        return await to_thread.run_sync(
            lambda: self.write(change), limiter=self._places()
        )

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _places(self) -> anyio.CapacityLimiter:
        if self._limit is None:
            self._limit = anyio.CapacityLimiter(CONNECTIONS)
        return self._limit

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        # In one process a queue is fairer than SQLite's own waiting.
        with self._lock:
            yield

    @contextmanager
    def _beginning(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as connection:
            connection.execution_options(letsbe_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except self._unusable as error:
            # Statement and values stay out of the log and the answer.
            kind = type(_cause(error)).__name__
            log.error("the database %s failed: %s", self.shown, kind)
            message = (
                f"the database {self.shown} cannot be used now: check that it runs,"
                " that it can be reached and that its disk has room"
            )
            raise StorageUnavailable(message) from None


class KeptWriter:
    """Writes on one connection that it keeps: for a thread that writes all the time.

    A look whether a pooled connection still lives costs a journey to the database; here
    a dead one is found by the write that fails, and the next one has a new one.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: sa.Connection | None = None

    def __call__(self, change: Callable[[sa.Connection], T]) -> T:
        """As :meth:`Store.write`."""
        return self._store.write(change, self._beginning)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _beginning(self) -> Iterator[sa.Connection]:
        if self._connection is None:
            opened = self._store.engine.connect()
            self._connection = opened.execution_options(letsbe_writes=True)
        try:
            with self._connection.begin():
                yield self._connection
        except BaseException:
            self.close()
            raise


def _cause(error: BaseException) -> BaseException:
    """Return the driver's error, which may be inside one of SQLAlchemy's."""
    return getattr(error, "orig", None) or error


def sqlite_url(path: Path) -> str:
    """Return the URL of a database file."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        parsed = None
    if parsed is not None and parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed is not None and parsed.drivername == "sqlite" and parsed.database:
        return parsed
    message = (
        "the database's URL is neither `sqlite:///PATH` nor"
        " `postgresql://USER:PASSWORD@HOST/NAME`"
    )
    raise ConfigurationError(message)


def _engine(url: sa.URL) -> sa.Engine:
    settings = {"pool_size": CONNECTIONS, "max_overflow": 4, "hide_parameters": True}
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(
            url,
            pool_pre_ping=True,
            pool_timeout=BUSY_SECONDS,
            connect_args={"connect_timeout": 10, "application_name": "letsbe-hub"},
            **settings,
        )
    assert url.database is not None
    create_file(Path(url.database))
    arguments = {
        "timeout": BUSY_SECONDS,
        "check_same_thread": False,
        "isolation_level": None,
    }
    engine = sa.create_engine(url, connect_args=arguments, **settings)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in (
        "journal_mode = WAL",
        # FULL: what was answered is on the disk, also after a power cut.
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A reader that turns writer in the middle could be refused; say so at once.
    writes = connection.get_execution_options().get("letsbe_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
