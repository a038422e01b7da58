"""From a payment to a metered unit: the Hub and the Stripe plugin, against its fake."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from letsbe.plugin import BillingBackend, CheckoutRequest
from letsbe.plugin._facade import Plugins
from letsbe_billing_stripe import Settings as StripeSettings
from letsbe_billing_stripe.backend import StripeBackend
from letsbe_billing_stripe.fake import FakeStripe
from letsbe_billing_stripe.fake.server import Fault
from letsbe_hub.api.app import make_app
from letsbe_hub.billing.closing import sweep
from letsbe_hub.billing.delivery import open_customer
from letsbe_hub.billing.overview import overview
from letsbe_hub.billing.periods import account_of
from letsbe_hub.bus import LocalBus
from letsbe_hub.opening import Hub, assemble
from letsbe_hub.server import running
from letsbe_hub.settings import Settings
from letsbe_hub.storage.schema import migrate
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.storage.tables.tenants import tenants
from letsbe_hub.tenants.registry import NewTenant, create
from letsbe_hub.usage.buckets import Bucket, Counts
from letsbe_hub.usage.ingestion import Push

POOL = 16_000_000  # Lite, doubled


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with FakeStripe() as running_fake:
        yield running_fake


@pytest.fixture
def hub(tmp_path: Path, fake: FakeStripe) -> Iterator[Hub]:
    store = Store(sqlite_url(tmp_path / "hub.db"))
    migrate(store)
    plugins = Plugins((), hook_timeout=2.0)
    backends: tuple[BillingBackend, ...] = (
        StripeBackend(StripeSettings.model_validate(fake.settings)),
    )
    plugins.billing_backends = backends
    settings = Settings.model_validate(
        {"billing": {"backend": "stripe", "at_limit": "overage"}}
    )
    made = assemble(settings, plugins, store, LocalBus(), bytes(32))
    with contextlib.closing(store), contextlib.closing(made):
        yield made


def make_tenant(connection: sa.Connection) -> str:
    id_ = create(connection, NewTenant("Bakery", "order-1", "lite"), "cli")
    ago = time.time() - 10 * 86_400
    connection.execute(sa.update(tenants).values(created_at=ago))
    return id_


def test_a_payment_doubles_the_pool_and_overage_becomes_units_once(
    hub: Hub, fake: FakeStripe
) -> None:
    tenant = hub.store.write(make_tenant)
    hub.store.write(lambda c: account_of(c, tenant, hub.rates))
    app = make_app(hub, lambda: running(hub, chores=False))

    async def open_checkout() -> None:
        backends = {b.name: b for b in hub.plugins.billing_backends}
        backend, customer = await open_customer(hub.store, backends, tenant)
        pages = ("https://hub.example/done", "https://hub.example/back")
        assert isinstance(backend, StripeBackend)
        await backend.open_checkout(
            CheckoutRequest("order-1", customer, "lite", *pages)
        )

    async def use_and_deliver() -> None:
        hour = (int(time.time()) // 3600 - 1) * 3600
        counts = Counts(input_tokens=POOL + 5_500, requests=1)
        bucket = Bucket(hour, "main", "deepseek/deepseek-v3.2", 1, counts)
        await hub.usage.take(Push(tenant, [bucket]))
        sweep(hub.store, hub.rates)
        fake.faults.extend([None, None, Fault.CUT_AFTER])  # somewhere on the way
        for ahead in (0.0, 1_000.0, 2_000.0, 3_000.0):
            await hub.courier.deliver(now=time.time() + ahead)

    anyio.run(open_checkout)
    hooks = fake.act.pay("order-1")
    with TestClient(app, base_url="http://127.0.0.1") as http:
        path = "/api/v1/webhooks/billing/stripe"
        for hook in [*reversed(hooks), *hooks]:
            answer = http.post(path, content=hook.body, headers=hook.headers())
            assert answer.status_code == 200, answer.text
        forged = http.post(
            path, content=hooks[0].body, headers={"stripe-signature": ""}
        )
        assert forged.status_code == 400
        http.portal.call(use_and_deliver)  # type: ignore[union-attr]  # it is open
    found = hub.store.write(lambda c: overview(c, tenant, hub.rates))
    assert (found.founding_number, found.period.pool_tokens) == (1, POOL)
    assert found.alerts == (80, 90, 100)
    sent = [int(event["payload"]["value"]) for event in fake.state.events]
    assert sent == [5]
    states = hub.store.read(
        lambda c: c.scalars(sa.text("SELECT state FROM billing_lines")).all()
    )
    assert states == ["recorded"]
