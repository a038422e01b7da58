"""Accounts and their periods: opened when they are first needed, with their pool."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing.calendar import anchor_of, period_of
from letsbe_hub.billing.founding import multiplier_at
from letsbe_hub.billing.rates import Rates
from letsbe_hub.errors import NotFound
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.billing import billing_periods as periods
from letsbe_hub.storage.tables.payments import billing_accounts as accounts
from letsbe_hub.storage.tables.tenants import tenants


def account_of(connection: sa.Connection, tenant_id: str, rates: Rates) -> sa.Row[Any]:
    """Return a tenant's account, made when it is first needed.

    Raises:
        NotFound: There is no such tenant.
    """
    query = sa.select(accounts).where(accounts.c.tenant_id == tenant_id)
    found = connection.execute(query).first()
    if found is not None:
        return found
    tenant = lock_tenant(connection, tenant_id)
    found = connection.execute(query).first()
    if found is None:
        connection.execute(
            sa.insert(accounts).values(
                tenant_id=tenant_id,
                anchor_at=anchor_of(tenant.created_at),
                backend=rates.settings.backend,
                at_limit=rates.settings.at_limit,
            )
        )
        found = connection.execute(query).one()
    return found


def lock_tenant(connection: sa.Connection, tenant_id: str) -> sa.Row[Any]:
    """Let nobody else change a tenant's usage or billing until the end.

    Raises:
        NotFound: There is no such tenant.
    """
    query = sa.select(tenants).where(tenants.c.id == tenant_id)
    found = connection.execute(query.with_for_update(key_share=True)).first()
    if found is None:
        raise NotFound("there is no tenant of this id: list them to see the ids")
    return found


def period_at(
    connection: sa.Connection, tenant_id: str, moment: float, rates: Rates
) -> sa.Row[Any]:
    """Return the period that a moment is in, opened if it is not there yet.

    The tenant is locked by the caller.
    """
    query = sa.select(periods).where(
        periods.c.tenant_id == tenant_id,
        periods.c.starts_at <= moment,
        periods.c.ends_at > moment,
    )
    found = connection.execute(query).first()
    if found is None:
        _open(connection, tenant_id, moment, rates)
        found = connection.execute(query).one()
    return found


def current_period(
    connection: sa.Connection, tenant_id: str, rates: Rates, now: float | None = None
) -> sa.Row[Any]:
    """Lock a tenant and return its present period."""
    lock_tenant(connection, tenant_id)
    moment = time.time() if now is None else now
    return period_at(connection, tenant_id, moment, rates)


def _open(
    connection: sa.Connection, tenant_id: str, moment: float, rates: Rates
) -> None:
    account = account_of(connection, tenant_id, rates)
    plan = connection.scalar(sa.select(tenants.c.plan).where(tenants.c.id == tenant_id))
    starts, ends = period_of(account.anchor_at, moment)
    multiplier = multiplier_at(connection, tenant_id, starts)
    plan_tokens = rates.settings.plan_tokens.get(str(plan), 0)
    connection.execute(
        sa.insert(periods).values(
            id=new_id("per"),
            tenant_id=tenant_id,
            starts_at=starts,
            ends_at=ends,
            plan=plan,
            plan_tokens=plan_tokens,
            multiplier=multiplier,
            pool_tokens=plan_tokens * multiplier,
            at_limit=account.at_limit,
            overage_cap_tokens=account.overage_cap_tokens,
            state="open",
            rates=rates.keep(connection),
        )
    )
