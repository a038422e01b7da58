"""When a request may be sent once more, and after how long."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST = 2
"""How often a request is sent again."""

LONGEST_WAIT = 10.0
"""Seconds that a tool's ``Retry-After`` is waited for; a longer one is an error."""

PASSING = frozenset({429, 502, 503, 504})
"""The statuses that may be gone the next time."""

_FIRST_WAIT = 0.2


def wait_before(attempt: int, told: float | None) -> float | None:
    """Say how long to wait before a request is sent again.

    Args:
        attempt: How often it was sent, 1 at first.
        told: The seconds that the tool asks for, if it does.

    Returns:
        Seconds; ``None`` if it should not be sent again.
    """
    if attempt > MOST:
        return None
    if told is not None:
        return told if told <= LONGEST_WAIT else None
    # Callers that failed together should not come back together.
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
    return _FIRST_WAIT * float(4 ** (attempt - 1)) * jitter


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read a ``Retry-After`` header (RFC 9110, section 10.2.3).

    Args:
        value: The header: seconds, or a date.
        now: The time to count a date from.

    Returns:
        Seconds, not below 0; ``None`` if there is none or it cannot be read.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())
