"""What people do at Stripe, and the webhooks that tell of it."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

import stripe

from letsbe_billing_stripe.fake.state import Sent, State


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it is delivered, as often and in whatever order a test likes.

    Args:
        type: The event's type.
        body: Byte for byte.
        secret: What it is signed with.
    """

    type: str
    body: bytes
    secret: str

    def headers(self, at: float | None = None) -> dict[str, str]:
        """Sign it; Stripe signs anew for each attempt."""
        signed = stripe.WebhookSignature.generate_signature_header(
            self.body.decode(), self.secret, int(at or time.time())
        )
        return {"stripe-signature": signed, "content-type": "application/json"}


@dataclass
class Actions:
    """Does what a customer or Stripe's staff would do.

    Args:
        state: The fake's state.
        secret: The endpoint's signing secret.
    """

    state: State
    secret: str
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def pay(self, order: str) -> list[Webhook]:
        """Pay for the checkout of an order; returns the webhooks in Stripe's order."""
        session = next(
            s
            for s in self.state.all("checkout.session")
            if s["client_reference_id"] == order
        )
        session["payment_status"] = "paid"
        notes = session["subscription_data"]["metadata"]
        subscription = self.state.make(
            "subscription",
            "sub",
            {
                "customer": session["customer"],
                "status": "active",
                "metadata": notes,
                "items": {"object": "list", "data": []},
            },
        )
        session["subscription"] = subscription["id"]
        invoice = self._invoice(session, subscription)
        return [
            self.tell("customer.subscription.created", subscription),
            self.tell("checkout.session.completed", session),
            self.tell("invoice.paid", invoice),
        ]

    def change(self, customer: str, status: str) -> list[Webhook]:
        """Put a customer's subscription into a status."""
        subscription = self._subscription(customer)
        subscription["status"] = status
        kind = "deleted" if status == "canceled" else "updated"
        return [self.tell(f"customer.subscription.{kind}", subscription)]

    def refund(self, customer: str, amount: int | None = None) -> list[Webhook]:
        """Give a customer's last payment back, wholly or in part."""
        invoice = next(
            i for i in self.state.all("invoice") if i["customer"] == customer
        )
        paid = invoice["amount_paid"]
        charge = self.state.make(
            "charge",
            "ch",
            {
                "customer": customer,
                "amount": paid,
                "amount_refunded": paid if amount is None else amount,
                "refunded": amount is None or amount == paid,
                "currency": invoice["currency"],
            },
        )
        return [self.tell("charge.refunded", charge)]

    def tell(self, kind: str, thing: Sent) -> Webhook:
        """Make the webhook of a snapshot event."""
        event = {
            "id": f"evt_fake{next(self._numbers):012d}",
            "object": "event",
            "api_version": stripe.api_version,
            "created": int(self.state.now),
            "livemode": False,
            "type": kind,
            "data": {"object": thing},
        }
        return self._webhook(event)

    def report_meter_error(self) -> Webhook:
        """Make the thin event by which Stripe tells of events it could not count."""
        event = {
            "id": f"evt_fake{next(self._numbers):012d}",
            "object": "v2.core.event",
            "type": "v1.billing.meter.error_report_triggered",
            "livemode": False,
            "created": "2026-11-27T10:00:00.000Z",
        }
        return self._webhook(event)

    def _webhook(self, event: dict[str, Any]) -> Webhook:
        return Webhook(event["type"], json.dumps(event).encode(), self.secret)

    def _subscription(self, customer: str) -> Sent:
        listed = self.state.all("subscription")
        return next(s for s in listed if s["customer"] == customer)

    def _invoice(self, session: Sent, subscription: Sent) -> Sent:
        details = {
            "subscription": subscription["id"],
            "metadata": subscription["metadata"],
        }
        return self.state.make(
            "invoice",
            "in",
            {
                "customer": session["customer"],
                "amount_paid": session["amount_total"],
                "currency": session["currency"],
                "parent": {
                    "type": "subscription_details",
                    "subscription_details": details,
                },
            },
        )
