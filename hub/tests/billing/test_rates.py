"""Other rates: for periods that are opened from now on, and for no other."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from hub.tests.billing.conftest import INCLUDED, PREMIUM, Use
from letsbe.plugin import Meter
from letsbe_hub.billing.accrual import Accrual
from letsbe_hub.billing.closing import sweep
from letsbe_hub.billing.overview import overview
from letsbe_hub.billing.rates import BillingSettings, Markup, Rates
from letsbe_hub.billing.statements import history, statement, verify
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.billing import billing_periods
from letsbe_hub.usage.buckets import Bucket, Counts
from letsbe_hub.usage.ingestion import Ingestion, Push

pytestmark = pytest.mark.anyio
DAY = 86_400
NEW = Rates(
    BillingSettings(
        backend="billed",
        at_limit="overage",
        included_models=("*large*",),
        overage_unit_tokens=10,
        premium_unit_micros=1,
        markups=(Markup(percent=900),),
    )
)


async def test_a_closed_period_is_made_again_as_it_was_billed(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(9_000_500)
    await use(1000, model=PREMIUM, cost=2_000_000)
    sweep(store, rates, now=time.time() + 40 * DAY)
    (period,) = [p for p in store.read(lambda c: history(c, tenant)) if p.used_tokens]
    assert period.state == "closed"
    then = store.read(lambda c: statement(c, period.id, rates))
    assert then["charged"] == {"overage_units": 1000, "premium_units": 224}
    same, now = store.read(lambda c: verify(c, period.id, NEW))
    assert same
    assert now == then


async def test_an_open_period_goes_on_under_its_own_rates(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(9_000_500)
    later = Ingestion(store)
    later.observe(Accrual(NEW))
    hour = int(time.time()) // 3600 * 3600 - 3600
    counts = Counts(input_tokens=9_001_500, requests=2)
    await later.take(Push(tenant, [Bucket(hour, "main", INCLUDED, 2, counts)]))
    later.close()
    seen = store.write(lambda c: overview(c, tenant, NEW))
    assert seen.period.used_tokens == 9_001_500
    assert seen.units[Meter.OVERAGE] == 1001
    sweep(store, NEW, now=time.time() + 40 * DAY)
    query = sa.select(billing_periods.c.rates).order_by(billing_periods.c.starts_at)
    kept = store.read(lambda c: list(c.scalars(query)))
    assert kept[0] == rates.version
    assert kept[-1] == NEW.version
