"""Rate limits: each principal, and each address that fails to be one, has a bucket.

A node counts for itself; behind a load balancer of N nodes the limits are N times as
wide. They bound load and guessing, and nothing else relies on them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from letsbe_hub.errors import RateLimited

MOST_BUCKETS = 100_000
"""Buckets that are remembered; the ones unused for longest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests a minute, and so many at once.

    Args:
        per_minute: How fast the bucket fills.
        burst: How much it holds.
    """

    per_minute: float
    burst: float


class Limiter:
    """The buckets of one limit.

    Args:
        limit: How wide each is.
    """

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._rate = limit.per_minute / 60
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count a request.

        Raises:
            RateLimited: There are too many; this one is not counted.
        """
        left, now = self._left(key)
        if left < 1:
            raise RateLimited.until((1 - left) / self._rate)
        self._buckets[key] = (left - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)

    def check(self, key: str) -> None:
        """Raise if a request would be one too many, without counting one.

        Raises:
            RateLimited: It would.
        """
        left, _ = self._left(key)
        if left < 1:
            raise RateLimited.until((1 - left) / self._rate)

    def _left(self, key: str) -> tuple[float, float]:
        now = time.monotonic()
        left, then = self._buckets.get(key, (self._limit.burst, now))
        return min(self._limit.burst, left + (now - then) * self._rate), now
