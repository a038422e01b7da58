"""What a tenant's edge enforces by itself, Hub or no Hub: limits with their times.

It goes to the tenant with each heartbeat's answer. Two periods are told, so that a
Hub that is away over an anniversary stops nobody and lets nobody run on.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing.calendar import period_of
from letsbe_hub.billing.founding import members_of, multiplier_of
from letsbe_hub.billing.periods import accounts_of, periods_at
from letsbe_hub.billing.rates import Rates
from letsbe_hub.storage.tables.tenants import tenants


def renew(
    connection: sa.Connection,
    tenant_id: str,
    rates: Rates,
    *,
    now: float | None = None,
) -> dict[str, Any]:
    """Work out a tenant's allowance and keep it with the tenant, which is locked.

    Returns:
        The allowance.
    """
    return renew_all(connection, {tenant_id}, rates, now=now)[tenant_id]


def renew_all(
    connection: sa.Connection,
    tenant_ids: Collection[str],
    rates: Rates,
    *,
    now: float | None = None,
) -> dict[str, dict[str, Any]]:
    """Work out the allowances of several tenants, as :func:`renew` does of one.

    Returns:
        The allowances by tenant.
    """
    moment = time.time() if now is None else now
    own = accounts_of(connection, tenant_ids, rates)
    present = periods_at(connection, tenant_ids, moment, rates)
    founding = members_of(connection, tenant_ids)
    query = sa.select(tenants.c.id, tenants.c.plan).where(tenants.c.id.in_(tenant_ids))
    made = {}
    for tenant_id, plan in connection.execute(query).all():
        account, period = own[tenant_id], present[tenant_id]
        starts, ends = period_of(account.anchor_at, period.ends_at)
        tokens = rates.settings.plan_tokens.get(plan, 0)
        pool = tokens * multiplier_of(founding.get(tenant_id), starts)
        billed = rates.of(connection, period.rates).settings.included_models
        # A pause is of all models.
        counted = billed if account.paused_at is None else ("*",)
        made[tenant_id] = {
            "includedModels": list(counted),
            "unpaid": account.paused_at is not None,
            "periods": [
                _told(
                    account,
                    period,
                    period.starts_at,
                    period.ends_at,
                    period.pool_tokens,
                ),
                _told(account, account, starts, ends, pool),
            ],
        }
    _keep(connection, made)
    return made


def _told(
    account: sa.Row[Any], chosen: sa.Row[Any], starts: float, ends: float, pool: int
) -> dict[str, Any]:
    """Tell of one period; ``chosen`` says what its owner chose for its end."""
    return {
        "startsAt": starts,
        "endsAt": ends,
        "poolTokens": pool,
        "limitTokens": _limit(account, chosen, pool),
    }


def _keep(connection: sa.Connection, made: Mapping[str, Mapping[str, Any]]) -> None:
    change = (
        sa.update(tenants)
        .where(tenants.c.id == sa.bindparam("of_tenant"))
        .values(allowance=sa.bindparam("told"))
    )
    rows = [{"of_tenant": each, "told": told} for each, told in sorted(made.items())]
    connection.execute(change, rows)


def _limit(account: sa.Row[Any], chosen: sa.Row[Any], pool: int) -> int | None:
    """Return where the edge stops; ``None`` for overage without a cap."""
    if account.paused_at is not None:
        return 0
    if chosen.at_limit == "pause":
        return pool
    cap = chosen.overage_cap_tokens
    return None if cap is None else int(pool + cap)
