"""Usage into periods: in the transaction of the usage itself, alerts included.

What a period has used is always the sum of its buckets, because every change of a
bucket changes the period by just that much before either is stored. An alert is a row
of its own, written by the transaction that crosses its threshold.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
        added: dict[str, tuple[Period, int, int]] = {}
        periods = self._periods(connection, changes)
        for change, period in zip(changes, periods, strict=True):
            rates = self._rates.of(connection, period.rates)
            tokens, micros = _added(rates, change)
            _, earlier, other = added.get(period.id, (period, 0, 0))
            added[period.id] = (period, earlier + tokens, other + micros)
        _add(connection, {i: sums for i, (_, *sums) in added.items() if any(sums)})
        used = [(p, p.used_tokens + new) for p, new, _ in added.values() if new > 0]
        cross(connection, used, self._rates)

    def _periods(
        self, connection: sa.Connection, changes: Sequence[Change]
    ) -> list[Period]:
        """Return the period of each change, opened if need be."""
        there = _open_at(connection, changes)
        found = [_holding(there[c.tenant_id], c.bucket.hour) for c in changes]
        missing = {
            (change.tenant_id, change.bucket.hour)
            for change, period in zip(changes, found, strict=True)
            if period is None
        }
        if missing:
            open_periods(connection, missing, self._rates)
            return self._periods(connection, changes)
        return [period for period in found if period is not None]


def charge(rates: Rates, model: str, counts: Counts) -> tuple[int, int]:
    """Return what a bucket takes from the pool, and what it costs as premium."""
    tokens = counts.input_tokens + counts.output_tokens
    if rates.included(model):
        return tokens, 0
    return 0, rates.premium_micros(model, tokens, counts.cost_micros)


def _added(rates: Rates, change: Change) -> tuple[int, int]:
    """Return by how much a change raises what is taken and what is charged."""
    model = change.bucket.model
    tokens, micros = charge(rates, model, change.bucket.counts)
    if not any(change.before):
        return tokens, micros
    before = charge(rates, model, change.before)
    return tokens - before[0], micros - before[1]


def _holding(there: Iterable[Period], hour: int) -> Period | None:
    for period in there:
        if period.starts_at <= hour < period.ends_at:
            return period
    return None


def _open_at(
    connection: sa.Connection, changes: Sequence[Change]
) -> Mapping[str, Sequence[Period]]:
    """Return the periods that hours of changes may be in, by tenant."""
    ids = sorted({change.tenant_id for change in changes})
    hours = [change.bucket.hour for change in changes]
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        cursor.execute(_SQLITE_OPEN, (json_of(ids), max(hours), min(hours)))
        rows = rows_of(cursor.fetchone()[0])
    else:
        cursor.execute(_POSTGRESQL_OPEN, (ids, max(hours), min(hours)))
        rows = cursor.fetchall()
    there: dict[str, list[Period]] = defaultdict(list)
    for row in rows:
        period = Period._make(row)
        there[period.tenant_id].append(period)
    return there


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
