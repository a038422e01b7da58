"""How many calls may execute at once, and how many may wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from letsbe.errors import Busy


class Capacity:
    """A bounded number of places, with a bounded queue before them.

    Args:
        places: How many calls execute at once.
        queue: How many more may wait; one beyond that is refused at once.
    """

    def __init__(self, places: int, queue: int) -> None:
        self._limiter = anyio.CapacityLimiter(places)
        self._places = places
        self._queue = queue
        self._present = 0

    @property
    def running(self) -> int:
        """How many calls execute now."""
        return int(self._limiter.borrowed_tokens)

    @property
    def waiting(self) -> int:
        """How many calls wait for a place now."""
        return self._present - self.running

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place while the block runs.

        Raises:
            Busy: All places are taken and the queue is full.
        """
        if self._present >= self._places + self._queue:
            message = (
                f"{self._places} calls are running and {self._queue} wait:"
                " try again in a moment"
            )
            raise Busy(message)
        self._present += 1
        try:
            async with self._limiter:
                yield
        finally:
            self._present -= 1
