"""Accounts and their periods: opened when they are first needed, with their pool.

All of it is done for many tenants at once: after an outage over an anniversary, or in
a month's first minutes, thousands of periods are due together.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing.calendar import anchor_of, periods_of
from letsbe_hub.billing.founding import members_of, multiplier_of
from letsbe_hub.billing.rates import Rates
from letsbe_hub.errors import NotFound
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.billing import billing_periods as periods
from letsbe_hub.storage.tables.payments import billing_accounts as accounts
from letsbe_hub.storage.tables.tenants import tenants

Rows = dict[str, sa.Row[Any]]
"""Rows by their tenant's id."""


def account_of(connection: sa.Connection, tenant_id: str, rates: Rates) -> sa.Row[Any]:
    """Return a tenant's account, made when it is first needed.

    Raises:
        NotFound: There is no such tenant.
    """
    return accounts_of(connection, {tenant_id}, rates)[tenant_id]


def accounts_of(
    connection: sa.Connection, tenant_ids: Collection[str], rates: Rates
) -> Rows:
    """Return the accounts of several tenants.

    Raises:
        NotFound: There is no such tenant.
    """
    found = _accounts(connection, tenant_ids)
    missing = set(tenant_ids) - found.keys()
    if missing:
        locked = lock_tenants(connection, missing)
        missing -= _accounts(connection, missing).keys()
        rows = [
            {
                "tenant_id": tenant_id,
                "anchor_at": anchor_of(locked[tenant_id].created_at),
                "backend": rates.settings.backend,
                "at_limit": rates.settings.at_limit,
            }
            for tenant_id in missing
        ]
        if rows:
            connection.execute(sa.insert(accounts), rows)
        found = _accounts(connection, tenant_ids)
    return found


def lock_tenant(connection: sa.Connection, tenant_id: str) -> sa.Row[Any]:
    """Let nobody else change a tenant's usage or billing until the end.

    Raises:
        NotFound: There is no such tenant.
    """
    return lock_tenants(connection, {tenant_id})[tenant_id]


def lock_tenants(connection: sa.Connection, tenant_ids: Collection[str]) -> Rows:
    """Lock several tenants, in the one order in which everybody does.

    Raises:
        NotFound: There is no such tenant.
    """
    query = sa.select(tenants).where(tenants.c.id.in_(tenant_ids))
    query = query.order_by(tenants.c.id).with_for_update(key_share=True)
    found = {row.id: row for row in connection.execute(query)}
    if len(found) < len(set(tenant_ids)):
        raise NotFound("there is no tenant of this id: list them to see the ids")
    return found


def period_at(
    connection: sa.Connection, tenant_id: str, moment: float, rates: Rates
) -> sa.Row[Any]:
    """Return the period that a moment is in, opened if it is not there yet.

    The tenant is locked by the caller.
    """
    return periods_at(connection, {tenant_id}, moment, rates)[tenant_id]


def periods_at(
    connection: sa.Connection,
    tenant_ids: Collection[str],
    moment: float,
    rates: Rates,
) -> Rows:
    """Return the periods of several tenants that a moment is in, as for one."""
    found = _periods(connection, tenant_ids, moment)
    missing = set(tenant_ids) - found.keys()
    if missing:
        open_periods(connection, [(each, moment) for each in missing], rates)
        found |= _periods(connection, missing, moment)
    return found


def current_period(
    connection: sa.Connection, tenant_id: str, rates: Rates, now: float | None = None
) -> sa.Row[Any]:
    """Lock a tenant and return its present period."""
    lock_tenant(connection, tenant_id)
    moment = time.time() if now is None else now
    return period_at(connection, tenant_id, moment, rates)


def open_periods(
    connection: sa.Connection, places: Collection[tuple[str, float]], rates: Rates
) -> None:
    """Open the periods that moments are in; none of these is there yet.

    Args:
        connection: A write's; the tenants are locked.
        places: A tenant and a moment each; several may mean one period.
        rates: What usage costs.
    """
    ids = {tenant_id for tenant_id, _ in places}
    own = accounts_of(connection, ids, rates)
    founding = members_of(connection, ids)
    query = sa.select(tenants.c.id, tenants.c.plan).where(tenants.c.id.in_(ids))
    plans = {row.id: row.plan for row in connection.execute(query)}
    kept = rates.keep(connection)
    moments: dict[str, list[float]] = defaultdict(list)
    for tenant_id, moment in sorted(places):
        moments[tenant_id].append(moment)
    rows = []
    for tenant_id, starts, ends in (
        (each, *period)
        for each, rising in moments.items()
        for period in periods_of(own[each].anchor_at, rising)
    ):
        plan, account = plans[tenant_id], own[tenant_id]
        multiplier = multiplier_of(founding.get(tenant_id), starts)
        plan_tokens = rates.settings.plan_tokens.get(plan, 0)
        rows.append(
            {
                "id": new_id("per"),
                "tenant_id": tenant_id,
                "starts_at": starts,
                "ends_at": ends,
                "plan": plan,
                "plan_tokens": plan_tokens,
                "multiplier": multiplier,
                "pool_tokens": plan_tokens * multiplier,
                "at_limit": account.at_limit,
                "overage_cap_tokens": account.overage_cap_tokens,
                "state": "open",
                "rates": kept,
            }
        )
    connection.execute(sa.insert(periods), rows)


def _accounts(connection: sa.Connection, tenant_ids: Collection[str]) -> Rows:
    query = sa.select(accounts).where(accounts.c.tenant_id.in_(tenant_ids))
    return {row.tenant_id: row for row in connection.execute(query)}


def _periods(
    connection: sa.Connection, tenant_ids: Collection[str], moment: float
) -> Rows:
    query = sa.select(periods).where(
        periods.c.tenant_id.in_(tenant_ids),
        periods.c.starts_at <= moment,
        periods.c.ends_at > moment,
    )
    return {row.tenant_id: row for row in connection.execute(query)}
