"""Sweeps: charging now and then, opening and closing periods, all safe to be killed.

Each step is one transaction that finds out for itself what is to be done, so a sweep
that was cut off anywhere is simply made again, by this node or another.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from letsbe_hub.billing import allowances
from letsbe_hub.billing.charging import charge
from letsbe_hub.billing.periods import lock_tenant, lock_tenants
from letsbe_hub.billing.rates import Rates
from letsbe_hub.billing.statements import store_statement, sums_of
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.billing import billing_periods as periods
from letsbe_hub.storage.tables.tenants import tenants

log = logging.getLogger(__name__)

ACTOR = "hub"
_BATCH = 500
_AT_ONCE = 100
"""Tenants of one transaction: some hundredth of a second."""


def sweep(store: Store, rates: Rates, *, now: float | None = None) -> dict[str, int]:
    """Open, charge and close whatever is due.

    Args:
        store: The database.
        rates: What usage costs.
        now: The time, if not the present.

    Returns:
        How many periods were opened, how many lines made, how many periods closed.
    """
    moment = time.time() if now is None else now
    done = {"opened": renew_due(store, rates, now=moment), "lines": 0, "closed": 0}
    for period_id in store.read(_open_ones):
        lines = store.write(
            lambda c, p=period_id: charge_period(c, p, rates, now=moment)  # type: ignore[misc]  # bound at once
        )
        done["lines"] += lines
    for period_id in store.read(lambda c: _over(c, moment, rates)):
        store.write(lambda c, p=period_id: close(c, p, rates, now=moment))  # type: ignore[misc]  # bound at once
        done["closed"] += 1
    return done


def renew_due(store: Store, rates: Rates, *, now: float | None = None) -> int:
    """Open the periods that are due, and tell each tenant's edge of them.

    A period that its first usage opened is told of here too.

    Returns:
        How many allowances were renewed.
    """
    moment = time.time() if now is None else now
    stale = store.read(lambda c: _stale(c, moment))
    for start in range(0, len(stale), _AT_ONCE):
        began = time.monotonic()
        some = stale[start : start + _AT_ONCE]
        store.write(lambda c, t=some: _open(c, t, moment, rates))  # type: ignore[misc]  # bound at once
        if len(some) == _AT_ONCE:
            # As long as this took: servers that call meanwhile come first.
            time.sleep(time.monotonic() - began)
    return len(stale)


def charge_period(
    connection: sa.Connection,
    period_id: str,
    rates: Rates,
    *,
    now: float | None = None,
) -> int:
    """Charge a period's whole units; a closed one has been charged for good.

    Returns:
        How many lines were made.
    """
    period = _locked(connection, period_id)
    if period.state != "open":
        return 0
    return charge(connection, period, rates, now=now)


def close(
    connection: sa.Connection,
    period_id: str,
    rates: Rates,
    *,
    now: float | None = None,
) -> bool:
    """Close a period: compare with its buckets, charge the rest, keep its statement.

    Returns:
        Whether it was this call that closed it.
    """
    moment = time.time() if now is None else now
    period = _locked(connection, period_id)
    if period.state != "open":
        return False
    sums = sums_of(connection, period, rates)
    if (sums.used_tokens, sums.premium_micros) != (
        period.used_tokens,
        period.premium_micros,
    ):
        # It cannot be, as long as nobody writes to the tables by hand; the buckets are
        # what counts, and somebody has to look.
        log.error("period %s was not the sum of its buckets", period_id)
        detail = {"used": period.used_tokens, "sum": sums.used_tokens}
        record(connection, ACTOR, "billing.mended", f"period:{period_id}", detail)
        connection.execute(
            sa.update(periods)
            .where(periods.c.id == period_id)
            .values(used_tokens=sums.used_tokens, premium_micros=sums.premium_micros)
        )
        period = _locked(connection, period_id)
    charge(connection, period, rates, now=moment)
    connection.execute(
        sa.update(periods)
        .where(periods.c.id == period_id)
        .values(state="closed", closed_at=moment)
    )
    store_statement(connection, period_id, rates, made_at=moment)
    record(connection, ACTOR, "billing.close", f"period:{period_id}")
    return True


def _locked(connection: sa.Connection, period_id: str) -> sa.Row[Any]:
    query = sa.select(periods).where(periods.c.id == period_id)
    lock_tenant(connection, connection.execute(query).one().tenant_id)
    return connection.execute(query).one()


def _open(
    connection: sa.Connection, tenant_ids: Sequence[str], moment: float, rates: Rates
) -> None:
    lock_tenants(connection, tenant_ids)
    allowances.renew_all(connection, tenant_ids, rates, now=moment)


def _stale(connection: sa.Connection, moment: float) -> list[str]:
    """Return the tenants whose edge does not know the present period."""
    current = sa.and_(
        periods.c.tenant_id == tenants.c.id,
        periods.c.starts_at <= moment,
        periods.c.ends_at > moment,
    )
    rows = connection.execute(
        sa.select(tenants.c.id, tenants.c.allowance, periods.c.starts_at)
        .select_from(tenants.outerjoin(periods, current))
        .where(tenants.c.state.in_(["provisioning", "active"]))
    )
    return [
        row.id
        for row in rows
        if row.starts_at is None
        or not row.allowance
        or row.allowance["periods"][0]["startsAt"] != row.starts_at
    ]


def _open_ones(connection: sa.Connection) -> list[str]:
    used = sa.or_(
        periods.c.premium_micros > 0, periods.c.used_tokens > periods.c.pool_tokens
    )
    query = sa.select(periods.c.id).where(periods.c.state == "open", used)
    return list(connection.scalars(query.order_by(periods.c.ends_at)))


def _over(connection: sa.Connection, moment: float, rates: Rates) -> list[str]:
    before = moment - rates.settings.grace_hours * 3600
    query = sa.select(periods.c.id).where(
        periods.c.state == "open", periods.c.ends_at < before
    )
    return list(connection.scalars(query.order_by(periods.c.ends_at).limit(_BATCH)))
