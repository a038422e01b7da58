"""A tenant's billing as it stands, and that of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe.plugin import Meter
from letsbe_hub.billing import founding
from letsbe_hub.billing.charging import TOPIC, charged, due
from letsbe_hub.billing.periods import account_of, current_period
from letsbe_hub.billing.rates import Rates
from letsbe_hub.storage import outbox
from letsbe_hub.storage.tables.billing import billing_alerts as alerts
from letsbe_hub.storage.tables.billing import founding_members
from letsbe_hub.storage.tables.payments import billing_adjustments, billing_lines


@dataclass(frozen=True, slots=True)
class Overview:
    """A tenant's billing.

    Args:
        account: Who pays.
        period: The present period.
        units: What it has come to, in whole units.
        charged: What of them was charged.
        alerts: The thresholds that were passed.
        founding_number: The founding member's number.
    """

    account: sa.Row[Any]
    period: sa.Row[Any]
    units: Mapping[Meter, int]
    charged: Mapping[Meter, int]
    alerts: tuple[int, ...]
    founding_number: int | None


def overview(connection: sa.Connection, tenant_id: str, rates: Rates) -> Overview:
    """Show a tenant's billing; opens the present period if need be.

    Raises:
        NotFound: There is no such tenant.
    """
    period = current_period(connection, tenant_id, rates)
    passed = connection.scalars(
        sa.select(alerts.c.threshold)
        .where(alerts.c.period_id == period.id)
        .order_by(alerts.c.threshold)
    )
    spot = founding.member(connection, tenant_id)
    held = spot is not None and spot.forfeited_at is None
    return Overview(
        account_of(connection, tenant_id, rates),
        period,
        due(period, rates.of(connection, period.rates)),
        charged(connection, period.id),
        tuple(passed),
        spot.number if held and spot is not None else None,
    )


def troubles(connection: sa.Connection) -> dict[str, Any]:
    """Say what somebody should see to: what waits, what was rejected, spots left."""
    waiting, dead, oldest = outbox.backlog(connection, TOPIC)
    rejected = [
        row.key
        for row in connection.execute(
            sa.select(billing_lines.c.key).where(billing_lines.c.state == "rejected")
        )
    ]
    rejected += connection.scalars(
        sa.select(billing_adjustments.c.id).where(
            billing_adjustments.c.state == "rejected"
        )
    )
    taken = connection.scalar(sa.select(sa.func.max(founding_members.c.number))) or 0
    return {
        "waiting": waiting,
        "dead": dead,
        "oldest_seconds": oldest,
        "rejected": rejected,
        "founding_spots_left": founding.SPOTS - taken,
    }
