"""Usage into periods: in the transaction of the usage itself, alerts included.

What a period has used is always the sum of its buckets, because every change of a
bucket changes the period by just that much before either is stored. An alert is a row
of its own, written by the transaction that crosses its threshold.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from letsbe_hub.billing.periods import period_at
from letsbe_hub.billing.rates import Rates
from letsbe_hub.notifications.notices import Told, tell
from letsbe_hub.storage.tables.billing import billing_alerts as alerts
from letsbe_hub.storage.tables.billing import billing_periods as periods

if TYPE_CHECKING:
    from letsbe_hub.usage.buckets import Counts
    from letsbe_hub.usage.ingestion import Change


class Accrual:
    """Sees every change of usage; an ``Observer`` of the usage room.

    Args:
        rates: What buckets cost.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    def __call__(self, connection: sa.Connection, changes: Sequence[Change]) -> None:
        """Add changes to their periods; the tenants are locked."""
        added: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        found: dict[str, sa.Row[Any]] = {}
        by_hour: dict[tuple[str, int], str] = {}
        for change in changes:
            place = change.tenant_id, change.bucket.hour
            if place not in by_hour:
                row = self._period(connection, found, *place)
                by_hour[place] = row.id
            model = change.bucket.model
            before = self.charge(model, change.before)
            after = self.charge(model, change.bucket.counts)
            sums = added[by_hour[place]]
            sums[0] += after[0] - before[0]
            sums[1] += after[1] - before[1]
        for period_id, (tokens, micros) in added.items():
            if tokens or micros:
                self._add(connection, found[period_id], tokens, micros)

    def charge(self, model: str, counts: Counts) -> tuple[int, int]:
        """Return what a bucket takes from the pool, and what it costs as premium."""
        tokens = counts.input_tokens + counts.output_tokens
        return (
            self._rates.pool_tokens(model, tokens),
            self._rates.premium_micros(model, tokens, counts.cost_micros),
        )

    def _period(
        self,
        connection: sa.Connection,
        found: dict[str, sa.Row[Any]],
        tenant_id: str,
        hour: int,
    ) -> sa.Row[Any]:
        for row in found.values():
            if row.tenant_id == tenant_id and row.starts_at <= hour < row.ends_at:
                return row
        row = period_at(connection, tenant_id, hour, self._rates)
        found[row.id] = row
        return row

    def _add(
        self, connection: sa.Connection, period: sa.Row[Any], tokens: int, micros: int
    ) -> None:
        used = period.used_tokens + tokens
        connection.execute(
            sa.update(periods)
            .where(periods.c.id == period.id)
            .values(
                used_tokens=periods.c.used_tokens + tokens,
                premium_micros=periods.c.premium_micros + micros,
            )
        )
        if tokens > 0:
            cross(connection, period, used, self._rates)


def cross(
    connection: sa.Connection, period: sa.Row[Any], used: int, rates: Rates
) -> None:
    """Write the alerts that a period has come to, each once, and tell its owner."""
    reached = [t for t in rates.settings.alerts if used * 100 >= period.pool_tokens * t]
    if not reached:
        return
    query = sa.select(alerts.c.threshold).where(alerts.c.period_id == period.id)
    there = set(connection.scalars(query))
    now = time.time()
    for threshold in sorted(set(reached) - there):
        connection.execute(
            sa.insert(alerts).values(
                period_id=period.id,
                threshold=threshold,
                used_tokens=used,
                crossed_at=now,
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
