"""Stripe's errors, told as the core's: may it be sent again, or never?

Source: https://docs.stripe.com/error-handling and
https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from letsbe.plugin import Rejected, TryLater

_WRONG_KEY = (stripe.AuthenticationError, stripe.PermissionError)
_FINAL = (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError)
_BUSY = 409  # another request with this idempotency key is under way


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what the SDK raises inside into an error that is safe to show.

    Args:
        what: What was to be done, for the message: ``the units``.

    Raises:
        TryLater: It may or may not have been done.
        Rejected: It was not done and never will be.
    """
    try:
        yield
    except _WRONG_KEY:
        message = f"Stripe refuses the key, so {what} must wait: check the settings"
        raise TryLater(message) from None
    except _FINAL as error:
        if error.http_status == _BUSY:
            raise _later(what, error) from None
        raise Rejected(f"Stripe refuses {what} ({_name(error)})") from None
    except stripe.StripeError as error:
        raise _later(what, error) from None


def _later(what: str, error: stripe.StripeError) -> TryLater:
    after = error.headers.get("retry-after") if error.headers else None
    seconds = float(after) if after and after.isdigit() else None
    message = f"Stripe did not take {what} ({_name(error)})"
    return TryLater(message, retry_after=seconds)


def _name(error: stripe.StripeError) -> str:
    """Name an error by its type and code; its text may hold what was sent."""
    code = error.code if error.code and error.code.isidentifier() else None
    return ", ".join(filter(None, (type(error).__name__, code, error.request_id)))
