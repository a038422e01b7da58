"""What the fake holds, and the requests that it knows how to answer."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from letsbe_billing_stripe.fake import rules
from letsbe_billing_stripe.fake.rules import Rule

DAY = 86_400
_WHOLE = re.compile(r"-?\d+")
_QUERY = re.compile(r"metadata\['(\w+)'\]:'((?:[^'\\]|\\.)*)'")

Sent = dict[str, Any]


class Broken(Exception):
    """A request breaks a rule.

    Args:
        rule: Which.
        more: What to add to its message.
    """

    def __init__(self, rule: Rule, more: str = "") -> None:
        super().__init__(rule.says)
        self.rule = rule
        self.message = rule.message + more


@dataclass
class State:
    """All objects, and a clock that a test may move.

    Args:
        ahead: How many seconds the fake's clock is ahead of the machine's.
        lag: How many seconds summaries and searches are behind.
    """

    ahead: float = 0.0
    lag: float = 0.0
    objects: dict[str, Sent] = field(default_factory=dict)
    events: list[Sent] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def now(self) -> float:
        """The fake's time."""
        return time.time() + self.ahead

    def make(self, kind: str, prefix: str, fields: Sent) -> Sent:
        """Store a new object."""
        id_ = f"{prefix}_fake{next(self._numbers):012d}"
        made = {"id": id_, "object": kind, "created": int(self.now), "livemode": False}
        self.objects[id_] = {**made, "metadata": {}, **fields}
        return self.objects[id_]

    def get(self, id_: str, kind: str) -> Sent:
        """Find an object of a kind."""
        found = self.objects.get(id_)
        if found is None or found["object"] != kind:
            raise Broken(rules.MISSING)
        return found

    def all(self, kind: str) -> list[Sent]:
        """List the objects of a kind, newest first."""
        return [o for o in reversed(self.objects.values()) if o["object"] == kind]

    def counted(self, event: Sent) -> bool:
        """Say whether an event is in the summaries yet."""
        return bool(event["received"] <= self.now - self.lag)


Handler = Callable[[State, Sent, list[str]], Sent]


def listing(items: list[Sent]) -> Sent:
    """Wrap objects as a list, all on one page."""
    return {"object": "list", "data": items, "has_more": False, "url": "/v1/fake"}


def create_customer(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``POST /v1/customers``."""
    return state.make("customer", "cus", sent)


def retrieve_customer(state: State, _: Sent, ids: list[str]) -> Sent:
    """Answer ``GET /v1/customers/{customer}``."""
    return state.get(ids[0], "customer")


def update_customer(state: State, sent: Sent, ids: list[str]) -> Sent:
    """Answer ``POST /v1/customers/{customer}``."""
    customer = state.get(ids[0], "customer")
    customer.update(sent)
    return customer


def search_customers(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``GET /v1/customers/search`` for one entry of the metadata."""
    match = _QUERY.fullmatch(sent["query"])
    if match is None:
        raise Broken(rules.MISSING, ": this fake searches metadata['name']:'value'")
    name, value = match[1], re.sub(r"\\(.)", r"\1", match[2])
    old = state.now - state.lag
    found = [
        customer
        for customer in state.all("customer")
        if customer["metadata"].get(name) == value and customer["created"] <= old
    ]
    return {**listing(found), "object": "search_result"}


def create_meter(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``POST /v1/billing/meters``."""
    if any(m["event_name"] == sent["event_name"] for m in state.all("billing.meter")):
        raise Broken(rules.METER)
    return state.make("billing.meter", "mtr", {**sent, "status": "active"})


def list_meters(state: State, _: Sent, __: list[str]) -> Sent:
    """Answer ``GET /v1/billing/meters``."""
    return listing(state.all("billing.meter"))


def create_meter_event(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``POST /v1/billing/meter_events``."""
    identifier = sent.get("identifier", "")
    if len(identifier) > 100:
        raise Broken(rules.IDENTIFIER_LENGTH)
    at = int(sent.get("timestamp", state.now))
    if not state.now - 35 * DAY <= at <= state.now + 300:
        raise Broken(rules.WINDOW)
    if not _WHOLE.fullmatch(sent["payload"].get("value", "")):
        raise Broken(rules.WHOLE)
    recent = (e for e in state.events if e["received"] > state.now - DAY)
    if any(event["identifier"] == identifier for event in recent):
        raise Broken(rules.IDENTIFIER, f"{identifier}.")
    event = {**sent, "identifier": identifier, "timestamp": at}
    state.events.append({**event, "received": state.now})
    return {"object": "billing.meter_event", "livemode": False, **event}


def list_summaries(state: State, sent: Sent, ids: list[str]) -> Sent:
    """Answer ``GET /v1/billing/meters/{id}/event_summaries``."""
    meter = state.get(ids[0], "billing.meter")
    start, end = int(sent["start_time"]), int(sent["end_time"])
    if start % 60 or end % 60:
        raise Broken(rules.MINUTES)
    values = [
        int(event["payload"]["value"])
        for event in state.events
        if event["event_name"] == meter["event_name"]
        and event["payload"]["stripe_customer_id"] == sent["customer"]
        and start <= event["timestamp"] < end
        and state.counted(event)
    ]
    summary = {
        "id": "mtrusg_fake",
        "object": "billing.meter_event_summary",
        "aggregated_value": float(sum(values)),
        "start_time": start,
        "end_time": end,
        "meter": meter["id"],
        "livemode": False,
    }
    return listing([summary] if values else [])


def create_price(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``POST /v1/prices``."""
    key = sent.get("lookup_key")
    holders = [p for p in state.all("price") if key and p.get("lookup_key") == key]
    if holders and sent.get("transfer_lookup_key") != "true":
        raise Broken(rules.LOOKUP_KEY)
    for holder in holders:
        holder["lookup_key"] = None
    amount = int(sent.get("unit_amount") or sent["unit_amount_decimal"])
    recurring = {"meter": None, "usage_type": "licensed", **sent.get("recurring", {})}
    made = {**sent, "active": True, "unit_amount": amount, "recurring": recurring}
    return state.make("price", "price", made)


def list_prices(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``GET /v1/prices``."""
    keys = sent.get("lookup_keys")
    found = state.all("price")
    return listing([p for p in found if keys is None or p.get("lookup_key") in keys])


def create_invoice_item(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``POST /v1/invoiceitems``."""
    state.get(sent["customer"], "customer")
    return state.make("invoiceitem", "ii", {**sent, "amount": int(sent["amount"])})


def list_invoice_items(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``GET /v1/invoiceitems``."""
    found = state.all("invoiceitem")
    return listing([item for item in found if item["customer"] == sent["customer"]])


def create_checkout(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``POST /v1/checkout/sessions``."""
    state.get(sent["customer"], "customer")
    prices = [state.get(line["price"], "price") for line in sent["line_items"]]
    licensed = [p for p in prices if p["recurring"]["usage_type"] == "licensed"]
    made = state.make(
        "checkout.session",
        "cs",
        {
            **sent,
            "payment_status": "unpaid",
            "amount_total": sum(price["unit_amount"] for price in licensed),
            "currency": prices[0]["currency"],
            "expires_at": int(state.now) + DAY,
        },
    )
    made["url"] = f"https://checkout.example/{made['id']}"
    return made


def create_portal(state: State, sent: Sent, _: list[str]) -> Sent:
    """Answer ``POST /v1/billing_portal/sessions``."""
    state.get(sent["customer"], "customer")
    made = state.make("billing_portal.session", "bps", sent)
    made["url"] = f"https://portal.example/{made['id']}"
    return made


def retrieve_subscription(state: State, _: Sent, ids: list[str]) -> Sent:
    """Answer ``GET /v1/subscriptions/{id}``."""
    return state.get(ids[0], "subscription")


HANDLERS: dict[tuple[str, str], Handler] = {
    ("post", "/v1/customers"): create_customer,
    ("get", "/v1/customers/search"): search_customers,
    ("get", "/v1/customers/{customer}"): retrieve_customer,
    ("post", "/v1/customers/{customer}"): update_customer,
    ("post", "/v1/billing/meters"): create_meter,
    ("get", "/v1/billing/meters"): list_meters,
    ("post", "/v1/billing/meter_events"): create_meter_event,
    ("get", "/v1/billing/meters/{id}/event_summaries"): list_summaries,
    ("post", "/v1/prices"): create_price,
    ("get", "/v1/prices"): list_prices,
    ("post", "/v1/invoiceitems"): create_invoice_item,
    ("get", "/v1/invoiceitems"): list_invoice_items,
    ("post", "/v1/checkout/sessions"): create_checkout,
    ("post", "/v1/billing_portal/sessions"): create_portal,
    ("get", "/v1/subscriptions/{subscription_exposed_id}"): retrieve_subscription,
}
