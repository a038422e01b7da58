"""A bucket: what one agent used of one model in one hour, as an absolute value."""

from __future__ import annotations

import time
from collections.abc import Sequence
from operator import add, sub
from typing import NamedTuple

from typing_extensions import override

from letsbe.errors import FieldError

HOUR = 3600
MOST = 10**15
"""No count of an hour is above this."""
FUTURE_SECONDS = 300.0
"""How far a server's clock may be ahead."""
OLDEST_SECONDS = 35 * 24 * 3600.0
"""How late usage may come: what billing systems accept afterwards, such as Stripe's
meters: https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api"""


class Counts(NamedTuple):
    """What is counted, in the order of the columns.

    Counts and buckets are made by the thousand for each transaction, and a named tuple
    is made in a fifth of a frozen dataclass's time.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_micros: int = 0
    requests: int = 0
    estimated_requests: int = 0

    @override
    def __add__(self, other: Counts) -> Counts:  # type: ignore[override]  # sums, where tuples are joined
        """Add column by column."""
        return Counts(*map(add, self, other))

    def __sub__(self, other: Counts) -> Counts:
        """Take away column by column."""
        return Counts(*map(sub, self, other))


NOTHING = Counts()


class Bucket(NamedTuple):
    """A bucket as a server sends it.

    Args:
        hour: The hour's start, in seconds since 1970 (UTC).
        agent_id: Whose calls.
        model: Which model.
        revision: Grows with every change.
        counts: The hour's sums so far.
    """

    hour: int
    agent_id: str
    model: str
    revision: int
    counts: Counts

    @property
    def key(self) -> tuple[int, str, str]:
        """What tells it from the tenant's other buckets."""
        return self[:3]


def faults(
    buckets: Sequence[Bucket], now: float | None = None
) -> tuple[FieldError, ...]:
    """Say what is wrong with the times of buckets, and which are there twice.

    Args:
        buckets: What a server pushed.
        now: The Hub's time.
    """
    now = time.time() if now is None else now
    found = []
    seen: set[tuple[int, str, str]] = set()
    for place, bucket in enumerate(buckets):
        problem = _fault(bucket, now)
        if problem:
            found.append(FieldError(f"buckets.{place}.hour", problem))
        elif bucket.key in seen:
            found.append(FieldError(f"buckets.{place}", "it is there twice"))
        seen.add(bucket.key)
    return tuple(found)


def _fault(bucket: Bucket, now: float) -> str | None:
    if bucket.hour % HOUR:
        return "it is not the start of an hour"
    if bucket.hour > now + FUTURE_SECONDS:
        return "it is in the future: check the server's clock"
    if bucket.hour < now - OLDEST_SECONDS:
        return "it is more than 35 days ago"
    return None
