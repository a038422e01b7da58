"""Webhooks: told twice, late, in any order; killed anywhere."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
import sqlalchemy as sa

from hub.tests.billing.conftest import Paying
from hub.tests.billing.test_charging import Cut, cut_after
from letsbe.plugin import PaymentEvent, PaymentEventKind
from letsbe_hub.billing import founding
from letsbe_hub.billing.overview import overview
from letsbe_hub.billing.payments import apply_events
from letsbe_hub.billing.rates import Rates
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.payments import billing_accounts, payment_events

NOW = int(time.time())
PAID = PaymentEvent(
    "evt_1",
    PaymentEventKind.PAID,
    "invoice.paid",
    NOW,
    customer="cus_1",
    order="ord-1",
    amount=2900,
    currency="eur",
)
SECOND = PaymentEvent(
    "evt_2",
    PaymentEventKind.PAID,
    "checkout.session.completed",
    NOW + 1,
    customer="cus_1",
    order="ord-1",
)
REFUND = PaymentEvent(
    "evt_3",
    PaymentEventKind.REFUNDED,
    "charge.refunded",
    NOW + 3 * 86_400,
    customer="cus_1",
    order="ord-1",
    whole=True,
)


def tell(store: Store, rates: Rates, *events: PaymentEvent) -> list[str]:
    return store.write(lambda c: apply_events(c, "paying", events, rates))


def number(store: Store, rates: Rates, tenant: str) -> int | None:
    return store.write(lambda c: overview(c, tenant, rates)).founding_number


def test_the_first_payment_claims_a_spot_and_counts_once(
    store: Store, rates: Rates, tenant: str
) -> None:
    assert tell(store, rates, PAID) == ["founding member 1"]
    assert tell(store, rates, PAID, SECOND) == ["known", "paid"]
    found = store.write(lambda c: overview(c, tenant, rates))
    assert found.founding_number == 1
    assert found.period.pool_tokens == 16_000_000
    account = store.read(lambda c: c.execute(sa.select(billing_accounts)).one())
    assert account.first_paid_at == NOW


@pytest.mark.parametrize("order", list(itertools.permutations([PAID, SECOND, REFUND])))
def test_a_refund_within_two_weeks_ends_the_spot_in_any_order(
    store: Store, rates: Rates, tenant: str, order: tuple[PaymentEvent, ...]
) -> None:
    for event in (*order, *order):
        tell(store, rates, event)
    found = store.write(lambda c: overview(c, tenant, rates))
    assert found.founding_number is None
    assert found.period.pool_tokens == 8_000_000


def test_a_late_or_partial_refund_does_not_end_the_spot(
    store: Store, rates: Rates, tenant: str
) -> None:
    tell(store, rates, PAID)
    partial = PaymentEvent(
        "e4", PaymentEventKind.REFUNDED, "x", NOW + 9, customer="cus_1"
    )
    late = PaymentEvent(
        "e5",
        PaymentEventKind.REFUNDED,
        "x",
        NOW + int(founding.REFUND_SECONDS) + 60,
        customer="cus_1",
        whole=True,
    )
    assert tell(store, rates, partial, late) == ["refunded in part", "refunded"]
    assert number(store, rates, tenant) == 1


def test_an_internal_account_takes_no_spot(
    store: Store, rates: Rates, tenant: str
) -> None:
    store.write(lambda c: overview(c, tenant, rates))
    store.write(lambda c: c.execute(sa.update(billing_accounts).values(internal=True)))
    assert tell(store, rates, PAID) == ["paid"]
    assert number(store, rates, tenant) is None


def subscription(
    id_: str, status: str, read_at: float, plan: str | None = None
) -> PaymentEvent:
    return PaymentEvent(
        id_,
        PaymentEventKind.SUBSCRIPTION,
        "customer.subscription.updated",
        NOW,
        customer="cus_1",
        order="ord-1",
        plan=plan,
        status=status,
        read_at=read_at,
    )


def test_a_state_that_was_read_earlier_does_not_come_back(
    store: Store, rates: Rates, tenant: str
) -> None:
    newer = subscription("e1", "canceled", NOW + 10)
    older = subscription("e2", "active", NOW + 5)
    assert tell(store, rates, newer, older) == [
        "subscription canceled",
        "older than what is known",
    ]
    account = store.write(lambda c: overview(c, tenant, rates)).account
    assert account.subscription_status == "canceled"


def test_a_bigger_plan_at_the_payment_service_is_one_here(
    store: Store, rates: Rates, tenant: str
) -> None:
    tell(store, rates, subscription("e1", "active", NOW, "scale"))
    found = store.write(lambda c: overview(c, tenant, rates))
    assert found.period.pool_tokens == 25_000_000


def test_what_concerns_nobody_is_noted_and_changes_nothing(
    store: Store, rates: Rates, tenant: str
) -> None:
    stranger = PaymentEvent("e9", PaymentEventKind.PAID, "x", NOW, customer="cus_9")
    fault = PaymentEvent("e10", PaymentEventKind.METER_FAULT, "v1.meter", NOW)
    ignored = PaymentEvent("e11", PaymentEventKind.IGNORED, "sun.rose", NOW)
    told = [stranger, fault, ignored]
    assert tell(store, rates, *told) == ["ignored", "reported", "ignored"]
    assert number(store, rates, tenant) is None


def test_a_webhook_that_is_cut_off_anywhere_is_told_again(
    store: Store, rates: Rates, tenant: str
) -> None:
    for statements in range(80):
        release = cut_after(store, statements)
        try:
            effects = tell(store, rates, PAID)
        except Cut:
            effects = []
        finally:
            release()
        if effects:
            break
        assert store.read(lambda c: c.scalars(sa.select(payment_events)).all()) == []
    assert effects == ["founding member 1"]
    assert statements > 10
    assert number(store, rates, tenant) == 1


def test_the_endpoint_takes_only_what_a_payment_service_vouches_for(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "/api/v1/webhooks/billing"
    assert site.http.post(f"{base}/stripe", content=b"{}").status_code == 404
    backend = Paying(told=[PAID])
    monkeypatch.setattr(site.hub.plugins, "billing_backends", (backend,))
    answer = site.http.post(f"{base}/paying", content=b"anything")
    assert answer.status_code == 200
    assert answer.json()["data"] == {"effects": ["ignored"]}
