"""Whether the Hub's clock may be believed, before it does what cannot be taken back.

A clock that jumps a month ahead would close every period, expire every approval and
pause whoever has not paid; setting it right again would bring none of that back. So
those chores ask first. Most of the servers agree about the time, and say it with each
heartbeat; where too few of them do, the clock has to have kept step since the start.
"""

from __future__ import annotations

import logging
import statistics
import time

import sqlalchemy as sa

from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.tenants import server_connections as servers

log = logging.getLogger(__name__)

MOST_SECONDS = 900.0
"""By how much the clock may be off."""
FEW = 3
"""Servers that can be believed together; one or two could say anything."""
RECENT_SECONDS = 900.0
LOOK_SECONDS = 60.0
"""How long the servers' word is good for, as long as the clock keeps step."""


class Clock:
    """Watches this machine's clock.

    Args:
        store: Knows by how much the servers' clocks differ.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = time.time() - _steady()
        self._looked = float("-inf")
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """What was wrong when it was last looked at; nothing if it was right."""
        return self._fault

    def believed(self) -> bool:
        """Look whether the clock is right; say in the log when that changes."""
        before, self._fault = self._fault, self._look()
        if self._fault is not None and before is None:
            log.error("periods, approvals and pauses wait: %s", self._fault)
        elif self._fault is None and before is not None:
            log.warning("the clock is right again: what waited for it goes on")
        return self._fault is None

    def _look(self) -> str | None:
        now, steady = time.time(), _steady()
        jump = now - steady - self._offset
        in_step = abs(jump) <= MOST_SECONDS and self._fault is None
        if in_step and steady - self._looked < LOOK_SECONDS:
            return None
        self._looked = steady
        query = sa.select(servers.c.clock_skew).where(
            servers.c.clock_skew.is_not(None),
            servers.c.last_seen_at > now - RECENT_SECONDS,
        )
        skews = self._store.read(lambda c: list(c.scalars(query)))
        if len(skews) >= FEW:
            return self._by_servers(statistics.median(skews))
        if abs(jump) <= MOST_SECONDS:
            return None
        return (
            f"the clock has jumped by {jump:.0f} s: set it right, or start the Hub"
            " again if it is right now"
        )

    def _by_servers(self, skew: float) -> str | None:
        if abs(skew) > MOST_SECONDS:
            return f"most servers' clocks are {skew:.0f} s ahead of this one: set it"
        self._offset = time.time() - _steady()
        return None


def _steady() -> float:
    # Goes on while the machine sleeps, as the time does: clock_gettime(2).
    return time.clock_gettime(time.CLOCK_BOOTTIME)
