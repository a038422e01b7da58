"""Delivering lines and adjustments to the plugin that bills them: exactly once.

Before a line is sent for the first time, that is noted. A line that was sent and whose
fate is not known is sent again under its key while the backend remembers keys; once
it is older than that, the backend is asked for the sum of the line's own minute, in
which no other line of its lane falls: it is either the line's quantity, or nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import anyio
import sqlalchemy as sa

from letsbe.plugin import (
    BillingAccount,
    BillingAdjustment,
    BillingBackend,
    BillingUnits,
    Meter,
    Rejected,
    TryLater,
)
from letsbe_hub.billing.charging import TOPIC
from letsbe_hub.errors import LetsBeError
from letsbe_hub.notifications.notices import Told, tell
from letsbe_hub.storage import outbox
from letsbe_hub.storage.outbox import Entry
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.payments import billing_accounts as accounts
from letsbe_hub.storage.tables.payments import billing_adjustments as adjustments
from letsbe_hub.storage.tables.payments import billing_lines as lines
from letsbe_hub.storage.tables.tenants import tenants

log = logging.getLogger(__name__)

AT_ONCE = 8
SEND_SECONDS = 60.0
"""How long a backend may take; less than a lease."""
_MINUTE = 60
_MARGIN = 600.0  # before a backend forgets a key it is asked for a sum instead


class NoBackend(TryLater):
    """The plugin that bills an account is not active; its lines wait."""


class Courier:
    """Works the billing outbox off.

    Args:
        store: The database.
        backends: The active billing backends.
    """

    def __init__(self, store: Store, backends: tuple[BillingBackend, ...]) -> None:
        self._store = store
        self._backends = {backend.name: backend for backend in backends}

    async def deliver(self, *, now: float | None = None) -> int:
        """Deliver what is due, several lanes at once.

        Returns:
            How many entries were taken, whatever became of them.
        """
        entries = await outbox.claim(self._store, TOPIC, AT_ONCE, now=now)
        async with anyio.create_task_group() as tasks:
            for entry in entries:
                tasks.start_soon(self._attempt, entry)
        return len(entries)

    async def _attempt(self, entry: Entry) -> None:
        send = self._line if entry.payload["kind"] == "units" else self._adjustment
        try:
            with anyio.fail_after(SEND_SECONDS):
                await send(entry)
        except Rejected as error:
            await self._store.write_async(lambda c, e=error: self._reject(c, entry, e))  # type: ignore[misc]  # bound at once
        except TryLater as error:
            await self._postpone(entry, error.message, error.retry_after)
        except TimeoutError:
            await self._postpone(entry, "the backend did not answer in time", None)
        except LetsBeError as error:
            await self._postpone(entry, error.message, None)
        except Exception as error:  # noqa: BLE001 - a plugin's; the line must wait
            name = type(error).__name__
            log.error("billing entry %s: the plugin raised %s", entry.id, name)
            await self._postpone(entry, f"the plugin raised {name}", None)

    async def _line(self, entry: Entry) -> None:
        key = entry.payload["line"]
        line = await self._store.write_async(lambda c: _sending(c, key))
        backend, customer = await self._customer(line.tenant_id)
        units = BillingUnits(key, customer, Meter(line.meter), line.quantity, line.at)
        age = time.time() - line.first_sent_at
        remembers = backend.remembers
        forgotten = remembers is not None and age > remembers - _MARGIN
        if not (entry.attempts > 1 and forgotten and await _there(backend, units)):
            await backend.record(units)
        await self._store.write_async(lambda c: _recorded(c, entry, lines, key))

    async def _adjustment(self, entry: Entry) -> None:
        id_ = entry.payload["adjustment"]
        query = sa.select(adjustments).where(adjustments.c.id == id_)
        row = await self._store.read_async(lambda c: c.execute(query).one())
        backend, customer = await self._customer(row.tenant_id)
        await backend.adjust(
            BillingAdjustment(id_, customer, row.amount, row.currency, row.reason)
        )
        await self._store.write_async(lambda c: _recorded(c, entry, adjustments, id_))

    async def _customer(self, tenant_id: str) -> tuple[BillingBackend, str]:
        """Return who bills a tenant and as which customer, opened if need be."""
        return await open_customer(self._store, self._backends, tenant_id)

    async def _postpone(self, entry: Entry, why: str, after: float | None) -> None:
        await self._store.write_async(
            lambda c: outbox.postpone(c, entry, why, after=after)
        )

    def _reject(self, connection: sa.Connection, entry: Entry, error: Rejected) -> None:
        units = entry.payload["kind"] == "units"
        table = lines if units else adjustments
        key = entry.payload["line" if units else "adjustment"]
        where = (lines.c.key if units else adjustments.c.id) == key
        changed = {"state": "rejected", "error": error.message}
        connection.execute(sa.update(table).where(where).values(changed))
        outbox.bury(connection, entry, error.message)
        values = {"what": key, "why": error.message}
        told = Told(f"rejected:{key}", "billing_rejected", values)
        tell(connection, told, staff=True)


async def open_customer(
    store: Store, backends: Mapping[str, BillingBackend], tenant_id: str
) -> tuple[BillingBackend, str]:
    """Return the backend that bills a tenant, and its customer, opened if need be.

    Raises:
        TryLater: The backend is not active, or cannot be reached now.
        Rejected: It refuses the account.
    """
    query = sa.select(accounts, tenants.c.name).join(tenants)
    query = query.where(accounts.c.tenant_id == tenant_id)
    account = await store.read_async(lambda c: c.execute(query).one())
    backend = backends.get(str(account.backend))
    if backend is None:
        message = f"the billing plugin {account.backend} is not active: lines wait"
        raise NoBackend(message)
    if account.customer is not None:
        return backend, str(account.customer)
    # The same account gives the same customer, so a kill before the next line is safe.
    email = account.email or f"billing+{tenant_id}@invalid.example"
    customer = await backend.open_account(
        BillingAccount(tenant_id, email, account.name)
    )
    change = (
        sa.update(accounts)
        .where(accounts.c.tenant_id == tenant_id)
        .values(customer=customer)
    )
    await store.write_async(lambda c: c.execute(change))
    return backend, customer


async def _there(backend: BillingBackend, units: BillingUnits) -> bool:
    """Ask a backend whether it has a line whose key it may have forgotten."""
    start = units.at - units.at % _MINUTE
    total = await backend.recorded(units.customer, units.meter, start, start + _MINUTE)
    if total is None:
        raise TryLater("the backend has not counted that far yet")
    if total not in (0, units.quantity):
        message = "the backend's sum is neither with nor without this line: compare it"
        raise Rejected(message)
    return total == units.quantity


def _sending(connection: sa.Connection, key: str) -> sa.Row[Any]:
    """Note when a line is sent for the first time, before it is."""
    unsent = sa.and_(lines.c.key == key, lines.c.first_sent_at.is_(None))
    connection.execute(sa.update(lines).where(unsent).values(first_sent_at=time.time()))
    return connection.execute(sa.select(lines).where(lines.c.key == key)).one()


def _recorded(
    connection: sa.Connection, entry: Entry, table: sa.Table, key: str
) -> None:
    where = (table.c.key if table is lines else table.c.id) == key
    changed: dict[str, Any] = {"state": "recorded", "error": None}
    if table is lines:
        changed["settled_at"] = time.time()
    connection.execute(sa.update(table).where(where).values(changed))
    outbox.settle(connection, entry)
