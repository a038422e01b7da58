"""Periods: from one monthly anniversary of a tenant to the next, on full hours, UTC."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

HOUR = 3600


def anchor_of(moment: float) -> float:
    """Return the full hour at or before a moment."""
    return moment // HOUR * HOUR


def anniversary(anchor: float, months: int) -> float:
    """Return a number of months after the anchor.

    A month that is too short ends on its last day; the next long one has the anchor's
    day again: 31 January, 28 February, 31 March.
    """
    first = datetime.fromtimestamp(anchor, UTC)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    day = min(first.day, monthrange(year, month + 1)[1])
    return first.replace(year=year, month=month + 1, day=day).timestamp()


def period_of(anchor: float, moment: float) -> tuple[float, float]:
    """Return the start and end of the period that a moment is in."""
    first = datetime.fromtimestamp(anchor, UTC)
    then = datetime.fromtimestamp(moment, UTC)
    months = (then.year - first.year) * 12 + then.month - first.month
    while anniversary(anchor, months) > moment:
        months -= 1
    while anniversary(anchor, months + 1) <= moment:
        months += 1
    return anniversary(anchor, months), anniversary(anchor, months + 1)


def periods_of(
    anchor: float, moments: Iterable[float]
) -> Iterator[tuple[float, float]]:
    """Yield the start and end of each period that some moments are in, each once.

    Args:
        anchor: The first period's start.
        moments: Rising.
    """
    ends = float("-inf")
    for moment in moments:
        if moment >= ends:
            starts, ends = period_of(anchor, moment)
            yield starts, ends
