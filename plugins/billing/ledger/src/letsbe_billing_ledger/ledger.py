"""The ledger: accounts, lines of units, adjustments of money."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from letsbe.plugin import (
    BillingAccount,
    BillingAdjustment,
    BillingUnits,
    Health,
    Meter,
    Rejected,
    TryLater,
)
from letsbe_billing_ledger.checks import check_adjustment, check_units

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    account TEXT PRIMARY KEY, customer TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL, name TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS units (
    key TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES accounts (customer),
    meter TEXT NOT NULL, quantity INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS units_by_time ON units (customer, meter, at);
CREATE TABLE IF NOT EXISTS adjustments (
    key TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES accounts (customer),
    amount INTEGER NOT NULL, currency TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
"""
_WAIT = 10.0  # seconds for another process of this ledger to finish its write

T = TypeVar("T")


class Ledger:
    """A :class:`letsbe.plugin.BillingBackend` in one SQLite file.

    Args:
        path: The file. It is made with mode 600, and its directory must be there.
    """

    name = "ledger"
    remembers: int | None = None
    accepts_back: int | None = None

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open_account(self, account: BillingAccount) -> str:
        """Write the account down; its customer is ``ledger:`` and its id."""
        customer = f"ledger:{account.id}"

        def write(db: sqlite3.Connection) -> str:
            db.execute(
                "INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT (account)"
                " DO UPDATE SET email = excluded.email, name = excluded.name",
                (account.id, customer, account.email, account.name),
            )
            return customer

        return await self._do(write)

    async def record(self, units: BillingUnits) -> None:
        """Write a line, once.

        Raises:
            Rejected: It is wrong, or its key names another line.
            TryLater: The file cannot be written now.
        """
        check_units(units)
        row = (units.customer, units.meter.value, units.quantity, units.at)

        def write(db: sqlite3.Connection) -> None:
            _insert(db, "units", units.key, row)

        await self._do(write)

    async def recorded(
        self, customer: str, meter: Meter, start: int, end: int
    ) -> int | None:
        """Add up the lines of a span of time."""

        def read(db: sqlite3.Connection) -> int:
            (total,) = db.execute(
                "SELECT COALESCE(SUM(quantity), 0) FROM units"
                " WHERE customer = ? AND meter = ? AND at >= ? AND at < ?",
                (customer, meter.value, start, end),
            ).fetchone()
            return int(total)

        return await self._do(read)

    async def adjust(self, adjustment: BillingAdjustment) -> None:
        """Write an adjustment, once. Raises as :meth:`record`."""
        check_adjustment(adjustment)
        row = (
            adjustment.customer,
            adjustment.amount,
            adjustment.currency,
            adjustment.reason,
        )

        def write(db: sqlite3.Connection) -> None:
            _insert(db, "adjustments", adjustment.key, row)

        await self._do(write)

    async def adjustments(self, customer: str) -> list[BillingAdjustment]:
        """List a customer's adjustments, in the order they were made."""

        def read(db: sqlite3.Connection) -> list[BillingAdjustment]:
            rows = db.execute(
                "SELECT key, customer, amount, currency, reason FROM adjustments"
                " WHERE customer = ? ORDER BY rowid",
                (customer,),
            )
            return [BillingAdjustment(*row) for row in rows]

        return await self._do(read)

    async def check(self) -> Health:
        """Say whether the file can be opened and holds together."""

        def read(db: sqlite3.Connection) -> bool:
            return bool(db.execute("PRAGMA quick_check").fetchone()[0] == "ok")

        try:
            sound = await self._do(read)
        except TryLater as error:
            return Health(False, error.message)
        message = "" if sound else "the ledger's file is damaged: restore it"
        return Health(sound, message)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            try:
                with _transaction(self._path) as db:
                    return work(db)
            except sqlite3.IntegrityError:
                raise Rejected("the ledger knows no such customer") from None
            except (sqlite3.Error, OSError):
                message = f"the ledger {self._path} cannot be used now"
                raise TryLater(message) from None

        return await anyio.to_thread.run_sync(run)


def _insert(
    db: sqlite3.Connection, table: str, key: str, row: tuple[object, ...]
) -> None:
    """Insert a row under a key, or make sure that the very same row is there."""
    places = ", ".join("?" for _ in row)
    found = db.execute(
        f"SELECT * FROM {table} WHERE key = ?",  # noqa: S608 - one of two names
        (key,),
    ).fetchone()
    if found is None:
        db.execute(
            f"INSERT INTO {table} VALUES (?, {places})",  # noqa: S608 - as above
            (key, *row),
        )
    elif found[1:] != row:
        raise Rejected("the key names another line of the ledger")


@contextmanager
def _transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for one transaction that is on disk when it ends."""
    if not path.exists():
        path.touch(mode=0o600)
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.executescript(_SCHEMA)
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
