"""Whether the Hub's clock may be believed, before it does what cannot be taken back.

A clock that jumps a month ahead would close every period, expire every approval and
pause whoever has not paid; setting it right again would bring none of that back. So
those chores ask first. Most of the servers agree about the time, and say it with each
heartbeat. Where too few do, a clock has to have kept step since the start, and must not
have started before, or long after, what the Hub wrote down last: unless something else
vouches for it (a server, the kernel's NTP, PostgreSQL's machine, an operator). A doubt
is written down, so that starting again is no way around it.
"""

from __future__ import annotations

import logging
import statistics
import threading
import time
from dataclasses import dataclass

import sqlalchemy as sa

from letsbe_hub import witnesses
from letsbe_hub.errors import Conflict
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.store import Store

log = logging.getLogger(__name__)

MOST_SECONDS = 900.0
"""By how much the clock may be off."""
GAP_SECONDS = 86_400.0
"""How long the Hub may have been away before somebody must vouch for the time."""
FEW = 3
"""Servers that can be believed together; one or two could say anything."""
LOOK_SECONDS = 60.0
"""How long what was found is good for, as long as the clock keeps step."""
CONFIRM = "if it is right, say so by `letsbe-hub clock confirm`"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of the time besides this machine's clock.

    Args:
        now: The clock.
        skews: By how much each server that was heard of lately is ahead.
        database: The time on PostgreSQL's machine, if that is another one.
        synchronised: Whether the kernel's clock is held right by NTP.
        confirmed: Whether an operator has just said that the clock is right.
    """

    now: float
    skews: tuple[float, ...]
    database: float | None
    synchronised: bool
    confirmed: bool

    @property
    def skew(self) -> float | None:
        """By how much the servers are ahead, if there are any."""
        return statistics.median(self.skews) if self.skews else None

    @property
    def many(self) -> bool:
        """Whether there are enough servers to be believed together."""
        return len(self.skews) >= FEW

    def against(self) -> str | None:
        """Say what speaks against the clock, whatever it said before."""
        skew, ahead = self.skew, (self.database or self.now) - self.now
        if self.many and skew is not None and abs(skew) > MOST_SECONDS:
            return f"most servers' clocks are {skew:.0f} s ahead of this one: set it"
        if self.many or self.confirmed:
            return None
        if abs(ahead) > MOST_SECONDS:
            return f"PostgreSQL's machine is {ahead:.0f} s ahead of this one: set it"
        if skew is not None and abs(skew) > MOST_SECONDS and not self.vouching():
            return f"the servers are {skew:.0f} s ahead of this clock: {CONFIRM}"
        return None

    def vouching(self) -> str | None:
        """Say who vouches for the clock, where nothing speaks against it."""
        agreed = self.skew is not None and abs(self.skew) <= MOST_SECONDS
        for held, who in (
            (self.many and agreed, "most servers"),
            (self.confirmed, "an operator"),
            (self.database is not None, "PostgreSQL's machine"),
            (self.synchronised, "the kernel's NTP"),
            (agreed, "a server"),
        ):
            if held:
                return who
        return None


def hear(connection: sa.Connection, now: float) -> Heard:
    """Hear whoever can tell the time."""
    said = witnesses.confirmed_at(connection)
    return Heard(
        now,
        tuple(witnesses.skews(connection, now)),
        witnesses.database_time(connection),
        witnesses.kernel_synchronised(),
        said is not None and abs(now - said) <= MOST_SECONDS,
    )


class Clock:
    """Watches this machine's clock.

    Args:
        store: Knows what was written down, and by how much servers' clocks differ.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = time.time() - _steady()
        self._looked = float("-inf")
        self._fault: str | None = None
        self._who: str | None = None
        self._trusted = False
        self._noted: witnesses.Noted | None = None
        self._looking = threading.Lock()

    @property
    def fault(self) -> str | None:
        """What was wrong when it was last looked at; nothing if it was right."""
        return self._fault

    def begin(self) -> None:
        """Look at what was written down last, before this clock writes anything.

        Raises:
            StorageUnavailable: The database cannot be read now.
        """
        now = time.time()
        self._noted = self._store.read(lambda c: witnesses.noted(c, now))

    def believed(self) -> bool:
        """Look whether the clock is right; note it when that changes."""
        with self._looking:
            before, found = self._fault, self._look()
            if found is not None and before is None:
                log.error("periods, approvals and pauses wait: %s", found)
                if not self._doubted:  # else the first doubt still stands there
                    self._note(witnesses.DOUBT, found)
            elif found is None and (before is not None or self._doubted):
                log.warning("the clock is right again: what waited for it goes on")
                self._note(witnesses.TRUST, self._who or "it keeps step again")
                self._noted = witnesses.Noted(None, None)
            self._fault = found
            return found is None

    def require(self) -> None:
        """Make sure that the clock is right, before what cannot be taken back.

        Raises:
            Conflict: It is doubted; the text says why, and what to do.
        """
        if not self.believed():
            raise Conflict(f"nothing is charged or closed now: {self.fault}")

    @property
    def _doubted(self) -> bool:
        return self._noted is not None and self._noted.doubt is not None

    def _look(self) -> str | None:
        now, steady = time.time(), _steady()
        jump = now - steady - self._offset
        in_step = abs(jump) <= MOST_SECONDS and self._fault is None
        if in_step and steady - self._looked < LOOK_SECONDS:
            return None
        self._looked = steady
        if self._noted is None:
            self.begin()
        heard = self._store.read(lambda c: hear(c, now))
        if fault := heard.against():
            return fault
        self._who = heard.vouching()
        if self._who is None:
            return self._alone(now, jump)
        self._offset, self._trusted = now - steady, True
        return None

    def _alone(self, now: float, jump: float) -> str | None:
        """Judge the clock by itself: nobody speaks for it or against it."""
        if abs(jump) > MOST_SECONDS:
            return f"the clock has jumped by {jump:.0f} s: set it right, or {CONFIRM}"
        noted = self._noted
        if self._trusted or noted is None:
            return None
        if noted.doubt is not None:
            return f"nothing has cleared it up since the last start: {noted.doubt}"
        away = 0.0 if noted.newest is None else now - noted.newest
        if -MOST_SECONDS <= away <= GAP_SECONDS:
            self._trusted = True  # from now on it only has to keep step
            return None
        where = "after" if away > 0 else "before"
        return (
            f"the clock stands {abs(away):.0f} s {where} what the Hub wrote down last,"
            f" and nothing vouches for it: {CONFIRM}"
        )

    def _note(self, act: str, why: str) -> None:
        subject, detail = witnesses.SUBJECT, {"why": why}
        self._store.write(lambda c: record(c, "hub", act, subject, detail))


def _steady() -> float:
    # Goes on while the machine sleeps, as the time does: clock_gettime(2).
    return time.clock_gettime(time.CLOCK_BOOTTIME)
