"""Charging and closing, cut off anywhere: what is billed is what was used."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.tests.billing.conftest import PREMIUM, Billed, Use
from letsbe.plugin import Meter
from letsbe_hub.billing import choices
from letsbe_hub.billing.charging import charged, due
from letsbe_hub.billing.closing import charge_period, close, sweep
from letsbe_hub.billing.delivery import Courier
from letsbe_hub.billing.periods import current_period
from letsbe_hub.billing.rates import Rates
from letsbe_hub.billing.statements import verify
from letsbe_hub.errors import UsageConflict
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.payments import billing_accounts, billing_lines
from letsbe_hub.storage.tables.shared import outbox

pytestmark = pytest.mark.anyio

POOL = 8_000_000
LATER = 40 * 86_400.0


class Cut(Exception):
    """The process ends here."""


def cut_after(store: Store, statements: int) -> Any:
    """End the process, as it were, after a number of statements of a write."""
    left = [statements]

    def before(*_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Cut

    sa.event.listen(store.engine, "before_cursor_execute", before)
    return lambda: sa.event.remove(store.engine, "before_cursor_execute", before)


async def deliver_all(store: Store, backend: Billed, ahead: float = LATER) -> int:
    courier, taken = Courier(store, (backend,)), 0
    while found := await courier.deliver(now=time.time() + ahead):
        taken += found
        ahead += 1_000  # past pauses and leases
    return taken


def period_of(store: Store, tenant: str, rates: Rates) -> sa.Row[Any]:
    return store.write(lambda c: current_period(c, tenant, rates))


async def test_whole_units_are_charged_once_however_often_one_charges(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    backend = Billed()
    await use(POOL + 2_999)
    await use(1_000_000, model=PREMIUM, cost=100_000)  # 140,000 micros: 14 units
    id_ = period_of(store, tenant, rates).id
    for _ in range(3):
        store.write(lambda c: charge_period(c, id_, rates))
        await deliver_all(store, backend)
    assert (backend.total(Meter.OVERAGE), backend.total(Meter.PREMIUM)) == (2, 14)
    await use(POOL + 3_000, revision=2)
    store.write(lambda c: charge_period(c, id_, rates))
    await use(POOL + 1_000, revision=3)
    store.write(lambda c: charge_period(c, id_, rates))
    await deliver_all(store, backend)
    assert backend.total(Meter.OVERAGE) == 1
    assert [line.quantity for line in backend.lines if line.meter is Meter.OVERAGE] == [
        2,
        1,
        -2,
    ]


async def test_no_two_lines_of_a_lane_fall_into_one_minute(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    id_ = period_of(store, tenant, rates).id
    for revision in range(1, 6):
        await use(POOL + 1_000 * revision, revision=revision)
        store.write(lambda c: charge_period(c, id_, rates))
    rows = store.read(lambda c: c.execute(sa.select(billing_lines.c.at)).all())
    assert len({row.at // 60 for row in rows}) == len(rows) == 5


@pytest.mark.parametrize("fault", ["before", "after", "raise"])
async def test_a_failure_of_the_backend_charges_nothing_twice(
    store: Store, rates: Rates, tenant: str, use: Use, fault: str
) -> None:
    backend = Billed()
    backend.fails.extend([fault, fault])
    await use(POOL + 7_000)
    id_ = period_of(store, tenant, rates).id
    store.write(lambda c: charge_period(c, id_, rates))
    await deliver_all(store, backend)
    assert backend.total(Meter.OVERAGE) == 7
    rows = store.read(lambda c: c.execute(sa.select(outbox)).all())
    (row,) = (row for row in rows if row.topic == "billing")
    assert row.state == "done"
    assert "canary" not in str(row)


async def test_what_is_old_is_not_sent_again_before_the_sum_was_asked(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    backend = Billed(remembers=0)  # forgets each key at once
    backend.fails.append("after")
    await use(POOL + 7_000)
    id_ = period_of(store, tenant, rates).id
    store.write(lambda c: charge_period(c, id_, rates))
    await deliver_all(store, backend)
    assert backend.asked == 1
    assert backend.total(Meter.OVERAGE) == 7


async def test_what_never_arrived_is_sent_again_after_the_sum_was_asked(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    backend = Billed(remembers=0)
    backend.fails.append("before")
    await use(POOL + 7_000)
    id_ = period_of(store, tenant, rates).id
    store.write(lambda c: charge_period(c, id_, rates))
    await deliver_all(store, backend)
    assert (backend.asked, backend.total(Meter.OVERAGE)) == (1, 7)


async def test_a_rejected_line_is_reported_and_the_next_goes_on(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    backend = Billed()
    backend.fails.append("no")
    await use(POOL + 1_000)
    id_ = period_of(store, tenant, rates).id
    store.write(lambda c: charge_period(c, id_, rates))
    await deliver_all(store, backend)
    await use(POOL + 3_000, revision=2)
    store.write(lambda c: charge_period(c, id_, rates))
    await deliver_all(store, backend)
    rows = store.read(
        lambda c: c.execute(sa.select(billing_lines).order_by(billing_lines.c.at)).all()
    )
    assert [(row.state, row.quantity) for row in rows] == [
        ("rejected", 1),
        ("recorded", 2),
    ]
    told = sa.select(outbox.c.dedupe).where(outbox.c.topic == "notifications")
    assert f"notice:rejected:{rows[0].key}" in store.read(
        lambda c: c.scalars(told).all()
    )


async def test_lines_wait_for_a_backend_that_is_not_active(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(POOL + 1_000)
    id_ = period_of(store, tenant, rates).id
    store.write(lambda c: charge_period(c, id_, rates))
    assert await Courier(store, ()).deliver() == 1
    backend = Billed()
    await deliver_all(store, backend)
    assert backend.total(Meter.OVERAGE) == 1


async def test_money_is_adjusted_once(store: Store, rates: Rates, tenant: str) -> None:
    new = choices.NewAdjustment("money", -500, "an outage")
    id_ = store.write(lambda c: choices.adjust(c, tenant, new, rates, "staff:1"))
    backend = Billed()
    await deliver_all(store, backend)
    assert backend.money == {id_: -500}


async def test_a_node_that_dies_after_sending_is_taken_over(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    backend = Billed()
    await use(POOL + 4_000)
    id_ = period_of(store, tenant, rates).id
    store.write(lambda c: charge_period(c, id_, rates))
    courier = Courier(store, (backend,))
    dying = store.write_async

    async def die(change: Any) -> Any:
        if backend.lines:  # sent, and nothing of it noted
            raise Cut
        return await dying(change)

    store.write_async = die  # type: ignore[method-assign]  # the injected fault
    with pytest.raises(BaseExceptionGroup):
        await courier.deliver()
    del store.write_async
    assert len(backend.lines) == 1
    await deliver_all(store, backend)
    assert backend.total(Meter.OVERAGE) == 4
    states = store.read(lambda c: c.scalars(sa.select(billing_lines.c.state)).all())
    assert states == ["recorded"]


async def test_a_close_that_is_cut_off_anywhere_is_made_again(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    backend = Billed()
    await use(POOL + 9_500)
    await use(1_000_000, model=PREMIUM, cost=1_000_000)
    id_ = period_of(store, tenant, rates).id
    for statements in range(60):
        release = cut_after(store, statements)
        try:
            done = store.write(lambda c: close(c, id_, rates))
        except Cut:
            done = False
        finally:
            release()
        if done:
            break
        assert period_of(store, tenant, rates).state == "open"
        assert store.read(lambda c: c.scalars(sa.select(billing_lines)).all()) == []
    assert done
    assert statements > 8
    await deliver_all(store, backend)
    assert (backend.total(Meter.OVERAGE), backend.total(Meter.PREMIUM)) == (9, 130)
    consistent, document = store.read(lambda c: verify(c, id_, rates))
    assert consistent
    assert document["units"] == document["charged"]
    assert not store.write(lambda c: close(c, id_, rates))


async def test_a_closed_period_takes_no_usage_and_its_statement_can_be_made_again(
    store: Store, rates: Rates, tenant: str, use: Use
) -> None:
    await use(POOL + 9_500)
    then = time.time() + 40 * 86_400
    assert sweep(store, rates, now=then)["closed"] == 1
    id_ = store.read(
        lambda c: c.scalar(sa.text("SELECT period_id FROM billing_statements"))
    )
    assert store.read(lambda c: verify(c, id_, rates))[0]
    with pytest.raises(UsageConflict, match="nothing was stored"):
        await use(1, revision=2)

    def tamper(connection: sa.Connection) -> None:
        text = "UPDATE token_usage_buckets SET input_tokens = input_tokens + 1000"
        connection.execute(sa.text(text))

    store.write(tamper)
    assert not store.read(lambda c: verify(c, id_, rates))[0]


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("use"), st.integers(0, 20_000)),
        st.tuples(st.just("charge"), st.integers(0, 12)),
        st.tuples(st.just("deliver"), st.sampled_from(["", "before", "after"])),
    ),
    max_size=12,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
async def test_whatever_happens_in_whatever_order_the_sums_are_right(
    store: Store, rates: Rates, tenant: str, use: Use, acts: list[tuple[str, Any]]
) -> None:
    backend, revision = Billed(), int(time.time() * 1000)
    await use(POOL, revision=revision)
    id_ = period_of(store, tenant, rates).id
    before = store.read(lambda c: charged(c, id_))[Meter.OVERAGE]
    for act, value in acts:
        if act == "use":
            revision += 1
            await use(POOL + value, revision=revision)
        elif act == "charge":
            release = cut_after(store, value)
            try:
                store.write(lambda c: charge_period(c, id_, rates))
            except Cut:
                pass
            finally:
                release()
        else:
            backend.fails.extend([value] if value else [])
            await Courier(store, (backend,)).deliver(now=time.time() + LATER)
    store.write(lambda c: charge_period(c, id_, rates))
    backend.fails.clear()
    await deliver_all(store, backend, 3 * LATER)
    period = period_of(store, tenant, rates)
    wanted = due(period, rates)[Meter.OVERAGE]
    assert store.read(lambda c: charged(c, id_))[Meter.OVERAGE] == wanted
    assert backend.total(Meter.OVERAGE) == wanted - before

    def reset(connection: sa.Connection) -> None:
        connection.execute(sa.delete(outbox))
        connection.execute(sa.update(billing_accounts).values(customer=None))

    store.write(reset)
