"""Whole units out of periods: lines for the billing plugin, by way of the outbox.

What is due is worked out from the period as it stands, and a line charges the
difference to all earlier ones. So charging at any moment, as often as one likes and
killed wherever, comes to the same sum; a correction downwards makes a line below zero.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from letsbe.plugin import Meter
from letsbe_hub.billing.rates import Rates
from letsbe_hub.storage import outbox
from letsbe_hub.storage.tables.payments import billing_lines as lines

TOPIC = "billing"
_MINUTE = 60


def due(period: sa.Row[Any], rates: Rates) -> dict[Meter, int]:
    """Return the whole units of each meter that a period has come to."""
    settings = rates.settings
    overage = 0
    if period.at_limit == "overage":
        overage = rates.overage_tokens(
            period.used_tokens, period.pool_tokens, period.overage_cap_tokens
        )
    return {
        Meter.OVERAGE: overage // settings.overage_unit_tokens,
        Meter.PREMIUM: period.premium_micros // settings.premium_unit_micros,
    }


def charged(connection: sa.Connection, period_id: str) -> dict[Meter, int]:
    """Return the units that lines have charged already."""
    rows = connection.execute(
        sa.select(lines.c.meter, sa.func.sum(lines.c.quantity))
        .where(lines.c.period_id == period_id)
        .group_by(lines.c.meter)
    ).all()
    return dict.fromkeys(Meter, 0) | {Meter(m): int(q) for m, q in rows}


def charge(
    connection: sa.Connection,
    period: sa.Row[Any],
    rates: Rates,
    *,
    now: float | None = None,
) -> int:
    """Charge what is due and not yet charged; the tenant is locked.

    A line is dated when it is made, and no two of one tenant and meter fall in one
    minute: so a backend can be asked for one line alone, by its minute.

    Returns:
        How many lines were made.
    """
    moment = int(time.time() if now is None else now)
    rates = rates.of(connection, period.rates)
    already, made = charged(connection, period.id), 0
    for meter, units in due(period, rates).items():
        quantity = units - already[meter]
        if quantity == 0:
            continue
        last = connection.scalar(
            sa.select(sa.func.max(lines.c.at)).where(
                lines.c.tenant_id == period.tenant_id, lines.c.meter == meter.value
            )
        )
        at = moment if last is None else max(moment, (last // _MINUTE + 1) * _MINUTE)
        _write(connection, period, meter, quantity, at)
        made += 1
    return made


def _write(
    connection: sa.Connection,
    period: sa.Row[Any],
    meter: Meter,
    quantity: int,
    at: int,
) -> None:
    number = connection.scalar(
        sa.select(sa.func.count())
        .select_from(lines)
        .where(lines.c.period_id == period.id, lines.c.meter == meter.value)
    )
    key = f"{period.id}:{meter.value}:{number}"
    connection.execute(
        sa.insert(lines).values(
            key=key,
            period_id=period.id,
            tenant_id=period.tenant_id,
            meter=meter.value,
            quantity=quantity,
            at=at,
            state="waiting",
        )
    )
    lane = f"{period.tenant_id}:{meter.value}"
    payload = {"kind": "units", "line": key}
    outbox.put(connection, TOPIC, lane, key, payload, due_at=float(at))
