"""Periods, pools, alerts: what usage comes to."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import count

import anyio
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hub.tests.billing.conftest import HOUR, PREMIUM, Use
from letsbe_hub.billing import allowances, choices, founding
from letsbe_hub.billing.calendar import (
    anchor_of,
    anniversary,
    period_of,
    periods_of,
)
from letsbe_hub.billing.closing import renew_due, sweep
from letsbe_hub.billing.overview import overview
from letsbe_hub.billing.periods import current_period
from letsbe_hub.billing.rates import BillingSettings, Markup, Rates
from letsbe_hub.billing.statements import statement, sums_of
from letsbe_hub.errors import InvalidRequest
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.billing import billing_alerts, billing_periods
from letsbe_hub.storage.tables.shared import outbox
from letsbe_hub.storage.tables.tenants import tenants
from letsbe_hub.tenants.registry import NewTenant, create

pytestmark = pytest.mark.anyio

MOMENTS = st.floats(1.5e9, 2.5e9)
POOL = 8_000_000


@given(MOMENTS, MOMENTS)
def test_every_moment_is_in_one_period(created: float, moment: float) -> None:
    anchor = anchor_of(created)
    start, end = period_of(anchor, moment)
    assert start <= moment < end
    assert 27 * 24 * HOUR <= end - start <= 32 * 24 * HOUR
    assert period_of(anchor, end) == (end, period_of(anchor, end)[1])
    assert start % HOUR == end % HOUR == 0


@given(MOMENTS, st.lists(MOMENTS))
def test_of_many_moments_each_period_is_told_once(
    created: float, moments: list[float]
) -> None:
    anchor, rising = anchor_of(created), sorted(moments)
    told = list(periods_of(anchor, rising))
    assert told == sorted({period_of(anchor, moment) for moment in rising})


def test_a_short_month_ends_on_its_last_day() -> None:
    anchor = datetime(2027, 1, 31, 15, tzinfo=UTC).timestamp()
    days = [datetime.fromtimestamp(anniversary(anchor, n), UTC) for n in range(4)]
    assert [(d.month, d.day, d.hour) for d in days] == [
        (1, 31, 15),
        (2, 28, 15),
        (3, 31, 15),
        (4, 30, 15),
    ]


def test_the_scale_charges_cheap_models_more() -> None:
    rates = Rates(BillingSettings())
    cheap = rates.premium_micros(PREMIUM, 1_000_000, 500_000)
    dear = rates.premium_micros(PREMIUM, 1_000_000, 20_000_000)
    assert (cheap, dear) == (700_000, 22_400_000)
    assert rates.premium_micros("deepseek/deepseek-v3.2", 10, 500) == 0
    assert rates.pool_tokens("Z-AI/GLM-5", 10) == 10


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (Markup(below=5, percent=1),),
        (Markup(percent=1), Markup(percent=2)),
        (Markup(below=5, percent=1), Markup(below=4, percent=1), Markup(percent=1)),
    ],
)
def test_a_scale_that_does_not_rise_is_refused(steps: tuple[Markup, ...]) -> None:
    with pytest.raises(ValueError, match="markups"):
        BillingSettings(markups=steps)


async def test_usage_comes_to_its_period_and_alerts_are_told_once(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(6_000_000)
    await use(6_500_000, revision=2)
    await use(1_000_000, ago=2)
    await use(0, revision=2, ago=2)
    await use(1_000_000, revision=3, ago=2)
    await use(2_000_000, ago=3)

    def look(connection: sa.Connection) -> None:
        found = overview(connection, tenant, rates)
        assert found.period.used_tokens == 9_500_000
        assert found.period.pool_tokens == POOL
        assert found.alerts == (80, 90, 100)
        told = connection.scalars(
            sa.select(outbox.c.dedupe).where(outbox.c.topic == "notifications")
        ).all()
        assert sorted(told) == sorted(
            f"notice:pool:{found.period.id}:{t}" for t in (80, 90, 100)
        )

    store.write(look)


async def test_premium_models_are_apart_from_the_pool(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(1_000_000, model=PREMIUM, cost=3_000_000)
    await use(1_000_000, model=PREMIUM, cost=2_000_000, revision=2)
    period = store.write(lambda c: current_period(c, tenant, rates))
    assert period.used_tokens == 0
    assert period.premium_micros == 2_600_000


async def test_any_interleaving_comes_to_the_sum_of_the_buckets(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    async with anyio.create_task_group() as tasks:
        for revision in (3, 1, 2, 4):
            for ago in range(1, 6):
                for model, cost in (("deepseek/x", 0), (PREMIUM, 777 * revision)):
                    amount = 1000 * revision + ago

                    async def push(
                        amount: int = amount,
                        revision: int = revision,
                        model: str = model,
                        cost: int = cost,
                        ago: int = ago,
                    ) -> None:
                        await use(
                            amount, revision=revision, model=model, cost=cost, ago=ago
                        )

                    tasks.start_soon(push)
    periods = store.read(lambda c: c.execute(sa.select(billing_periods)).all())
    for period in periods:
        sums = store.read(lambda c, p=period: sums_of(c, p, rates))  # type: ignore[misc]  # bound at once
        assert sums.used_tokens == period.used_tokens
        assert sums.premium_micros == period.premium_micros
    assert sum(p.used_tokens for p in periods) == sum(4000 + ago for ago in range(1, 6))


async def test_a_founding_member_has_twice_the_pool_for_a_year_and_forfeits_it(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(7_000_000)
    now = time.time()
    assert store.write(lambda c: founding.claim(c, tenant, "pay_1", now)) == 1
    assert store.write(lambda c: founding.claim(c, tenant, "pay_2", now)) == 1

    def pools(connection: sa.Connection) -> list[int]:
        allowance = allowances.renew(connection, tenant, rates)
        return [period["poolTokens"] for period in allowance["periods"]]

    assert store.write(pools) == [2 * POOL, 2 * POOL]
    spot = store.read(lambda c: founding.member(c, tenant))
    assert founding.multiplier_of(spot, now) == 2
    assert founding.multiplier_of(spot, now + 366 * 86_400) == 1
    assert store.write(lambda c: founding.forfeit(c, tenant, now, "refunded"))
    assert not store.write(lambda c: founding.forfeit(c, tenant, now, "again"))
    assert store.write(pools) == [POOL, POOL]
    assert store.write(lambda c: overview(c, tenant, rates)).founding_number is None


async def test_a_hundred_spots_are_numbered_and_no_more(store: Store) -> None:
    def fill(connection: sa.Connection) -> list[int | None]:
        numbers = []
        for n in range(103):
            new = NewTenant(f"Shop {n}", f"order-{n}", "lite")
            made = create(connection, new, "cli")
            numbers.append(founding.claim(connection, made, f"pay-{n}", time.time()))
        return numbers

    assert store.write(fill) == [*range(1, 101), None, None, None]


async def test_the_choice_at_the_limit_reaches_the_edge(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(POOL + 5_000)

    def choose(at_limit: str, cap: int | None = None) -> list[int | None]:
        limit = choices.Limit(at_limit, cap)
        allowance = store.write(
            lambda c: choices.choose_limit(c, tenant, limit, rates, "customer:x")
        )
        return [period["limitTokens"] for period in allowance["periods"]]

    assert choose("overage", 1_000_000) == [POOL + 1_000_000, POOL + 1_000_000]
    assert choose("overage") == [None, None]
    # What was used as overage stays charged, and is where the edge stops now.
    assert choose("pause") == [POOL + 5_000, POOL]
    found = store.write(lambda c: overview(c, tenant, rates))
    assert list(found.units.values()) == [5, 0]


async def test_adjustments_change_the_pool_or_the_invoice_and_say_why(
    store: Store, rates: Rates, tenant: str
) -> None:
    def make(kind: str, amount: int) -> str:
        new = choices.NewAdjustment(kind, amount, "an outage on Monday")
        return store.write(lambda c: choices.adjust(c, tenant, new, rates, "staff:1"))

    make("tokens", 500_000)
    make("money", -250)
    for kind, amount in (("tokens", -POOL - 500_001), ("tokens", 0), ("money", 0)):
        with pytest.raises(InvalidRequest):
            make(kind, amount)
    period = store.write(lambda c: current_period(c, tenant, rates))
    assert period.pool_tokens == POOL + 500_000
    document = store.read(lambda c: statement(c, period.id, rates))
    assert [(a["kind"], a["amount"]) for a in document["adjustments"]] == [
        ("tokens", 500_000),
        ("money", -250),
    ]


async def test_a_bigger_plan_counts_at_once_and_a_smaller_one_later(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(7_000_000)

    def change(plan: str) -> int:
        store.write(lambda c: choices.change_plan(c, tenant, plan, rates, "staff:1"))
        period = store.write(lambda c: current_period(c, tenant, rates))
        return int(period.pool_tokens)

    assert change("scale") == 25_000_000
    assert change("lite") == 25_000_000
    allowance = store.write(lambda c: allowances.renew(c, tenant, rates))
    assert allowance["periods"][1]["poolTokens"] == POOL


async def test_alerts_stay_what_they_were_when_usage_is_corrected_down(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(POOL)
    await use(10, revision=2)
    await use(POOL, revision=3)
    rows = store.read(lambda c: c.execute(sa.select(billing_alerts)).all())
    assert sorted(row.threshold for row in rows) == [80, 90, 100]


async def test_a_sweep_opens_periods_and_tells_each_edge(
    store: Store, rates: Rates, tenant: str
) -> None:
    assert sweep(store, rates)["opened"] == 1
    assert sweep(store, rates)["opened"] == 0
    query = sa.text("SELECT allowance FROM tenants")
    assert store.read(lambda c: c.scalar(query)) is not None


async def test_a_period_that_its_first_usage_opened_is_told_to_the_edge(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(5)
    assert sweep(store, rates)["opened"] == 1
    later = time.time() + 31 * 86_400
    assert sweep(store, rates, now=later)["opened"] == 1

    def told(connection: sa.Connection) -> float:
        row = connection.execute(sa.select(tenants)).one()
        return float(row.allowance["periods"][0]["endsAt"])

    assert store.read(told) > later


def test_many_due_together_are_opened_in_few_transactions_as_each_alone(
    store: Store, rates: Rates, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(connection: sa.Connection) -> None:
        for number in range(230):
            create(connection, NewTenant(f"t{number}", f"o{number}", "lite"), "staff:x")
        founding.claim(connection, some(connection), "pay", time.time())

    def some(connection: sa.Connection) -> str:
        return str(connection.scalar(sa.select(sa.func.min(tenants.c.id))))

    store.write(fill)
    writes, write = count(1), store.write
    monkeypatch.setattr(store, "write", lambda c: next(writes) and write(c))
    assert renew_due(store, rates) == 230
    assert next(writes) == 4  # three were made
    assert renew_due(store, rates) == 0
    rows = store.read(lambda c: c.execute(sa.select(billing_periods)).all())
    assert len({row.tenant_id for row in rows}) == len(rows) == 230
    founder = store.read(some)
    for row in rows:
        assert row.multiplier == (2 if row.tenant_id == founder else 1)
    kept = store.read(
        lambda c: dict(c.execute(sa.select(tenants.c.id, tenants.c.allowance)).all())
    )
    for row in rows[:3]:
        alone = write(lambda c, t=row.tenant_id: allowances.renew(c, t, rates))  # type: ignore[misc] # bound at once
        assert kept[row.tenant_id] == alone
