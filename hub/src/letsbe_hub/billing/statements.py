"""Statements: what a period came to, made from its buckets and nothing else.

A closed period's statement is kept with its digest. Made again at any later time it
has the same digest, and its units are those that the lines charged.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing.charging import charged, due
from letsbe_hub.billing.rates import Rates
from letsbe_hub.errors import NotFound
from letsbe_hub.storage.tables.billing import billing_periods as periods
from letsbe_hub.storage.tables.payments import billing_adjustments as adjustments
from letsbe_hub.storage.tables.payments import billing_statements as statements
from letsbe_hub.storage.tables.usage import token_usage_buckets as buckets

MADE_OF = ("input_tokens", "output_tokens", "cached_tokens", "cost_micros", "requests")


@dataclass(frozen=True, slots=True)
class Sums:
    """What a period's buckets come to.

    Args:
        used_tokens: What they took from the pool.
        premium_micros: What they cost as premium.
        rows: The same by agent and model, sorted.
    """

    used_tokens: int
    premium_micros: int
    rows: tuple[dict[str, Any], ...]


def sums_of(connection: sa.Connection, period: sa.Row[Any], rates: Rates) -> Sums:
    """Add up a period's buckets, bucket by bucket, as they were charged."""
    rates = rates.of(connection, period.rates)
    found = connection.execute(
        sa.select(buckets).where(
            buckets.c.tenant_id == period.tenant_id,
            buckets.c.hour >= int(period.starts_at),
            buckets.c.hour < int(period.ends_at),
        )
    )
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for bucket in found:
        tokens = bucket.input_tokens + bucket.output_tokens
        row = sums[bucket.agent_id, bucket.model]
        for name in MADE_OF:
            row[name] += getattr(bucket, name)
        row["pool_tokens"] += rates.pool_tokens(bucket.model, tokens)
        row["premium_micros"] += rates.premium_micros(
            bucket.model, tokens, bucket.cost_micros
        )
    rows = tuple(
        {"agent_id": agent, "model": model, **row}
        for (agent, model), row in sorted(sums.items())
    )
    return Sums(
        sum(row["pool_tokens"] for row in sums.values()),
        sum(row["premium_micros"] for row in sums.values()),
        rows,
    )


def statement(
    connection: sa.Connection, period_id: str, rates: Rates
) -> dict[str, Any]:
    """Make a period's statement.

    Raises:
        NotFound: There is no such period.
    """
    period = connection.execute(
        sa.select(periods).where(periods.c.id == period_id)
    ).first()
    if period is None:
        raise NotFound("there is no period of this id: list the tenant's to see them")
    rates = rates.of(connection, period.rates)
    sums = sums_of(connection, period, rates)
    units = due(period, rates)
    settings = rates.settings
    return {
        "period_id": period.id,
        "tenant_id": period.tenant_id,
        "starts_at": period.starts_at,
        "ends_at": period.ends_at,
        "plan": period.plan,
        "plan_tokens": period.plan_tokens,
        "multiplier": period.multiplier,
        "pool_tokens": period.pool_tokens,
        "used_tokens": sums.used_tokens,
        "premium_micros": sums.premium_micros,
        "currency": settings.currency,
        "overage_unit_tokens": settings.overage_unit_tokens,
        "overage_unit_price": settings.overage_unit_price,
        "units": {meter.value: count for meter, count in units.items()},
        "charged": {m.value: q for m, q in charged(connection, period_id).items()},
        "usage": list(sums.rows),
        "adjustments": _adjustments(connection, period_id),
    }


def store_statement(
    connection: sa.Connection, period_id: str, rates: Rates, *, made_at: float
) -> None:
    """Keep a closed period's statement."""
    document = statement(connection, period_id, rates)
    connection.execute(
        sa.insert(statements).values(
            period_id=period_id,
            document=document,
            digest=digest_of(document),
            made_at=made_at,
        )
    )


def verify(
    connection: sa.Connection, period_id: str, rates: Rates
) -> tuple[bool, dict[str, Any]]:
    """Make a closed period's statement again, and say whether it is the one kept.

    Returns:
        Whether it is, with units equal to what was charged; and the statement.
    """
    kept = connection.scalar(
        sa.select(statements.c.digest).where(statements.c.period_id == period_id)
    )
    again = statement(connection, period_id, rates)
    same = kept is None or kept == digest_of(again)
    return same and again["units"] == again["charged"], again


def digest_of(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a statement's canonical text."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _adjustments(connection: sa.Connection, period_id: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.select(adjustments)
        .where(adjustments.c.period_id == period_id)
        .order_by(adjustments.c.made_at, adjustments.c.id)
    ).all()
    names = ("id", "kind", "amount", "currency", "reason")
    return [{name: getattr(row, name) for name in names} for row in rows]


def history(
    connection: sa.Connection, tenant_id: str, most: int = 36
) -> list[sa.Row[Any]]:
    """Return a tenant's periods, newest first."""
    query = sa.select(periods).where(periods.c.tenant_id == tenant_id)
    return list(
        connection.execute(query.order_by(periods.c.starts_at.desc()).limit(most))
    )


def summary(connection: sa.Connection, now: float | None = None) -> sa.Row[Any]:
    """Add up the periods of all tenants that are open now."""
    moment = time.time() if now is None else now
    current = sa.and_(periods.c.starts_at <= moment, periods.c.ends_at > moment)
    above = periods.c.used_tokens - periods.c.pool_tokens
    return connection.execute(
        sa.select(
            sa.func.count().label("tenants"),
            sa.func.coalesce(sa.func.sum(periods.c.used_tokens), 0).label("used"),
            sa.func.coalesce(sa.func.sum(periods.c.pool_tokens), 0).label("pool"),
            sa.func.coalesce(sa.func.sum(periods.c.premium_micros), 0).label("premium"),
            sa.func.count().filter(above >= 0).label("at_limit"),
        ).where(current)
    ).one()
