"""A fake of Stripe's API, for tests and demonstrations. No money, no network.

What a request may hold is read from the installed SDK's own types
(:mod:`~letsbe_billing_stripe.fake.contract`); what Stripe promises beyond that is a
table of rules, each with its page (:mod:`~letsbe_billing_stripe.fake.rules`). The
answers have the fields that this plugin reads and no others; taxes, proration and
invoices' arithmetic are not there.
"""

from letsbe_billing_stripe.fake.server import FakeStripe

__all__ = ["FakeStripe"]
