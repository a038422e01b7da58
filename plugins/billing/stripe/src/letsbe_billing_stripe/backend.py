"""The backend: what the Hub's outbox sends, as Stripe's API takes it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import stripe

from letsbe.plugin import (
    BillingAccount,
    BillingAdjustment,
    BillingUnits,
    CheckoutPage,
    CheckoutRequest,
    Health,
    LetsBeError,
    Meter,
    PaymentEvent,
    Rejected,
    TryLater,
)
from letsbe_billing_stripe.catalogue import (
    PREFIX,
    Catalogue,
    catalogue_of,
    meters_of,
    note,
)
from letsbe_billing_stripe.connection import connected
from letsbe_billing_stripe.failures import told
from letsbe_billing_stripe.settings import Settings
from letsbe_billing_stripe.webhooks import WebhookReader

if TYPE_CHECKING:
    from stripe.params.checkout._session_create_params import (
        SessionCreateParams,
        SessionCreateParamsLineItem,
    )

REMEMBERS = 24 * 3600
"""Meter events' identifiers are unique "within a rolling period of at least 24 hours"
(https://docs.stripe.com/api/billing/meter-event/create)."""
ACCEPTS_BACK = 35 * 24 * 3600
"""And their timestamps at most 35 days old (the same page)."""

_AHEAD = 300
_MINUTE = 60
_KEY_LENGTH = 100
_LARGEST = 10**15  # a sum comes back as a float, which is exact up to 2**53
_CURRENCY = re.compile(r"[a-z]{3}")
_TAKEN = "An event already exists with identifier"
_KNOWN = 10_000


class StripeBackend:
    """A :class:`letsbe.plugin.PaymentBackend`.

    Args:
        settings: How to reach Stripe.
    """

    name = "stripe"
    remembers: int | None = REMEMBERS
    accepts_back: int | None = ACCEPTS_BACK

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._webhooks = WebhookReader(settings)
        self._catalogue: Catalogue | None = None
        self._meters: dict[Meter, str] = {}
        self._customers: set[str] = set()

    async def open_account(self, account: BillingAccount) -> str:
        """Find the customer by our id in its metadata, or make it.

        The idempotency key covers the search's lag of about a minute; what may change
        is set afterwards, because a key goes with the very same parameters.
        """
        async with connected(self._settings) as client:
            with told("the account"):
                query = f"metadata['{PREFIX}account']:'{_quoted(account.id)}'"
                found = await client.v1.customers.search_async({"query": query})
                if found.data:
                    customer = found.data[0].id
                else:
                    made = await client.v1.customers.create_async(
                        {"metadata": {f"{PREFIX}account": account.id}},
                        {"idempotency_key": f"{PREFIX}account:{account.id}"},
                    )
                    customer = made.id
                await client.v1.customers.update_async(
                    customer, {"email": account.email, "name": account.name}
                )
        return customer

    async def record(self, units: BillingUnits) -> None:
        """Send a meter event whose identifier is the line's key.

        No idempotency key: Stripe would answer a repetition with the first answer,
        even where that was an error after the event had been taken. The identifier
        alone tells, by the error below
        (https://github.com/langfuse/langfuse/pull/16292).
        """
        _check(units)
        async with connected(self._settings) as client:
            await self._known(client, units.customer)
            with told("the units"):
                await self._meter(client, units.meter)
                try:
                    await client.v1.billing.meter_events.create_async(
                        {
                            "event_name": PREFIX + units.meter.value,
                            "identifier": units.key,
                            "timestamp": units.at,
                            "payload": {
                                "stripe_customer_id": units.customer,
                                "value": str(units.quantity),
                            },
                        }
                    )
                except stripe.InvalidRequestError as error:
                    if not (error.user_message or "").startswith(_TAKEN):
                        raise

    async def recorded(
        self, customer: str, meter: Meter, start: int, end: int
    ) -> int | None:
        """Read the meter's summary. It lags by minutes, so ask for what is old."""
        async with connected(self._settings) as client:
            with told("the question for a sum"):
                listed = await client.v1.billing.meters.event_summaries.list_async(
                    await self._meter(client, meter),
                    {
                        "customer": customer,
                        "start_time": start - start % _MINUTE,
                        "end_time": end + -end % _MINUTE,
                    },
                )
                values = [s.aggregated_value async for s in listed.auto_paging_iter()]
        if not all(float(v).is_integer() and abs(v) <= _LARGEST for v in values):
            raise TryLater("Stripe's sum is not a whole number that can be compared")
        return sum(int(value) for value in values)

    async def adjust(self, adjustment: BillingAdjustment) -> None:
        """Put an invoice item on the customer's next invoice, found by its key.

        Listing first keeps a key known for longer than Stripe keeps idempotency keys
        (https://docs.stripe.com/api/idempotent_requests: at least 24 hours).
        """
        _check_money(adjustment)
        async with connected(self._settings) as client:
            await self._known(client, adjustment.customer)
            with told("the adjustment"):
                found = await _item(client, adjustment)
                if found is None:
                    await client.v1.invoice_items.create_async(
                        {
                            "customer": adjustment.customer,
                            "amount": adjustment.amount,
                            "currency": adjustment.currency,
                            "description": adjustment.reason,
                            "metadata": {f"{PREFIX}key": adjustment.key},
                        },
                        {"idempotency_key": f"{PREFIX}adjust:{adjustment.key}"},
                    )
                elif found.amount != adjustment.amount:
                    raise Rejected("the key names another adjustment at Stripe")

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Make a Checkout session: the plan and both metered prices."""
        async with connected(self._settings) as client:
            with told("the checkout"):
                catalogue = await self._prices(client)
                if request.plan not in catalogue.plans:
                    raise Rejected("the plan has no price in [plugins.settings.stripe]")
                plan = catalogue.plans[request.plan]
                session = await client.v1.checkout.sessions.create_async(
                    _session(request, plan, catalogue.metered.values()),
                    {"idempotency_key": f"{PREFIX}checkout:{request.order}"},
                )
        if not session.url:
            raise Rejected("the order's checkout is already over")
        return CheckoutPage(session.url, session.expires_at)

    async def open_portal(self, customer: str, return_url: str) -> str:
        """Make a session of Stripe's customer portal."""
        async with connected(self._settings) as client:
            with told("the portal"):
                session = await client.v1.billing_portal.sessions.create_async(
                    {"customer": customer, "return_url": return_url}
                )
        return session.url

    async def read_webhook(
        self, body: bytes, headers: Mapping[str, str]
    ) -> Sequence[PaymentEvent]:
        """Verify and read a webhook; see :class:`WebhookReader`."""
        return [await self._webhooks.read(body, headers)]

    async def check(self) -> Health:
        """Say whether the key works and every meter and price is there."""
        try:
            async with connected(self._settings) as client:
                with told("the check"):
                    await self._prices(client)
        except LetsBeError as error:
            return Health(False, error.message)
        return Health(True, "live" if self._settings.live else "test mode: no money")

    async def _prices(self, client: stripe.StripeClient) -> Catalogue:
        if self._catalogue is None:
            self._catalogue = await catalogue_of(client, self._settings)
            self._meters = self._catalogue.meters
        return self._catalogue

    async def _meter(self, client: stripe.StripeClient, meter: Meter) -> str:
        if not self._meters:
            self._meters = await meters_of(client)
        return self._meters[meter]

    async def _known(self, client: stripe.StripeClient, customer: str) -> None:
        """Make sure of a customer; Stripe takes events of unknown ones in silence."""
        if customer in self._customers:
            return
        with told("the customer"):
            found = await client.v1.customers.retrieve_async(customer)
            if getattr(found, "deleted", False):
                raise Rejected("Stripe's customer was deleted")
        if len(self._customers) >= _KNOWN:
            self._customers.clear()
        self._customers.add(customer)


def _session(
    request: CheckoutRequest, plan: str, metered: Iterable[str]
) -> SessionCreateParams:
    notes = {f"{PREFIX}order": request.order, f"{PREFIX}plan": request.plan}
    lines: list[SessionCreateParamsLineItem] = [{"price": plan, "quantity": 1}]
    lines += [{"price": price} for price in metered]
    return {
        "mode": "subscription",
        "customer": request.customer,
        "client_reference_id": request.order,
        "line_items": lines,
        "metadata": notes,
        "subscription_data": {"metadata": notes},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
    }


async def _item(
    client: stripe.StripeClient, adjustment: BillingAdjustment
) -> stripe.InvoiceItem | None:
    listed = await client.v1.invoice_items.list_async(
        {"customer": adjustment.customer, "limit": 100}
    )
    async for item in listed.auto_paging_iter():
        if note(item.metadata, "key") == adjustment.key:
            return item
    return None


def _check(units: BillingUnits) -> None:
    if not 0 < len(units.key) <= _KEY_LENGTH:
        raise Rejected(f"key must be 1 to {_KEY_LENGTH} characters")
    if type(units.quantity) is not int or abs(units.quantity) > _LARGEST:
        raise Rejected("quantity must be a whole number of at most 15 digits")
    age = time.time() - units.at
    if age > ACCEPTS_BACK:
        raise Rejected("Stripe takes no units older than 35 days: adjust the invoice")
    if age < -_AHEAD:
        raise TryLater("the units are dated in the future", retry_after=-age)


def _check_money(adjustment: BillingAdjustment) -> None:
    if not 0 < len(adjustment.key) <= _KEY_LENGTH:
        raise Rejected(f"key must be 1 to {_KEY_LENGTH} characters")
    if type(adjustment.amount) is not int or abs(adjustment.amount) > _LARGEST:
        raise Rejected("amount must be a whole number of the currency's smallest unit")
    if not _CURRENCY.fullmatch(adjustment.currency):
        raise Rejected("currency must be three lower-case letters")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
