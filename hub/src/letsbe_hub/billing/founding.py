"""Founding members: the first hundred paying accounts have twice the pool for a year.

A spot is claimed at the first completed payment and numbered in that order. A refund
of the whole payment within 14 days forfeits it; its number is not given again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing.calendar import anchor_of, anniversary
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.tables.billing import billing_periods as periods
from letsbe_hub.storage.tables.billing import founding_members as members

SPOTS = 100
MULTIPLIER = 2
MONTHS = 12
REFUND_SECONDS = 14 * 86_400.0
ACTOR = "hub"

_LOCK = 7_310_001  # any number that nothing else of ours locks


def multiplier_of(spot: sa.Row[Any] | None, moment: float) -> int:
    """Return by what the plan's tokens are multiplied for a period that opens then.

    Args:
        spot: The tenant's, if it has one.
        moment: When the period opens.
    """
    active = spot is not None and spot.forfeited_at is None
    return MULTIPLIER if active and spot and moment < spot.ends_at else 1


def member(connection: sa.Connection, tenant_id: str) -> sa.Row[Any] | None:
    """Return a tenant's spot, forfeited or not."""
    return members_of(connection, {tenant_id}).get(tenant_id)


def members_of(
    connection: sa.Connection, tenant_ids: Collection[str]
) -> dict[str, sa.Row[Any]]:
    """Return the spots of those tenants that have one, forfeited or not."""
    query = sa.select(members).where(members.c.tenant_id.in_(tenant_ids))
    return {row.tenant_id: row for row in connection.execute(query)}


def claim(
    connection: sa.Connection, tenant_id: str, reference: str, paid_at: float
) -> int | None:
    """Claim a spot for an account that has paid, if there is one left.

    Args:
        connection: A write's; the tenant is locked.
        tenant_id: Whose.
        reference: The payment.
        paid_at: When it was completed.

    Returns:
        The number; ``None`` if all are gone. Claimed again, it is the same.
    """
    known = member(connection, tenant_id)
    if known is not None:
        return int(known.number)
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    last = connection.scalar(sa.select(sa.func.max(members.c.number))) or 0
    if last >= SPOTS:
        return None
    connection.execute(
        sa.insert(members).values(
            number=last + 1,
            tenant_id=tenant_id,
            payment_reference=reference,
            claimed_at=paid_at,
            ends_at=anniversary(anchor_of(paid_at), MONTHS),
        )
    )
    _set_multiplier(connection, tenant_id, MULTIPLIER)
    detail = {"number": last + 1}
    record(connection, ACTOR, "founding.claim", f"tenant:{tenant_id}", detail)
    return int(last + 1)


def forfeit(connection: sa.Connection, tenant_id: str, at: float, because: str) -> bool:
    """End a spot; the open periods go back to the plan's own pool.

    Returns:
        Whether there was one to end.
    """
    ended = connection.execute(
        sa.update(members)
        .where(members.c.tenant_id == tenant_id, members.c.forfeited_at.is_(None))
        .values(forfeited_at=at, forfeited_because=because)
    ).rowcount
    if not ended:
        return False
    _set_multiplier(connection, tenant_id, 1)
    record(connection, ACTOR, "founding.forfeit", f"tenant:{tenant_id}")
    return True


def _set_multiplier(connection: sa.Connection, tenant_id: str, multiplier: int) -> None:
    """Change the open periods' pools by what the multiplier changes."""
    added = periods.c.plan_tokens * (multiplier - periods.c.multiplier)
    connection.execute(
        sa.update(periods)
        .where(periods.c.tenant_id == tenant_id, periods.c.state == "open")
        .values(pool_tokens=periods.c.pool_tokens + added, multiplier=multiplier)
    )


def members_listed(connection: sa.Connection) -> list[sa.Row[Any]]:
    """Return every member, in the order of their numbers."""
    return list(connection.execute(sa.select(members).order_by(members.c.number)))
