"""Failures at Stripe's end: what is told, and that nothing counts twice."""

import anyio
import pytest

from letsbe.plugin import (
    BillingAccount,
    BillingAdjustment,
    BillingUnits,
    Meter,
    Rejected,
    TryLater,
)
from letsbe_billing_stripe import Settings
from letsbe_billing_stripe.backend import StripeBackend
from letsbe_billing_stripe.fake import FakeStripe
from letsbe_billing_stripe.fake.server import Fault
from letsbe_billing_stripe.fake.state import DAY

pytestmark = pytest.mark.anyio

ACCOUNT = BillingAccount("acc_1", "owner@example.com", "Shop")


async def line(
    backend: StripeBackend, fake: FakeStripe, quantity: int = 5
) -> BillingUnits:
    customer = await backend.open_account(ACCOUNT)
    at = int(fake.state.now) - 600
    units = BillingUnits("line-1", customer, Meter.OVERAGE, quantity, at)
    await backend.check()  # so that its meters are there
    backend._customers.add(customer)
    return units


async def total(backend: StripeBackend, units: BillingUnits) -> int | None:
    start = units.at - units.at % 60
    return await backend.recorded(units.customer, units.meter, start, start + 60)


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.CUT_AFTER])
async def test_an_event_that_was_taken_before_a_failure_counts_once(
    fake: FakeStripe, backend: StripeBackend, fault: Fault
) -> None:
    units = await line(backend, fake)
    fake.faults.append(fault)
    with pytest.raises(TryLater):
        await backend.record(units)
    await backend.record(units)
    assert await total(backend, units) == 5


async def test_a_limit_asks_to_wait_as_long_as_stripe_says(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    units = await line(backend, fake)
    fake.faults.append(Fault.RATE_LIMIT)
    with pytest.raises(TryLater) as caught:
        await backend.record(units)
    assert caught.value.retry_after == 2
    assert await total(backend, units) == 0


async def test_two_at_once_in_one_lane_are_asked_to_wait(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    units = await line(backend, fake)
    fake.delay = 0.2
    refused = []

    async def send() -> None:
        try:
            await backend.record(units)
        except TryLater:
            refused.append(1)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(send)
    fake.delay = 0
    assert refused == [1, 1]
    assert await total(backend, units) == 5


async def test_a_key_is_forgotten_after_a_day_which_is_why_the_hub_asks_first(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    units = await line(backend, fake)
    await backend.record(units)
    fake.state.ahead = DAY + 60
    assert backend.remembers == DAY
    assert await total(backend, units) == 5  # what the Hub compares before it resends
    await backend.record(units)
    assert await total(backend, units) == 10  # what would happen if it did not


async def test_sums_lag(fake: FakeStripe, backend: StripeBackend) -> None:
    units = await line(backend, fake)
    fake.state.lag = 120
    await backend.record(units)
    assert await total(backend, units) == 0
    fake.state.ahead = 121
    assert await total(backend, units) == 5


async def test_an_adjustment_is_made_once_though_its_key_was_forgotten(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    customer = await backend.open_account(ACCOUNT)
    money = BillingAdjustment("adj-1", customer, 500, "eur", "a late bucket")
    await backend.adjust(money)
    fake.state.ahead = 3 * DAY
    await backend.adjust(money)
    assert [i["amount"] for i in fake.state.all("invoiceitem")] == [500]
    other = BillingAdjustment("adj-1", customer, 501, "eur", "another")
    with pytest.raises(Rejected):
        await backend.adjust(other)


async def test_an_adjustment_that_failed_after_it_was_made_is_found(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    customer = await backend.open_account(ACCOUNT)
    backend._customers.add(customer)
    money = BillingAdjustment("adj-1", customer, 500, "eur", "a late bucket")
    fake.faults.extend([None, Fault.ERROR_AFTER])
    with pytest.raises(TryLater):
        await backend.adjust(money)
    await backend.adjust(money)
    assert [i["amount"] for i in fake.state.all("invoiceitem")] == [500]


async def test_an_account_is_one_customer_while_the_search_lags_and_after(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    fake.state.lag = 60
    first = await backend.open_account(ACCOUNT)
    assert await backend.open_account(ACCOUNT) == first
    fake.state.ahead = 2 * DAY  # the idempotency key is gone, the search is not behind
    assert await backend.open_account(ACCOUNT) == first
    assert len(fake.state.all("customer")) == 1


async def test_a_wrong_key_lets_lines_wait_and_is_not_shown(
    fake: FakeStripe,
) -> None:
    settings = {**fake.settings, "secret_key": "sk_test_somebodyelses"}
    backend = StripeBackend(Settings.model_validate(settings))
    with pytest.raises(TryLater, match="check the settings") as caught:
        await backend.open_account(ACCOUNT)
    assert "somebodyelses" not in str(caught.value)
    health = await backend.check()
    assert not health.healthy
    assert "check the settings" in health.message


async def test_no_answer_at_all_lets_lines_wait() -> None:
    with FakeStripe() as fake:
        settings = fake.settings
    backend = StripeBackend(Settings.model_validate(settings))
    with pytest.raises(TryLater):
        await backend.open_account(ACCOUNT)


async def test_units_from_the_future_wait_until_it_is_there(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    units = await line(backend, fake)
    ahead = BillingUnits("l", units.customer, Meter.OVERAGE, 1, units.at + 5_000)
    with pytest.raises(TryLater):
        await backend.record(ahead)


async def test_the_catalogue_is_made_once_and_follows_the_prices(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    assert (await backend.check()).healthy
    before = len(fake.state.all("price"))
    again = StripeBackend(Settings.model_validate(fake.settings))
    assert (await again.check()).healthy
    assert len(fake.state.all("price")) == before
    assert len(fake.state.all("billing.meter")) == 2
    dearer = {**fake.settings, "overage_price": 2}
    changed = StripeBackend(Settings.model_validate(dearer))
    assert (await changed.check()).healthy
    prices = [p for p in fake.state.all("price") if p["lookup_key"]]
    assert len(prices) == before
    (overage,) = (p for p in prices if p["lookup_key"] == "letsbe_overage_units")
    assert overage["unit_amount"] == 2
