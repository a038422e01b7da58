"""Subscriptions that are not paid: grace, a pause that the edge enforces, an end."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from hub.tests.billing.test_payments import NOW, PAID, tell
from letsbe.plugin import PaymentEvent, PaymentEventKind
from letsbe.proxy.pool import Limit, limit_at
from letsbe_hub.billing.dunning import pause_unpaid
from letsbe_hub.billing.rates import Rates
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.shared import acts, outbox
from letsbe_hub.storage.tables.tenants import tenants

DAY = 86_400
GRACE = 14 * DAY


def subscription(id_: str, status: str, at: int) -> PaymentEvent:
    kind, type_ = PaymentEventKind.SUBSCRIPTION, "customer.subscription.updated"
    return PaymentEvent(
        id_, kind, type_, at, customer="cus_1", order="ord-1", status=status
    )


@pytest.fixture(autouse=True)
def paid(store: Store, rates: Rates, tenant: str) -> None:
    tell(store, rates, PAID, subscription("s1", "active", NOW))


def allowed(store: Store, tenant: str) -> tuple[int | None, bool]:
    """Return how many tokens the edge lets through, and whether dear models count."""
    found = held(store, tenant)
    return found.tokens, found.counts("vendor/large-1")


def held(store: Store, tenant: str) -> Limit:
    """Return what the edge holds to."""
    query = sa.select(tenants.c.allowance).where(tenants.c.id == tenant)
    found = limit_at(store.read(lambda c: c.scalar(query)), NOW)
    assert found is not None
    return found


def noted(store: Store) -> list[Any]:
    return store.read(lambda c: list(c.scalars(sa.select(acts.c.act))))


def test_agents_are_paused_once_grace_is_over_and_go_on_when_it_is_paid(
    store: Store, rates: Rates, tenant: str
) -> None:
    before = allowed(store, tenant)
    assert before == (None, False)  # overage without a cap
    tell(store, rates, subscription("s2", "past_due", NOW + 1))
    assert pause_unpaid(store, rates, now=NOW + GRACE - 1) == 0
    assert allowed(store, tenant) == before
    # Told again later, the time to pay is still counted from the first.
    tell(store, rates, subscription("s3", "past_due", NOW + DAY))
    assert pause_unpaid(store, rates, now=NOW + GRACE + 2) == 1
    assert allowed(store, tenant) == (0, True)
    assert held(store, tenant).unpaid
    assert pause_unpaid(store, rates, now=NOW + GRACE + 3) == 0
    tell(store, rates, subscription("s4", "active", NOW + GRACE + 4))
    assert allowed(store, tenant) == before
    assert not held(store, tenant).unpaid
    assert pause_unpaid(store, rates, now=NOW + 2 * GRACE) == 0
    assert {"billing.pause", "billing.reinstate"} <= set(noted(store))
    query = sa.select(outbox).where(outbox.c.topic == "notifications")
    rows = store.read(lambda c: c.execute(query).all())
    names = {
        r.payload["values"]["tenant"] for r in rows if "tenant" in r.payload["values"]
    }
    assert names == {f"Shop ({tenant})"}
    keys = [row.dedupe for row in rows]
    assert [k for k in keys if ":paused:" in k or ":reinstated:" in k] == [
        f"notice:paused:{tenant}:{NOW + 1}",
        f"notice:reinstated:{tenant}:{NOW + 1}",
    ]


def test_who_pays_in_time_is_never_paused(store: Store, rates: Rates) -> None:
    tell(store, rates, subscription("s2", "past_due", NOW + 1))
    tell(store, rates, subscription("s3", "active", NOW + DAY))
    assert pause_unpaid(store, rates, now=NOW + 2 * GRACE) == 0
    assert "billing.pause" not in noted(store)


def test_an_old_word_that_comes_late_pauses_nobody(store: Store, rates: Rates) -> None:
    tell(store, rates, subscription("s3", "active", NOW + DAY))
    assert tell(store, rates, subscription("s2", "past_due", NOW + 1)) == [
        "older than what is known"
    ]
    assert pause_unpaid(store, rates, now=NOW + 2 * GRACE) == 0
