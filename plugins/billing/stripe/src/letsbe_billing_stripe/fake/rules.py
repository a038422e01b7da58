"""What Stripe's pages promise beyond the form of a request: each rule and its page."""

from __future__ import annotations

from dataclasses import dataclass

_EVENTS = "https://docs.stripe.com/api/billing/meter-event/create"
_RECORDING = (
    "https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api"
)
_IDEMPOTENCY = "https://docs.stripe.com/api/idempotent_requests"
_SUMMARIES = "https://docs.stripe.com/api/billing/meter-event-summary/list"
_ERRORS = "https://docs.stripe.com/api/errors"


@dataclass(frozen=True, slots=True)
class Rule:
    """A documented rule.

    Args:
        page: Where it is written.
        says: What it says, in our words.
        status: How a request that breaks it is answered.
        message: What the answer says, as far as that is known.
    """

    page: str
    says: str
    status: int = 400
    message: str = ""


IDENTIFIER = Rule(
    _EVENTS,
    "an identifier is unique within a rolling period of at least 24 hours",
    message="An event already exists with identifier ",
)
IDENTIFIER_LENGTH = Rule(
    _EVENTS, "an identifier has at most 100 characters", message="too long"
)
WINDOW = Rule(
    _EVENTS,
    "a timestamp is within the past 35 calendar days or up to 5 minutes ahead",
    message="the timestamp is outside the window",
)
WHOLE = Rule(
    _RECORDING,
    "the value of the payload is a whole number",
    message="the value must be a whole number",
)
METER = Rule(
    "https://docs.stripe.com/api/billing/meter/create",
    "one active meter has an event name",
    message="an active meter has that event name already",
)
ASYNCHRONOUS = Rule(
    _RECORDING,
    "events are counted asynchronously: summaries lag, and an event of an unknown "
    "customer is taken and reported later",
)
ONE_AT_A_TIME = Rule(
    _RECORDING,
    "one call at a time per customer and meter",
    status=429,
    message="too many concurrent requests for this customer and meter",
)
MINUTES = Rule(
    _SUMMARIES,
    "a summary's start and end are whole minutes",
    message="must be aligned with minute boundaries",
)
SAME_ANSWER = Rule(
    _IDEMPOTENCY,
    "a request with a known idempotency key gets the first one's answer, errors of the "
    "server included, for at least 24 hours",
)
SAME_REQUEST = Rule(
    _IDEMPOTENCY,
    "an idempotency key goes with the same parameters",
    message="Keys for idempotent requests can only be used with the same parameters",
)
UNDER_WAY = Rule(
    _IDEMPOTENCY,
    "a key whose first request is still under way is a conflict",
    status=409,
    message="another request with this key is in progress",
)
KEYED = Rule(
    "https://docs.stripe.com/keys",
    "a request carries a secret key",
    status=401,
    message="no such key",
)
MISSING = Rule(
    _ERRORS, "an object that is not there is 404", status=404, message="No such object"
)
SEARCH_LAG = Rule(
    "https://docs.stripe.com/search#data-freshness",
    "what was made is searchable in about a minute, not at once",
)
LOOKUP_KEY = Rule(
    "https://docs.stripe.com/products-prices/manage-prices#lookup-keys",
    "a lookup key belongs to one price until it is transferred",
    message="a price has that lookup key already",
)

RULES = tuple(rule for rule in vars().copy().values() if isinstance(rule, Rule))
"""Every rule that this fake keeps."""
