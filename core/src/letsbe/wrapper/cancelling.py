"""Ending a call that runs, because the runtime's own turn was ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import anyio

from letsbe.errors import CallCancelled
from letsbe.wrapper.retries import CallKey

Place = tuple[str, str, str]

_PLACE: ContextVar[Place | None] = ContextVar("letsbe_call_place", default=None)
"""What a route calls the call that it is making, where that is no idempotency key."""


@contextmanager
def placed(place: Place | None) -> Iterator[None]:
    """Make calls of this task cancellable by a name of the route's own."""
    token = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(token)


class Wish:
    """Whether one call should end, and what ends it once it runs."""

    def __init__(self) -> None:
        self.cancelled = False
        self._scope: anyio.CancelScope | None = None

    def check(self) -> None:
        """Stop a call that was cancelled before it began.

        Raises:
            CallCancelled: It was.
        """
        if self.cancelled:
            raise CallCancelled("the runtime cancelled the call; nothing was started")

    def ends(self, scope: anyio.CancelScope) -> None:
        """Say what to cancel from now on."""
        self._scope = scope

    def cancel(self) -> None:
        """End the call."""
        self.cancelled = True
        if self._scope is not None:
            self._scope.cancel()


class Cancellations:
    """The calls under way that can be cancelled: those with an id, each by its own."""

    def __init__(self) -> None:
        self._wishes: dict[Place, Wish] = {}

    @contextmanager
    def watching(self, key: CallKey | None) -> Iterator[Wish]:
        """Make a call cancellable while the block runs."""
        wish = Wish()
        place = _PLACE.get() if key is None else key.place
        if place is not None:
            self._wishes[place] = wish
        try:
            yield wish
        finally:
            if place is not None:
                self._wishes.pop(place, None)

    def cancel(self, place: Place) -> bool:
        """End a call.

        Args:
            place: Agent, session and id of the call.

        Returns:
            Whether such a call is under way.
        """
        wish = self._wishes.get(place)
        if wish is None:
            return False
        wish.cancel()
        return True
