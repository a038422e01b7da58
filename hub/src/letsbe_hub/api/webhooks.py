"""For payment services: each proves itself by its signature."""

from __future__ import annotations

from letsbe.errors import Refused
from letsbe.plugin import PaymentBackend
from letsbe_hub.api.bodies import View
from letsbe_hub.api.endpoints import Endpoint, Exchange, read
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.billing.payments import apply_events
from letsbe_hub.errors import InvalidRequest, NotFound


class WebhookView(View):
    """What became of a webhook."""

    effects: list[str]
    """Of each of its events."""


async def billing(exchange: Exchange) -> Reply:
    """Take a payment service's webhook.

    It is answered once what it tells is stored; whatever fails before is answered
    with an error, and the service tells it again.
    """
    hub = exchange.hub
    named = exchange.path("backend")
    backends = {backend.name: backend for backend in hub.plugins.billing_backends}
    backend = backends.get(named)
    if not isinstance(backend, PaymentBackend):
        raise NotFound("no payment service of this name is active")
    body = await read(exchange.request)
    try:
        events = await backend.read_webhook(body, dict(exchange.request.headers))
    except Refused as error:
        raise InvalidRequest(error.message) from None
    rates = hub.rates
    effects = await hub.store.write_async(
        lambda c: apply_events(c, named, events, rates)
    )
    return Reply(WebhookView(effects=effects))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/webhooks/billing/{backend}",
        billing,
        Audience.WEBHOOKS,
        "Take a payment service's webhook",
        answer=WebhookView,
    ),
)
