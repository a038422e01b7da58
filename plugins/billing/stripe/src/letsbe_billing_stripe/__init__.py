"""Bills by Stripe: subscriptions, metered units, checkout, portal and webhooks."""

from __future__ import annotations

from letsbe.plugin import BillingBackend, Site, hookimpl
from letsbe_billing_stripe.backend import StripeBackend
from letsbe_billing_stripe.settings import Settings

API_VERSION = (0, 1)

__all__ = ["API_VERSION", "Settings", "StripeBackend", "letsbe_billing_backends"]


@hookimpl
def letsbe_billing_backends(site: Site) -> list[BillingBackend]:
    """Register the backend. Nothing is sent to Stripe before it is used."""
    return [StripeBackend(Settings.model_validate(dict(site.settings)))]
