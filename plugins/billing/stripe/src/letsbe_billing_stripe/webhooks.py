"""Reading webhooks: genuine, recent, of our mode; then what they tell.

Sources: https://docs.stripe.com/webhooks (signatures, retries for up to three days,
duplicates, no promise of order) and https://docs.stripe.com/billing/subscriptions/webhooks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import stripe

from letsbe.plugin import PaymentEvent, PaymentEventKind, Refused, TryLater
from letsbe_billing_stripe.catalogue import PREFIX, note
from letsbe_billing_stripe.connection import connected
from letsbe_billing_stripe.failures import told
from letsbe_billing_stripe.settings import Settings

TOLERANCE = 300
"""Seconds that a signature is good for, before and after the present."""

_STATUS = {
    "active": "active",
    "trialing": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "incomplete": "past_due",
    "paused": "paused",
    "canceled": "canceled",
    "incomplete_expired": "canceled",
}
_FAULTS = {
    "v1.billing.meter.error_report_triggered",
    "v1.billing.meter.no_meter_found",
}
_COMPLETED = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
}
_LARGEST = 1024 * 1024


class WebhookReader:
    """Reads webhooks.

    Args:
        settings: Has the signing secrets, and says which mode is ours.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def read(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Verify a webhook and say what it tells.

        Raises:
            Refused: It is not genuine, too old, malformed, or of the other mode.
            TryLater: Its subscription could not be read; nothing was believed yet.
        """
        self._verify(body, headers.get("stripe-signature", ""))
        try:
            event = json.loads(body)
            if event["livemode"] is not self._settings.live:
                raise Refused("the webhook is of Stripe's other mode, test or live")
            return await self._told(event)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused("the webhook is signed but is no event of Stripe's") from None

    def _verify(self, body: bytes, signature: str) -> None:
        if len(body) > _LARGEST:
            raise Refused("the webhook is larger than any of Stripe's")
        for secret in self._settings.webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(
                    body, signature, secret.get_secret_value(), TOLERANCE
                )
            except (stripe.SignatureVerificationError, ValueError):
                continue
            if _signed_at(signature) <= time.time() + TOLERANCE:
                return
        raise Refused("the webhook's signature is missing, wrong or too old")

    async def _told(self, event: dict[str, Any]) -> PaymentEvent:
        kind = event["type"]
        if kind in _FAULTS:
            return _event(event, PaymentEventKind.METER_FAULT)
        thing = event.get("data", {}).get("object", {})
        if kind in _COMPLETED and thing["payment_status"] == "paid":
            return _checkout(event, thing)
        if kind == "invoice.paid":
            return _invoice(event, thing)
        if kind == "charge.refunded":
            return _event(
                event,
                PaymentEventKind.REFUNDED,
                customer=thing["customer"],
                amount=int(thing["amount_refunded"]),
                whole=thing["refunded"] is True,
                currency=thing["currency"],
            )
        if kind.startswith("customer.subscription."):
            return await self._subscription(event, thing["id"])
        return _event(event, PaymentEventKind.IGNORED)

    async def _subscription(self, event: dict[str, Any], id_: str) -> PaymentEvent:
        """Read the subscription anew: events may come late and in any order."""
        read_at = time.time()
        async with connected(self._settings) as client:
            with told("the question for a subscription"):
                found = await client.v1.subscriptions.retrieve_async(id_)
        status = _STATUS.get(found.status)
        if status is None:
            message = "Stripe has a status of subscriptions that this version lacks"
            raise TryLater(message)
        return _event(
            event,
            PaymentEventKind.SUBSCRIPTION,
            customer=_id(found.customer),
            order=note(found.metadata, "order"),
            plan=note(found.metadata, "plan"),
            status=status,
            read_at=read_at,
        )


def _checkout(event: dict[str, Any], session: dict[str, Any]) -> PaymentEvent:
    return _event(
        event,
        PaymentEventKind.PAID,
        customer=session["customer"],
        order=session["client_reference_id"],
        plan=session["metadata"].get(f"{PREFIX}plan"),
        amount=int(session["amount_total"]),
        currency=session["currency"],
    )


def _invoice(event: dict[str, Any], invoice: dict[str, Any]) -> PaymentEvent:
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    notes = parent.get("metadata") or {}
    return _event(
        event,
        PaymentEventKind.PAID,
        customer=invoice["customer"],
        order=notes.get(f"{PREFIX}order"),
        plan=notes.get(f"{PREFIX}plan"),
        amount=int(invoice["amount_paid"]),
        currency=invoice["currency"],
    )


def _event(
    event: dict[str, Any],
    kind: PaymentEventKind,
    **fields: Any,  # noqa: ANN401 - the event's own fields
) -> PaymentEvent:
    created = event["created"]
    at = created if isinstance(created, int) else _instant(created)
    return PaymentEvent(id=event["id"], kind=kind, type=event["type"], at=at, **fields)


def _instant(text: str) -> int:
    """Read the time of a thin event, which is text."""
    return int(datetime.fromisoformat(text).timestamp())


def _id(customer: object) -> str:
    return customer if isinstance(customer, str) else str(getattr(customer, "id", ""))


def _signed_at(signature: str) -> float:
    parts = dict(part.split("=", 1) for part in signature.split(",") if "=" in part)
    return float(parts.get("t", "inf"))
