"""What a tenant's edge enforces by itself, Hub or no Hub: limits with their times.

It goes to the tenant with each heartbeat's answer. Two periods are told, so that a
Hub that is away over an anniversary stops nobody and lets nobody run on.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing.calendar import period_of
from letsbe_hub.billing.founding import multiplier_at
from letsbe_hub.billing.periods import account_of, period_at
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
    moment = time.time() if now is None else now
    period = period_at(connection, tenant_id, moment, rates)
    account = account_of(connection, tenant_id, rates)
    starts, ends = period_of(account.anchor_at, period.ends_at)
    plan = connection.scalar(sa.select(tenants.c.plan).where(tenants.c.id == tenant_id))
    tokens = rates.settings.plan_tokens.get(str(plan), 0)
    pool = tokens * multiplier_at(connection, tenant_id, starts)
    billed = rates.of(connection, period.rates).settings.included_models
    counted = billed if account.paused_at is None else ("*",)  # a pause is of them all
    allowance: dict[str, Any] = {
        "includedModels": list(counted),
        "unpaid": account.paused_at is not None,
        "periods": [
            {
                "startsAt": period.starts_at,
                "endsAt": period.ends_at,
                "poolTokens": period.pool_tokens,
                "limitTokens": _limit(account, period, period.pool_tokens),
            },
            {
                "startsAt": starts,
                "endsAt": ends,
                "poolTokens": pool,
                "limitTokens": _limit(account, account, pool),
            },
        ],
    }
    connection.execute(
        sa.update(tenants).where(tenants.c.id == tenant_id).values(allowance=allowance)
    )
    return allowance


def _limit(account: sa.Row[Any], chosen: sa.Row[Any], pool: int) -> int | None:
    """Return where the edge stops; ``None`` for overage without a cap."""
    if account.paused_at is not None:
        return 0
    if chosen.at_limit == "pause":
        return pool
    cap = chosen.overage_cap_tokens
    return None if cap is None else int(pool + cap)
