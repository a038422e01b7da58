"""The contract of billing backends: against the fake, and against a real sandbox.

With a key in ``STRIPE_TEST_KEY`` (``sk_test_...``) the same tests run against Stripe;
without one they are skipped and say so.
"""

import os
import time

import pytest
from pydantic import SecretStr, ValidationError
from typing_extensions import override

from letsbe.plugin import BillingBackend, PaymentBackend, Site
from letsbe.testing import BillingBackendContract
from letsbe_billing_stripe import Settings, letsbe_billing_backends
from letsbe_billing_stripe.backend import StripeBackend
from letsbe_billing_stripe.connection import connected
from letsbe_billing_stripe.fake import FakeStripe

KEY = os.environ.get("STRIPE_TEST_KEY", "")


class Contract(BillingBackendContract):
    __test__ = False
    module = "letsbe_billing_stripe"

    @override
    def now(self) -> int:
        return int(time.time())

    @override
    async def adjusted(self, backend: BillingBackend, customer: str) -> list[int]:
        assert isinstance(backend, StripeBackend)
        async with connected(backend._settings) as client:
            listed = await client.v1.invoice_items.list_async({"customer": customer})
            return [item.amount async for item in listed.auto_paging_iter()]


class TestFake(Contract):
    __test__ = True

    @pytest.fixture
    @override
    def backend(self, fake: FakeStripe) -> BillingBackend:
        return StripeBackend(Settings.model_validate(fake.settings))


class Sandbox(Contract):
    """Against Stripe itself."""

    patience = 120.0  # summaries are counted asynchronously

    @pytest.fixture
    @override
    def backend(self) -> BillingBackend:
        assert KEY.startswith(("sk_test_", "rk_test_")), "never a live key"
        return StripeBackend(
            Settings(
                secret_key=SecretStr(KEY),
                webhook_secrets=(SecretStr("whsec_unused"),),
                currency="eur",
                plans={"lite": 2900},
                overage_price=1,
            )
        )


if KEY:  # a contract's tests are not skipped one by one

    class TestSandbox(Sandbox):
        __test__ = True


@pytest.mark.may_skip("a real sandbox key is not part of every machine")
def test_a_sandbox_was_asked_too() -> None:
    if not KEY:
        pytest.skip("STRIPE_TEST_KEY is not set: no test of the contract asked Stripe")
    assert TestSandbox.patience > 0


def test_it_registers_a_backend_that_takes_payments(
    fake: FakeStripe,
) -> None:
    site = Site(roots=(), settings=fake.settings)
    (backend,) = letsbe_billing_backends(site)
    assert isinstance(backend, PaymentBackend)


@pytest.mark.parametrize(
    "change",
    [
        {"secret_key": "pk_test_public"},
        {"webhook_secrets": ()},
        {"api_base": "https://example.com"},
        {"api_base": "http://api.stripe.com"},
        {"currency": "EURO"},
        {"plans": {}},
        {"plans": {"lite": -1}},
        {"overage_price": 0},
        {"color": "blue"},
    ],
)
def test_wrong_settings_are_named(fake: FakeStripe, change: dict[str, object]) -> None:
    settings = {**fake.settings, **change}
    with pytest.raises(ValidationError) as caught:
        letsbe_billing_backends(Site(roots=(), settings=settings))
    assert next(iter(change)) in str(caught.value.errors()[0]["loc"])
