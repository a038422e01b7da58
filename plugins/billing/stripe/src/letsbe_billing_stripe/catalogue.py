"""Meters and prices at Stripe, found by names of ours or made.

A price at Stripe never changes; one of another amount takes over the lookup key
(https://docs.stripe.com/products-prices/manage-prices#lookup-keys).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import stripe

from letsbe.plugin import Meter
from letsbe_billing_stripe.settings import Settings

if TYPE_CHECKING:
    from stripe.params._price_create_params import PriceCreateParams

PREFIX = "letsbe_"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is for sale, by Stripe's ids.

    Args:
        meters: The meter of each of ours.
        metered: The price of a unit of each meter.
        plans: The monthly price of each plan.
    """

    meters: dict[Meter, str]
    metered: dict[Meter, str]
    plans: dict[str, str]


async def catalogue_of(client: stripe.StripeClient, settings: Settings) -> Catalogue:
    """Find every meter and price, and make what is missing."""
    meters = await meters_of(client)
    unit_prices = {
        Meter.OVERAGE: settings.overage_price,
        Meter.PREMIUM: settings.premium_price,
    }
    metered = {
        meter: await _price(client, _metered(settings, meter, amount, meters[meter]))
        for meter, amount in unit_prices.items()
    }
    plans = {
        plan: await _price(client, _monthly(settings, plan, amount))
        for plan, amount in settings.plans.items()
    }
    return Catalogue(meters, metered, plans)


async def meters_of(client: stripe.StripeClient) -> dict[Meter, str]:
    """Find our meters by the names of their events, and make what is missing.

    Before the first event: Stripe takes events that no meter counts, and tells of
    them later.
    """
    found = {}
    listed = await client.v1.billing.meters.list_async({"status": "active"})
    async for meter in listed.auto_paging_iter():
        name = meter.event_name.removeprefix(PREFIX)
        if meter.event_name.startswith(PREFIX) and name in set(Meter):
            found[Meter(name)] = meter.id
    for missing in set(Meter) - set(found):
        found[missing] = await _make_meter(client, missing)
    return found


async def _make_meter(client: stripe.StripeClient, meter: Meter) -> str:
    made = await client.v1.billing.meters.create_async(
        {
            "display_name": meter.value.replace("_", " ").capitalize(),
            "event_name": PREFIX + meter.value,
            "default_aggregation": {"formula": "sum"},
        },
        {"idempotency_key": f"{PREFIX}meter:{meter.value}"},
    )
    return made.id


def _metered(
    settings: Settings, meter: Meter, amount: int, meter_id: str
) -> PriceCreateParams:
    return {
        "currency": settings.currency,
        "unit_amount_decimal": Decimal(amount),
        "lookup_key": PREFIX + meter.value,
        "product_data": {"name": meter.value.replace("_", " ").capitalize()},
        "recurring": {"interval": "month", "usage_type": "metered", "meter": meter_id},
    }


def _monthly(settings: Settings, plan: str, amount: int) -> PriceCreateParams:
    return {
        "currency": settings.currency,
        "unit_amount_decimal": Decimal(amount),
        "lookup_key": f"{PREFIX}plan_{plan}",
        "product_data": {"name": plan.capitalize()},
        "recurring": {"interval": "month"},
    }


async def _price(client: stripe.StripeClient, wanted: PriceCreateParams) -> str:
    key = wanted["lookup_key"]
    amount = int(wanted["unit_amount_decimal"])
    listed = await client.v1.prices.list_async({"lookup_keys": [key], "active": True})
    for price in listed.data:
        same = price.currency == wanted["currency"] and price.unit_amount == amount
        if same and _meter_of(price) == wanted["recurring"].get("meter"):
            return price.id
    made = await client.v1.prices.create_async({**wanted, "transfer_lookup_key": True})
    return made.id


def _meter_of(price: stripe.Price) -> str | None:
    return price.recurring.meter if price.recurring else None


def note(metadata: stripe.StripeObject | None, key: str) -> str | None:
    """Return one of our notes in an object's metadata; ``None`` if it is not there."""
    name = PREFIX + key
    return str(metadata[name]) if metadata is not None and name in metadata else None
