"""What every test here shares: a fake Stripe, and a backend that talks to it."""

from collections.abc import Iterator

import pytest

from letsbe_billing_stripe import Settings
from letsbe_billing_stripe.backend import StripeBackend
from letsbe_billing_stripe.fake import FakeStripe


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with FakeStripe() as running:
        yield running


@pytest.fixture
def backend(fake: FakeStripe) -> StripeBackend:
    return StripeBackend(Settings.model_validate(fake.settings))
