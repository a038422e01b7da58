"""Usage, pushed by servers."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from letsbe_hub.api.bodies import Body, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.errors import InvalidRequest
from letsbe_hub.usage.buckets import MOST, Bucket, Counts, faults
from letsbe_hub.usage.ingestion import Push

MOST_BUCKETS = 500

Count = Annotated[int, Field(ge=0, le=MOST, default=0)]
Name = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class BucketBody(TypedDict):
    """What one agent used of one model in one hour, so far.

    A dictionary, which pydantic makes in half of a model's time: there are many to a
    push, and each becomes a :class:`Bucket` at once.
    """

    __pydantic_config__ = Body.model_config  # type: ignore[misc]  # pydantic's way

    hour: Annotated[int, Field(ge=0, le=10**11)]
    """The hour's start, in seconds since 1970 (UTC)."""
    agent_id: Name
    """Whose calls."""
    model: Name
    """Which model."""
    revision: Annotated[int, Field(ge=1, le=2**53)]
    """Grows with every change."""
    input_tokens: Count
    """Tokens sent, cached ones included."""
    output_tokens: Count
    """Tokens received, those of reasoning included."""
    cached_tokens: Count
    """Of the tokens sent, those read from the provider's cache."""
    reasoning_tokens: Count
    """Of the tokens received, those of reasoning."""
    cost_micros: Count
    """What it cost, in millionths, where the provider says so."""
    requests: Count
    """How many requests."""
    estimated_requests: Count
    """Of these, how many whose tokens are an estimate."""


class UsageBody(Body):
    """A push of buckets, stored whole or not at all."""

    buckets: Annotated[list[BucketBody], Field(min_length=1, max_length=MOST_BUCKETS)]
    """Each at most once."""


class UsageView(View):
    """What became of a push."""

    stored: int
    """Buckets that were new or newer."""
    unchanged: int
    """Buckets that were there already."""


async def push(exchange: Exchange) -> Reply:
    """Store a push of usage."""
    exchange.hub.usage.check()
    body = await exchange.body(UsageBody)
    buckets = [_bucket(each) for each in body.buckets]
    wrong = faults(buckets)
    if wrong:
        raise InvalidRequest("some buckets are not as they must be", details=wrong)
    caller = exchange.caller
    taken = await exchange.hub.usage.take(Push(caller.id, buckets, caller.credential))
    if taken is None:
        raise await exchange.hub.keys.refusal(exchange.request)
    return Reply(UsageView(stored=taken.stored, unchanged=taken.unchanged))


_key = itemgetter("hour", "agent_id", "model", "revision")
_counts = itemgetter(*Counts._fields)


def _bucket(body: BucketBody) -> Bucket:
    return Bucket._make((*_key(body), Counts._make(_counts(body))))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/tenant/usage",
        push,
        Audience.TENANT,
        "Push usage",
        body=UsageBody,
        answer=UsageView,
        hot=True,
        checks_token=True,
    ),
)
