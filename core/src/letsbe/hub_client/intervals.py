"""When to try again: further and further apart, and never all servers at once."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST = 1.0
MOST = 300.0
JITTER = 0.1
"""The part of an interval by which a heartbeat may come earlier or later."""


class Backoff:
    """The pauses of one server.

    After an outage every server comes back; each waits a random part of its pause
    (full jitter), so that the Hub sees a slope and not a wall.

    Args:
        rng: Gives numbers from 0 to 1.
    """

    def __init__(self, rng: Callable[[], float] = random.random) -> None:
        self._rng = rng
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many attempts have failed in a row."""
        return self._failures

    def failed(self, at_least: float | None = None) -> float:
        """Note a failure.

        Args:
            at_least: How long the Hub asks to be left alone. It has a time for each
                server, so that no more than as long again is added by chance, however
                long it was away before.

        Returns:
            Seconds until the next attempt.
        """
        self._failures += 1
        most = min(MOST, FIRST * 2.0 ** min(self._failures, 16))
        if at_least is not None:
            most = min(most, max(at_least, FIRST))
        return max(at_least or 0.0, FIRST / 2) + self._rng() * most

    def succeeded(self, interval: float) -> float:
        """Note a success.

        Args:
            interval: Seconds between two attempts that succeed.

        Returns:
            Seconds until the next attempt.
        """
        self._failures = 0
        return interval * (1 + JITTER * (2 * self._rng() - 1))
