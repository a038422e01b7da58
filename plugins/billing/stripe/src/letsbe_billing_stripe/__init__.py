"""Bills by Stripe: subscriptions, metered units, checkout, portal and webhooks."""

from __future__ import annotations

from letsbe.plugin import BillingBackend, Site, hookimpl
from letsbe_billing_stripe.settings import Settings

API_VERSION = (0, 1)

__all__ = ["API_VERSION", "Settings", "letsbe_billing_backends"]


@hookimpl
def letsbe_billing_backends(site: Site) -> list[BillingBackend]:
    """Register the backend. Nothing is sent to Stripe before it is used."""
    # The SDK imports requests where that is installed, whose urllib3 opens a socket
    # when it is imported, to see whether there is IPv6.
    from letsbe_billing_stripe.backend import StripeBackend  # noqa: PLC0415

    return [StripeBackend(Settings.model_validate(dict(site.settings)))]
