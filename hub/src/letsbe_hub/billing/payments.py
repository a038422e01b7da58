"""What payment services tell: each event once in effect, in whatever order it comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from letsbe.plugin import PaymentEvent, PaymentEventKind
from letsbe_hub.billing import allowances, founding
from letsbe_hub.billing.choices import change_plan
from letsbe_hub.billing.dunning import UNPAID, name_of, note_status
from letsbe_hub.billing.periods import account_of, lock_tenant
from letsbe_hub.billing.rates import Rates
from letsbe_hub.notifications.notices import Told, tell
from letsbe_hub.storage.tables.payments import billing_accounts as accounts
from letsbe_hub.storage.tables.payments import payment_events as events
from letsbe_hub.storage.tables.tenants import tenants


def apply_events(
    connection: sa.Connection,
    backend: str,
    told: Sequence[PaymentEvent],
    rates: Rates,
) -> list[str]:
    """Apply events, each in the same transaction as the note that it came.

    Args:
        connection: A write's.
        backend: Who told them, after it verified them.
        told: The events.
        rates: What usage costs.

    Returns:
        What became of each.
    """
    return [_apply(connection, backend, event, rates) for event in told]


def _apply(
    connection: sa.Connection, backend: str, event: PaymentEvent, rates: Rates
) -> str:
    tenant_id = _tenant_of(connection, backend, event, rates)
    if tenant_id is not None:
        lock_tenant(connection, tenant_id)
    if not _first_time(connection, backend, event, tenant_id):
        return "known"
    effect = _effect(connection, event, tenant_id, rates)
    connection.execute(
        sa.update(events)
        .where(events.c.backend == backend, events.c.event_id == event.id)
        .values(effect=effect)
    )
    return effect


def _effect(
    connection: sa.Connection,
    event: PaymentEvent,
    tenant_id: str | None,
    rates: Rates,
) -> str:
    if event.kind is PaymentEventKind.METER_FAULT:
        values = {"what": event.type}
        tell(connection, Told(f"meter:{event.id}", "meter_fault", values), staff=True)
        return "reported"
    if event.kind is PaymentEventKind.IGNORED or tenant_id is None:
        return "ignored"
    account = account_of(connection, tenant_id, rates)
    if event.kind is PaymentEventKind.PAID:
        return _paid(connection, event, account, rates)
    if event.kind is PaymentEventKind.REFUNDED:
        return _refunded(connection, event, account, rates)
    return _subscription(connection, event, account, rates)


def _paid(
    connection: sa.Connection,
    event: PaymentEvent,
    account: sa.Row[Any],
    rates: Rates,
) -> str:
    """Note a payment; the first one claims a founding member's spot."""
    first = min(event.at, account.first_paid_at or event.at)
    _set(connection, account, first_paid_at=float(first))
    if account.internal or account.first_paid_at is not None:
        return "paid"
    refunded = account.refunded_at
    if refunded is not None and refunded <= first + founding.REFUND_SECONDS:
        return "paid, refunded already"
    number = founding.claim(connection, account.tenant_id, event.id, float(first))
    allowances.renew(connection, account.tenant_id, rates)
    return "paid" if number is None else f"founding member {number}"


def _refunded(
    connection: sa.Connection,
    event: PaymentEvent,
    account: sa.Row[Any],
    rates: Rates,
) -> str:
    """Note a whole refund; within 14 days of the first payment a spot is forfeited."""
    if not event.whole:
        return "refunded in part"
    _set(connection, account, refunded_at=float(event.at))
    paid = account.first_paid_at
    if paid is None or event.at > paid + founding.REFUND_SECONDS:
        return "refunded"
    ended = founding.forfeit(
        connection, account.tenant_id, float(event.at), "refunded within 14 days"
    )
    allowances.renew(connection, account.tenant_id, rates)
    return "refunded, spot forfeited" if ended else "refunded"


def _subscription(
    connection: sa.Connection,
    event: PaymentEvent,
    account: sa.Row[Any],
    rates: Rates,
) -> str:
    """Take a subscription's state over, unless a later one is known."""
    read_at = event.read_at if event.read_at is not None else float(event.at)
    if account.status_read_at is not None and read_at < account.status_read_at:
        return "older than what is known"
    _set(
        connection,
        account,
        subscription_status=event.status,
        status_read_at=read_at,
    )
    if event.status is not None:
        note_status(connection, account, event.status, float(event.at), rates)
    plan = connection.scalar(
        sa.select(tenants.c.plan).where(tenants.c.id == account.tenant_id)
    )
    known = event.plan in rates.settings.plan_tokens
    if event.status == "active" and known and event.plan and event.plan != plan:
        change_plan(connection, account.tenant_id, event.plan, rates, "hub")
    if event.status in UNPAID:
        told = Told(
            f"subscription:{account.tenant_id}:{event.status}:{event.id}",
            "subscription",
            {
                "tenant": name_of(connection, account.tenant_id),
                "status": str(event.status).replace("_", " "),
                "days": round(rates.settings.dunning_days),
            },
        )
        tell(connection, told, tenant_id=account.tenant_id, staff=True)
    return f"subscription {event.status}"


def _first_time(
    connection: sa.Connection,
    backend: str,
    event: PaymentEvent,
    tenant_id: str | None,
) -> bool:
    on_sqlite = connection.dialect.name == "sqlite"
    insert = (sqlite.insert if on_sqlite else postgresql.insert)(events).values(
        backend=backend,
        event_id=event.id,
        type=event.type,
        kind=event.kind.value,
        tenant_id=tenant_id,
        happened_at=float(event.at),
        received_at=time.time(),
        effect="",
    )
    # Counted by what comes back: PostgreSQL's driver gives no count of rows here.
    new = insert.on_conflict_do_nothing().returning(events.c.event_id)
    return connection.execute(new).first() is not None


def _tenant_of(
    connection: sa.Connection, backend: str, event: PaymentEvent, rates: Rates
) -> str | None:
    """Find whose event it is: by the customer, or by the order that was paid."""
    query = sa.select(accounts.c.tenant_id).where(
        accounts.c.backend == backend, accounts.c.customer == event.customer
    )
    found = connection.scalar(query) if event.customer else None
    if found is None and event.order:
        query = sa.select(tenants.c.id).where(tenants.c.order_id == event.order)
        found = connection.scalar(query)
        if found is not None:
            account = account_of(connection, str(found), rates)
            if account.customer is None and event.customer:
                _set(connection, account, backend=backend, customer=event.customer)
    return None if found is None else str(found)


def _set(connection: sa.Connection, account: sa.Row[Any], **values: object) -> None:
    where = accounts.c.tenant_id == account.tenant_id
    connection.execute(sa.update(accounts).where(where).values(**values))
