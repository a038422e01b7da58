"""What people decide: what happens at the limit, adjustments, another plan."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing import allowances
from letsbe_hub.billing.accrual import cross
from letsbe_hub.billing.charging import TOPIC
from letsbe_hub.billing.periods import account_of, current_period
from letsbe_hub.billing.rates import Rates
from letsbe_hub.errors import InvalidRequest
from letsbe_hub.storage import outbox
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.billing import billing_periods as periods
from letsbe_hub.storage.tables.payments import billing_accounts as accounts
from letsbe_hub.storage.tables.payments import billing_adjustments as adjustments
from letsbe_hub.storage.tables.tenants import tenants


@dataclass(frozen=True, slots=True)
class Limit:
    """What happens when the pool is used up.

    Args:
        at_limit: ``pause`` or ``overage``.
        cap_tokens: The most tokens above the pool; ``None`` for no end.
    """

    at_limit: str
    cap_tokens: int | None = None


def choose_limit(
    connection: sa.Connection, tenant_id: str, limit: Limit, rates: Rates, actor: str
) -> dict[str, Any]:
    """Choose what happens at the limit, from now on.

    What was used above the pool while overage was chosen stays charged: going back to
    a pause caps the overage where it stands.

    Returns:
        The tenant's new allowance.
    """
    period = current_period(connection, tenant_id, rates)
    account_of(connection, tenant_id, rates)
    cap = limit.cap_tokens if limit.at_limit == "overage" else None
    connection.execute(
        sa.update(accounts)
        .where(accounts.c.tenant_id == tenant_id)
        .values(at_limit=limit.at_limit, overage_cap_tokens=cap)
    )
    now_at, now_cap = limit.at_limit, cap
    above = max(0, period.used_tokens - period.pool_tokens)
    if limit.at_limit == "pause" and period.at_limit == "overage" and above:
        now_at = "overage"
        earlier = period.overage_cap_tokens
        now_cap = above if earlier is None else min(above, earlier)
    connection.execute(
        sa.update(periods)
        .where(periods.c.id == period.id)
        .values(at_limit=now_at, overage_cap_tokens=now_cap)
    )
    detail = {"at_limit": limit.at_limit, "cap_tokens": cap}
    record(connection, actor, "billing.limit", f"tenant:{tenant_id}", detail)
    return allowances.renew(connection, tenant_id, rates)


@dataclass(frozen=True, slots=True)
class NewAdjustment:
    """Something made good, or charged, by hand.

    Args:
        kind: ``tokens`` for the present pool, ``money`` for the next invoice.
        amount: How many tokens, or hundredths of the currency; below zero takes away.
        reason: Why; a customer reads it on the invoice.
    """

    kind: str
    amount: int
    reason: str


def adjust(
    connection: sa.Connection,
    tenant_id: str,
    new: NewAdjustment,
    rates: Rates,
    actor: str,
) -> str:
    """Make an adjustment.

    Returns:
        Its id.

    Raises:
        InvalidRequest: It would leave a pool below zero, or changes nothing.
    """
    period = current_period(connection, tenant_id, rates)
    account_of(connection, tenant_id, rates)
    tokens = new.kind == "tokens"
    if new.amount == 0 or (tokens and period.pool_tokens + new.amount < 0):
        message = "amount: it must change something, and leave no pool below zero"
        raise InvalidRequest(message)
    id_ = new_id("adj")
    connection.execute(
        sa.insert(adjustments).values(
            id=id_,
            tenant_id=tenant_id,
            period_id=period.id,
            kind=new.kind,
            amount=new.amount,
            currency=None if tokens else rates.settings.currency,
            reason=new.reason,
            made_by=actor,
            made_at=time.time(),
            state="recorded" if tokens else "waiting",
        )
    )
    if tokens:
        _change_pool(connection, period, new.amount, rates)
    else:
        payload = {"kind": "adjustment", "adjustment": id_}
        outbox.put(connection, TOPIC, f"{tenant_id}:money", id_, payload)
    detail = {"id": id_, "kind": new.kind, "amount": new.amount, "reason": new.reason}
    record(connection, actor, "billing.adjust", f"tenant:{tenant_id}", detail)
    return id_


def change_plan(
    connection: sa.Connection, tenant_id: str, plan: str, rates: Rates, actor: str
) -> None:
    """Change a tenant's plan: more tokens at once, fewer from the next period on."""
    period = current_period(connection, tenant_id, rates)
    connection.execute(
        sa.update(tenants)
        .where(tenants.c.id == tenant_id)
        .values(plan=plan, updated_at=time.time())
    )
    more = rates.settings.plan_tokens.get(plan, 0) - period.plan_tokens
    if more > 0:
        connection.execute(
            sa.update(periods)
            .where(periods.c.id == period.id)
            .values(plan=plan, plan_tokens=periods.c.plan_tokens + more)
        )
        _change_pool(connection, period, more * period.multiplier, rates)
    record(connection, actor, "billing.plan", f"tenant:{tenant_id}", {"plan": plan})
    allowances.renew(connection, tenant_id, rates)


def _change_pool(
    connection: sa.Connection, period: sa.Row[Any], tokens: int, rates: Rates
) -> None:
    connection.execute(
        sa.update(periods)
        .where(periods.c.id == period.id)
        .values(pool_tokens=periods.c.pool_tokens + tokens)
    )
    changed = connection.execute(
        sa.select(periods).where(periods.c.id == period.id)
    ).one()
    if changed.used_tokens:
        cross(connection, [(changed, changed.used_tokens)], rates)
    allowances.renew(connection, period.tenant_id, rates)
