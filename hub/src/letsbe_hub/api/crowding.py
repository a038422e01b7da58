"""When thousands of servers come at once, most of them are told when to come again.

A node works on no more of their requests at a time than it answers in about a second.
Whoever comes on top is refused before anything of the request is read, and is given a
time of its own: each a little later than the last, at the pace at which the node has
lately served. So those who come again find room, and memory does not grow with the
crowd: a connection that is kept takes some 10 KB, a request that waits 10 more.

People, the website and webhooks are never refused here, nor are those who wait for
news, who have a bound of their own.
"""

from __future__ import annotations

import math
import time

from starlette.types import ASGIApp, Receive, Scope, Send

from letsbe_hub.api.counting import ENDPOINT
from letsbe_hub.api.envelope import failed
from letsbe_hub.errors import Overloaded

PREFIX = "/api/v1/tenant/"
WAIT = "/api/v1/tenant/wait"

MOST_AT_ONCE = 1024
"""Requests of servers that are worked on at a time; more do not make batches faster."""
REQUESTS_EACH = 3
"""What a server sends that comes back: usage, a heartbeat, a look at its configuration.
One that is told to come again is one of these, and the others follow it."""
FIRST_PACE = 1000.0
"""Requests a second that are reckoned with until there is a measure."""
MEASURE_SECONDS = 0.5
LONGEST = 120
"""Seconds: nobody is sent away for longer."""


class Pace:
    """How fast requests are answered while there is a crowd, and who is told what."""

    def __init__(self) -> None:
        self._pace = FIRST_PACE
        self._served = 0
        self._since = float("-inf")
        self._due = 0.0

    def served(self, *, crowded: bool, now: float | None = None) -> None:
        """Count a request that was answered.

        Args:
            crowded: Whether others have to go; otherwise the pace is that at which they
                come, and says nothing.
            now: The time, if not the present.
        """
        self._served += 1
        now = time.monotonic() if now is None else now
        took = now - self._since
        if took < MEASURE_SECONDS:
            return
        if crowded and took < 2 * MEASURE_SECONDS:  # not from a quiet hour into it
            self._pace += (self._served / took - self._pace) / 2
        self._served, self._since = 0, now

    def next_turn(self, now: float | None = None) -> int:
        """Return in how many seconds one more server finds room."""
        now = time.monotonic() if now is None else now
        self._due = max(self._due, now) + REQUESTS_EACH / self._pace
        latest = now + LONGEST
        if self._due > latest:
            self._due = now  # the line begins anew, spread as before
            return LONGEST
        return max(1, math.ceil(self._due - now))


class Crowding:
    """Lets as many requests of servers through as are answered soon.

    Args:
        app: What comes behind.
        most: How many.
    """

    def __init__(self, app: ASGIApp, most: int = MOST_AT_ONCE) -> None:
        self._app = app
        self._most = most
        self._inside = 0
        self._pace = Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or tell when to come again."""
        path = scope["path"] if scope["type"] == "http" else ""
        if not path.startswith(PREFIX) or path == WAIT:
            await self._app(scope, receive, send)
            return
        if self._inside >= self._most:
            scope[ENDPOINT] = "refused"
            answer = failed(Overloaded(self._pace.next_turn()))
            await answer(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1
            self._pace.served(crowded=self._inside * 2 > self._most)
