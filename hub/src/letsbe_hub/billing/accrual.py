"""Usage into periods: in the transaction of the usage itself, alerts included.

What a period has used is always the sum of its buckets, because every change of a
bucket changes the period by just that much before either is stored. An alert is a row
of its own, written by the transaction that crosses its threshold.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from letsbe_hub.billing.periods import open_periods
from letsbe_hub.billing.rates import Rates
from letsbe_hub.notifications.notices import Told, tell
from letsbe_hub.storage.tables.billing import billing_alerts as alerts
from letsbe_hub.storage.texts import array_of, json_of, rows_of

if TYPE_CHECKING:
    from letsbe_hub.usage.buckets import Counts
    from letsbe_hub.usage.ingestion import Change


_SQLITE_OPEN = """
SELECT json_group_array(json_array(p.id, p.tenant_id, p.starts_at, p.ends_at,
    p.used_tokens, p.pool_tokens, p.at_limit, p.rates))
FROM json_each(?) w CROSS JOIN billing_periods p ON p.tenant_id = w.value
WHERE p.starts_at <= ? AND p.ends_at > ?
"""
_POSTGRESQL_OPEN = """
SELECT id, tenant_id, starts_at, ends_at, used_tokens, pool_tokens, at_limit, rates
FROM billing_periods WHERE tenant_id = ANY(%s) AND starts_at <= %s AND ends_at > %s
"""
_SQLITE_ADD = """
UPDATE billing_periods SET used_tokens = used_tokens + (b.value ->> 1),
    premium_micros = premium_micros + (b.value ->> 2)
FROM json_each(?) b WHERE billing_periods.id = b.value ->> 0
"""
_POSTGRESQL_ADD = """
UPDATE billing_periods p SET used_tokens = p.used_tokens + b.tokens,
    premium_micros = p.premium_micros + b.micros
FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS b (id, tokens, micros)
WHERE p.id = b.id
"""


class Period(NamedTuple):
    """What usage needs to know of a period."""

    id: str
    tenant_id: str
    starts_at: float
    ends_at: float
    used_tokens: int
    pool_tokens: int
    at_limit: str
    rates: str | None


class Accrual:
    """Sees every change of usage; an ``Observer`` of the usage room.

    Args:
        rates: What buckets cost.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    def __call__(self, connection: sa.Connection, changes: Sequence[Change]) -> None:
        """Add changes to their periods; the tenants are locked."""
        added: dict[Period, list[int]] = defaultdict(lambda: [0, 0])
        by_hour = self._periods(connection, changes)
        for change in changes:
            period = by_hour[change.tenant_id, change.bucket.hour]
            rates = self._rates.of(connection, period.rates)
            model = change.bucket.model
            before = charge(rates, model, change.before)
            after = charge(rates, model, change.bucket.counts)
            sums = added[period]
            sums[0] += after[0] - before[0]
            sums[1] += after[1] - before[1]
        _add(connection, {p.id: sums for p, sums in added.items() if any(sums)})
        used = [(p, p.used_tokens + new) for p, (new, _) in added.items() if new > 0]
        cross(connection, used, self._rates)

    def _periods(
        self, connection: sa.Connection, changes: Sequence[Change]
    ) -> dict[tuple[str, int], Period]:
        """Return the period of every tenant and hour, opened if need be."""
        places = {(c.tenant_id, c.bucket.hour) for c in changes}
        found = _by_hour(connection, places)
        missing = places - found.keys()
        if missing:
            open_periods(connection, missing, self._rates)
            found |= _by_hour(connection, missing)
        return found


def charge(rates: Rates, model: str, counts: Counts) -> tuple[int, int]:
    """Return what a bucket takes from the pool, and what it costs as premium."""
    tokens = counts.input_tokens + counts.output_tokens
    return (
        rates.pool_tokens(model, tokens),
        rates.premium_micros(model, tokens, counts.cost_micros),
    )


def _by_hour(
    connection: sa.Connection, places: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Period]:
    """Return the periods of those tenants and hours that have one."""
    there: dict[str, list[Period]] = defaultdict(list)
    for period in _open_at(connection, places):
        there[period.tenant_id].append(period)
    return {
        (tenant_id, hour): period
        for tenant_id, hour in places
        for period in there[tenant_id]
        if period.starts_at <= hour < period.ends_at
    }


def _open_at(
    connection: sa.Connection, places: Collection[tuple[str, int]]
) -> list[Period]:
    ids = sorted({tenant for tenant, _ in places})
    hours = [hour for _, hour in places]
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        cursor.execute(_SQLITE_OPEN, (json_of(ids), max(hours), min(hours)))
        rows = rows_of(cursor.fetchone()[0])
    else:
        cursor.execute(_POSTGRESQL_OPEN, (ids, max(hours), min(hours)))
        rows = cursor.fetchall()
    return [Period(*row) for row in rows]


def _add(connection: sa.Connection, sums: Mapping[str, Sequence[int]]) -> None:
    if not sums:
        return
    rows = [(period_id, *added) for period_id, added in sums.items()]
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        cursor.execute(_SQLITE_ADD, (json_of(rows),))
    else:
        cursor.execute(_POSTGRESQL_ADD, [array_of(c) for c in zip(*rows, strict=True)])


def cross(
    connection: sa.Connection,
    used: Iterable[tuple[Period | sa.Row[Any], int]],
    rates: Rates,
) -> None:
    """Write the alerts that periods have come to, each once, and tell their owners.

    Args:
        connection: The write's; the periods' tenants are locked.
        used: Periods, and what each has used now.
        rates: Says at which percentages there is an alert.
    """
    reached = [
        (period, tokens, threshold)
        for period, tokens in used
        for threshold in sorted(rates.settings.alerts)
        if tokens * 100 >= period.pool_tokens * threshold
    ]
    if not reached:
        return
    there = sa.select(alerts.c.period_id, alerts.c.threshold).where(
        alerts.c.period_id.in_({period.id for period, _, _ in reached})
    )
    known = {tuple(row) for row in connection.execute(there)}
    for period, tokens, threshold in reached:
        if (period.id, threshold) not in known:
            _alert(connection, period, tokens, threshold)


def _alert(
    connection: sa.Connection, period: Period | sa.Row[Any], used: int, threshold: int
) -> None:
    connection.execute(
        sa.insert(alerts).values(
            period_id=period.id,
            threshold=threshold,
            used_tokens=used,
            crossed_at=time.time(),
        )
    )
    told = Told(
        key=f"pool:{period.id}:{threshold}",
        template="pool_alert",
        values={
            "percent": threshold,
            "used": used,
            "pool": period.pool_tokens,
            "choice": period.at_limit,
        },
    )
    tell(connection, told, tenant_id=period.tenant_id)
