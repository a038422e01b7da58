"""Webhooks: only genuine ones count, and their order does not matter."""

import itertools
import json
import time

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.plugin import (
    BillingAccount,
    CheckoutRequest,
    PaymentEvent,
    PaymentEventKind,
    Refused,
    Rejected,
    TryLater,
)
from letsbe_billing_stripe import Settings
from letsbe_billing_stripe.backend import StripeBackend
from letsbe_billing_stripe.fake import FakeStripe
from letsbe_billing_stripe.fake.server import SIGNING, Fault
from letsbe_billing_stripe.fake.webhooks import Webhook

pytestmark = pytest.mark.anyio

PAGE = ("https://hub.example/done", "https://hub.example/back")


async def order(
    backend: StripeBackend, id_: str = "ord_1", plan: str = "build"
) -> tuple[str, CheckoutRequest]:
    account = BillingAccount("acc_1", "owner@example.com", "Shop")
    customer = await backend.open_account(account)
    return customer, CheckoutRequest(id_, customer, plan, *PAGE)


async def read(backend: StripeBackend, hook: Webhook) -> PaymentEvent:
    (event,) = await backend.read_webhook(hook.body, hook.headers())
    return event


async def test_an_order_is_paid_and_told(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    customer, request = await order(backend)
    page = await backend.open_checkout(request)
    assert await backend.open_checkout(request) == page
    assert page.expires_at > time.time()
    events = [await read(backend, hook) for hook in fake.act.pay("ord_1")]
    assert {(e.customer, e.order, e.plan) for e in events} == {
        (customer, "ord_1", "build")
    }
    kinds = [e.kind for e in events]
    paid = PaymentEventKind.PAID
    assert kinds == [PaymentEventKind.SUBSCRIPTION, paid, paid]
    assert [e.amount for e in events[1:]] == [4500, 4500]
    assert events[0].status == "active"


async def test_a_plan_without_a_price_is_rejected(backend: StripeBackend) -> None:
    _, request = await order(backend, plan="gigantic")
    with pytest.raises(Rejected, match="no price"):
        await backend.open_checkout(request)


async def test_the_portal_is_a_page(fake: FakeStripe, backend: StripeBackend) -> None:
    customer, _ = await order(backend)
    assert (await backend.open_portal(customer, PAGE[1])).startswith("https://portal.")
    with pytest.raises(Rejected):
        await backend.open_portal("cus_nobody", PAGE[1])


async def test_the_state_is_read_anew_so_that_the_order_of_events_does_not_matter(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    customer, request = await order(backend)
    await backend.open_checkout(request)
    hooks = [fake.act.pay("ord_1")[0]]
    hooks += fake.act.change(customer, "past_due")
    hooks += fake.act.change(customer, "canceled")
    for ordering in itertools.permutations(hooks):
        states = [await read(backend, hook) for hook in ordering]
        assert [s.status for s in states] == ["canceled"] * 3
        assert [s.read_at for s in states] == sorted(s.read_at or 0 for s in states)


async def test_the_same_event_has_the_same_id_each_time(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    customer, request = await order(backend)
    await backend.open_checkout(request)
    fake.act.pay("ord_1")
    (hook,) = fake.act.refund(customer)
    first, second = await read(backend, hook), await read(backend, hook)
    assert first == second
    assert (first.kind, first.amount, first.whole) == (
        PaymentEventKind.REFUNDED,
        4500,
        True,
    )
    (hook,) = fake.act.refund(customer, 100)
    assert not (await read(backend, hook)).whole


async def test_a_subscription_that_cannot_be_read_is_told_again(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    _, request = await order(backend)
    await backend.open_checkout(request)
    hook = fake.act.pay("ord_1")[0]
    fake.faults.append(Fault.ERROR_BEFORE)
    with pytest.raises(TryLater):
        await read(backend, hook)
    assert (await read(backend, hook)).status == "active"


async def test_faults_of_meters_and_unknown_events_are_told(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    fault = await read(backend, fake.act.report_meter_error())
    assert fault.kind is PaymentEventKind.METER_FAULT
    assert fault.at > 1_700_000_000
    unknown = await read(backend, fake.act.tell("sun.rose", {"id": "sun_1"}))
    assert unknown.kind is PaymentEventKind.IGNORED


@pytest.mark.parametrize("age", [301, 4000, -301])
async def test_an_old_or_future_signature_is_refused(
    fake: FakeStripe, backend: StripeBackend, age: int
) -> None:
    hook = fake.act.tell("sun.rose", {})
    with pytest.raises(Refused, match="too old"):
        await backend.read_webhook(hook.body, hook.headers(time.time() - age))


async def test_what_is_not_genuine_is_refused(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    hook = fake.act.tell("sun.rose", {})
    good = hook.headers()
    foreign = Webhook(hook.type, hook.body, "whsec_another").headers()
    for body, headers in [
        (hook.body + b" ", good),
        (hook.body, {}),
        (hook.body, {"stripe-signature": ""}),
        (hook.body, {"stripe-signature": "t=,v1="}),
        (hook.body, {"stripe-signature": "v1=00"}),
        (hook.body, {"stripe-signature": good["stripe-signature"].split(",")[0]}),
        (hook.body, foreign),
        (b"\xff\xfe", good),
    ]:
        with pytest.raises(Refused):
            await backend.read_webhook(body, headers)


async def test_both_secrets_are_good_while_one_is_rotated(
    fake: FakeStripe,
) -> None:
    table = {**fake.settings, "webhook_secrets": ("whsec_newer", SIGNING)}
    backend = StripeBackend(Settings.model_validate(table))
    hook = fake.act.tell("sun.rose", {})
    newer = Webhook(hook.type, hook.body, "whsec_newer")
    assert (await read(backend, hook)).id == (await read(backend, newer)).id


async def test_the_other_mode_is_refused(
    fake: FakeStripe, backend: StripeBackend
) -> None:
    body = json.loads(fake.act.tell("invoice.paid", {}).body)
    live = json.dumps({**body, "livemode": True}).encode()
    with pytest.raises(Refused, match="other mode"):
        await read(backend, Webhook("invoice.paid", live, SIGNING))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kind=st.sampled_from(["invoice.paid", "charge.refunded", "x"]), thing=JSON)
async def test_signed_nonsense_is_refused_or_ignored(
    backend: StripeBackend, kind: str, thing: object
) -> None:
    event = {"id": "evt_1", "type": kind, "livemode": False, "created": 1}
    body = json.dumps({**event, "data": {"object": thing}}).encode()
    try:
        await read(backend, Webhook(kind, body, SIGNING))
    except Refused:
        return
    assert kind == "x" or isinstance(thing, dict)


async def test_the_sdk_signs_as_this_test_does(fake: FakeStripe) -> None:
    hook = fake.act.tell("sun.rose", {})
    header = hook.headers()["stripe-signature"]
    assert stripe.WebhookSignature.verify_header(hook.body, header, SIGNING, 300)
