"""Subscriptions that are not paid: time to pay, then a pause, and an end to it.

A pause takes the pool to nothing, so that agents stop; the server is seen, configured
and decided on as ever, and nothing of its owner's is taken away. Payment ends it.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing import allowances
from letsbe_hub.billing.periods import account_of, lock_tenant
from letsbe_hub.billing.rates import Rates
from letsbe_hub.notifications.notices import Told, tell
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.payments import billing_accounts as accounts
from letsbe_hub.storage.tables.tenants import tenants

UNPAID = frozenset({"past_due", "canceled"})
"""The states of a subscription for which nobody pays."""
ACTOR = "hub"


def note_status(
    connection: sa.Connection,
    account: sa.Row[Any],
    status: str,
    at: float,
    rates: Rates,
) -> None:
    """Note since when an account does not pay, or that it does again.

    Args:
        connection: A write's; the tenant is locked.
        account: The account as it was.
        status: What its subscription is now.
        at: Since when.
        rates: What usage costs.
    """
    if status in UNPAID and account.unpaid_since is None:
        _set(connection, account.tenant_id, unpaid_since=at)
    if status != "active" or account.unpaid_since is None:
        return
    _set(connection, account.tenant_id, unpaid_since=None, paused_at=None)
    if account.paused_at is not None:
        allowances.renew(connection, account.tenant_id, rates)
        _tell(connection, account, "billing.reinstate", "reinstated", {})


def pause_unpaid(store: Store, rates: Rates, *, now: float | None = None) -> int:
    """Pause the tenants whose time to pay is over.

    Returns:
        How many were paused.
    """
    moment = time.time() if now is None else now
    before = moment - rates.settings.dunning_days * 86_400
    query = sa.select(accounts.c.tenant_id).where(
        accounts.c.unpaid_since <= before, accounts.c.paused_at.is_(None)
    )
    due = store.read(lambda c: list(c.scalars(query)))
    paused = 0
    for tenant_id in due:
        paused += store.write(
            lambda c, t=tenant_id: _pause(c, t, before, moment, rates)  # type: ignore[misc]  # bound at once
        )
    return paused


def _pause(
    connection: sa.Connection,
    tenant_id: str,
    before: float,
    moment: float,
    rates: Rates,
) -> bool:
    lock_tenant(connection, tenant_id)
    account = account_of(connection, tenant_id, rates)
    since = account.unpaid_since
    if account.paused_at is not None or since is None or since > before:
        return False  # paid, or paused by another node, a moment ago
    _set(connection, tenant_id, paused_at=moment)
    allowances.renew(connection, tenant_id, rates, now=moment)
    values = {"days": round((moment - since) / 86_400)}
    _tell(connection, account, "billing.pause", "paused", values)
    return True


def _tell(
    connection: sa.Connection,
    account: sa.Row[Any],
    act: str,
    template: str,
    values: dict[str, Any],
) -> None:
    tenant_id = account.tenant_id
    record(connection, ACTOR, act, f"tenant:{tenant_id}", values)
    key = f"{template}:{tenant_id}:{account.unpaid_since:.0f}"
    named = name_of(connection, tenant_id)
    told = Told(key, template, {"tenant": named, **values})
    tell(connection, told, tenant_id=tenant_id, staff=True)


def name_of(connection: sa.Connection, tenant_id: str) -> str:
    """Return how a notice names a tenant: whoever has several is to know which."""
    query = sa.select(tenants.c.name).where(tenants.c.id == tenant_id)
    return f"{connection.scalar(query)} ({tenant_id})"


def _set(connection: sa.Connection, tenant_id: str, **values: object) -> None:
    where = accounts.c.tenant_id == tenant_id
    connection.execute(sa.update(accounts).where(where).values(**values))
