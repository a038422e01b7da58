"""Working the notices off: to each address on its own, and again until it is there."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

import anyio
import sqlalchemy as sa

from letsbe.plugin import (
    AddressGone,
    Delivered,
    LetsBeError,
    Notice,
    Notifier,
    Rejected,
    TryLater,
)
from letsbe_hub.notifications.notices import TOPIC, Told, tell
from letsbe_hub.notifications.preferences import Audience, recipients
from letsbe_hub.notifications.templates import TEMPLATES
from letsbe_hub.storage import outbox
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.outbox import Entry
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.notices import deliveries, notice_addresses
from letsbe_hub.storage.tables.tenants import tenants

log = logging.getLogger(__name__)

AT_ONCE = 16
SEND_SECONDS = 30.0
TARGET_SECONDS = 30.0
"""Within which an approval's notice is with its channel, for 95 of 100."""
_WINDOW = 3600.0
_RECEIPTS = 500
_RECEIPT_AFTER = 900.0  # Expo has them within about half an hour, and keeps them a day
_RECEIPT_UNTIL = 86_400.0


class Announcer:
    """Sends notices.

    Args:
        store: The database.
        notifiers: The active channels.
        portal: The address of the pages that notices lead to.
    """

    def __init__(
        self, store: Store, notifiers: Iterable[Notifier], portal: str
    ) -> None:
        self._store = store
        self._notifiers = {notifier.name: notifier for notifier in notifiers}
        self._portal = portal

    @property
    def channels(self) -> dict[str, Notifier]:
        """The active channels, by name."""
        return dict(self._notifiers)

    async def deliver(self, *, now: float | None = None) -> int:
        """Send what is due. Returns how many entries were taken."""
        entries = await outbox.claim(self._store, TOPIC, AT_ONCE, now=now)
        async with anyio.create_task_group() as tasks:
            for entry in entries:
                fan_out = entry.payload["kind"] == "fan_out"
                tasks.start_soon(self._fan_out if fan_out else self._attempt, entry)
        return len(entries)

    async def _fan_out(self, entry: Entry) -> None:
        """Make one entry for each address, all in one transaction."""
        await self._store.write_async(lambda c: _spread(c, entry))

    async def _attempt(self, entry: Entry) -> None:
        told = entry.payload
        query = sa.select(notice_addresses).where(
            notice_addresses.c.id == told["address"]
        )
        address = await self._store.read_async(lambda c: c.execute(query).first())
        template = TEMPLATES[told["template"]]
        if address is None or time.time() > told["at"] + template.lifetime:
            state = "gone" if address is None else "expired"
            await self._end(entry, state, f"{state} before it could be sent")
            return
        notifier = self._notifiers.get(address.channel)
        if notifier is None:
            await self._later(entry, f"the channel {address.channel} is not active")
            return
        # An entry of an earlier version does not name the tenant.
        values = {"tenant": "your business"} | told["values"]
        notice = template.notice(told["key"], values, self._portal)
        await self._send(entry, notifier, address.address, notice)

    async def _send(
        self, entry: Entry, notifier: Notifier, address: str, notice: Notice
    ) -> None:
        try:
            with anyio.fail_after(SEND_SECONDS):
                receipt = await notifier.send(address, notice)
        except AddressGone as error:
            await self._end(entry, "gone", error.message)
        except Rejected as error:
            await self._end(entry, "failed", error.message)
        except TryLater as error:
            await self._later(entry, error.message, error.retry_after)
        except TimeoutError:
            await self._later(entry, "the channel did not answer in time")
        except LetsBeError as error:
            await self._end(entry, "failed", error.message)
        except Exception as error:  # noqa: BLE001 - a plugin's; others must go on
            name = type(error).__name__
            log.error("notice %s: the plugin raised %s", notice.key, name)
            await self._later(entry, f"the plugin raised {name}")
        else:
            await self._store.write_async(lambda c: _sent(c, entry, receipt))

    async def _end(self, entry: Entry, state: str, why: str) -> None:
        await self._store.write_async(lambda c: _ended(c, entry, state, why))

    async def _later(self, entry: Entry, why: str, after: float | None = None) -> None:
        await self._store.write_async(
            lambda c: outbox.postpone(c, entry, why, after=after)
        )

    async def ask_receipts(self, *, now: float | None = None) -> int:
        """Ask channels what became of notices that they took a while ago.

        Returns:
            How many answers there were.
        """
        moment = time.time() if now is None else now
        waiting = await self._store.read_async(lambda c: _without_receipt(c, moment))
        answered = 0
        for channel, notifier in self._notifiers.items():
            theirs = {row.receipt: row for row in waiting if row.channel == channel}
            if not theirs:
                continue
            try:
                told = await notifier.receipts(list(theirs))
            except LetsBeError as error:
                log.warning("receipts of %s: %s", channel, error.message)
                continue
            final = {r: s for r, s in told.items() if s is not Delivered.PENDING}
            await self._store.write_async(lambda c, f=final: _answered(c, f))  # type: ignore[misc]  # bound at once
            answered += len(final)
        return answered

    async def alarm_if_slow(self, *, now: float | None = None) -> float | None:
        """Tell staff if the last hour's approval notices were late.

        Returns:
            The 95th percentile of their delay in seconds; ``None`` if there were none.
        """
        moment = time.time() if now is None else now
        slow = await self._store.read_async(lambda c: delay_p95(c, moment))
        if slow is not None and slow > TARGET_SECONDS:
            hour = int(moment // _WINDOW)
            values = {"seconds": round(slow)}
            told = Told(f"slow:{hour}", "slow_notices", values)
            await self._store.write_async(lambda c: tell(c, told, staff=True))
        return slow


def delay_p95(connection: sa.Connection, now: float) -> float | None:
    """Return the 95th percentile of approval notices' delays over the last hour.

    One that was not sent yet counts with the time that it has waited so far.
    """
    rows = connection.execute(
        sa.select(deliveries.c.happened_at, deliveries.c.sent_at).where(
            deliveries.c.category == "approval",
            deliveries.c.happened_at > now - _WINDOW,
            deliveries.c.state.in_(["waiting", "sent", "delivered"]),
        )
    )
    delays = sorted((now if sent is None else sent) - at for at, sent in rows)
    return delays[(len(delays) * 95 + 99) // 100 - 1] if delays else None


def _spread(connection: sa.Connection, entry: Entry) -> None:
    told = entry.payload
    template = TEMPLATES[told["template"]]
    audience = Audience(told["tenant"], told["person"], told["staff"])
    if told["tenant"] is not None and "tenant" not in told["values"]:
        # Whoever has several is to know which; found here, as nobody waits for it.
        query = sa.select(tenants.c.name).where(tenants.c.id == told["tenant"])
        named = {"tenant": connection.scalar(query)}
        told = {**told, "values": named | told["values"]}
    for address in recipients(connection, audience, template.category):
        id_ = new_id("ntc")
        connection.execute(
            sa.insert(deliveries).values(
                id=id_,
                notice_key=told["key"],
                address_id=address.id,
                category=template.category,
                happened_at=told["at"],
                state="waiting",
            )
        )
        payload = {**told, "kind": "send", "address": address.id, "delivery": id_}
        outbox.put(connection, TOPIC, id_, id_, payload)
    outbox.settle(connection, entry)
    if template.category == "account":
        _forget_link(connection, entry)


def _sent(connection: sa.Connection, entry: Entry, receipt: str | None) -> None:
    _set(connection, entry, state="sent", sent_at=time.time(), receipt=receipt)
    outbox.settle(connection, entry)
    _forget_link(connection, entry)


def _ended(connection: sa.Connection, entry: Entry, state: str, why: str) -> None:
    _set(connection, entry, state=state, error=why)
    outbox.bury(connection, entry, why)
    _forget_link(connection, entry)
    if state == "gone":
        connection.execute(
            sa.update(notice_addresses)
            .where(notice_addresses.c.id == entry.payload["address"])
            .values(gone_at=time.time())
        )


def _forget_link(connection: sa.Connection, entry: Entry) -> None:
    """Take a one-time link out of an entry that is done."""
    if "token" not in entry.payload["values"]:
        return
    bare = {**entry.payload, "values": {**entry.payload["values"], "token": ""}}
    outbox.rewrite(connection, entry, bare)


def _set(connection: sa.Connection, entry: Entry, **values: Any) -> None:  # noqa: ANN401 - columns
    where = deliveries.c.id == entry.payload["delivery"]
    connection.execute(sa.update(deliveries).where(where).values(**values))


def _without_receipt(connection: sa.Connection, now: float) -> list[sa.Row[Any]]:
    query = (
        sa.select(deliveries.c.receipt, notice_addresses.c.channel)
        .join(notice_addresses)
        .where(
            deliveries.c.state == "sent",
            deliveries.c.receipt.is_not(None),
            deliveries.c.sent_at < now - _RECEIPT_AFTER,
            deliveries.c.sent_at > now - _RECEIPT_UNTIL,
        )
        .limit(_RECEIPTS)
    )
    return list(connection.execute(query))


def _answered(connection: sa.Connection, told: dict[str, Delivered]) -> None:
    for receipt, became in told.items():
        where = deliveries.c.receipt == receipt
        state = became.value
        connection.execute(sa.update(deliveries).where(where).values(state=state))
        if became is Delivered.GONE:
            whose = sa.select(deliveries.c.address_id).where(where)
            connection.execute(
                sa.update(notice_addresses)
                .where(notice_addresses.c.id.in_(whose))
                .values(gone_at=time.time())
            )
