"""What the Hub's API may answer beyond the errors that the core has."""

from __future__ import annotations

import math
import random

from letsbe.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    LetsBeError,
    NotFound,
    TooLarge,
    Unauthenticated,
)

__all__ = [
    "ApprovalClosed",
    "BusError",
    "Conflict",
    "Forbidden",
    "InvalidRequest",
    "LetsBeError",
    "NotFound",
    "Overloaded",
    "RateLimited",
    "SecondFactorRequired",
    "StaleRevision",
    "StillRunning",
    "StorageUnavailable",
    "TenantSuspended",
    "TokenSpent",
    "TooLarge",
    "Unauthenticated",
    "UsageConflict",
]


class StorageUnavailable(LetsBeError):
    """The database cannot be reached or refuses to work; nothing was stored.

    Its text may name the database: it is for operators.
    """

    code = "storage_unavailable"
    status = 503

    @classmethod
    def told(cls) -> StorageUnavailable:
        """Make what callers are told: where the database is, is not theirs to know."""
        return cls("the Hub's database cannot be used now: try again in a moment")


class Overloaded(LetsBeError):
    """The node has as much to answer as it can in a second; nothing was done.

    Args:
        seconds: When to try again; else any of the next few.
    """

    code = "overloaded"
    status = 503

    def __init__(self, seconds: int | None = None) -> None:
        # Each at another moment, so that they do not come back together.
        self.seconds = seconds or random.randint(2, 8)  # noqa: S311 - jitter
        """When to try again."""
        super().__init__(
            f"this node of the Hub is overloaded: try again in {self.seconds} s"
        )


class BusError(LetsBeError):
    """The bus between the Hub's nodes cannot be reached."""

    code = "bus_unavailable"
    status = 503


class RateLimited(LetsBeError):
    """Too many requests."""

    code = "rate_limited"
    status = 429
    seconds = 60
    """When the next one is welcome."""

    @classmethod
    def until(cls, seconds: float) -> RateLimited:
        """Make the error that says when to try again."""
        whole = max(1, math.ceil(seconds))
        error = cls(f"too many requests: try again in {whole} s")
        error.seconds = whole
        return error


class SecondFactorRequired(Unauthenticated):
    """The password is right; the second factor's code is missing."""

    code = "second_factor_required"


class StillRunning(Conflict):
    """An earlier request with this ``Idempotency-Key`` has no answer yet."""

    code = "still_running"
    seconds = 1
    """When to send it again: by then its node has answered, or counts as dead."""

    @classmethod
    def until(cls, seconds: float) -> StillRunning:
        """Make the error that says when to send the request again."""
        whole = max(1, math.ceil(seconds))
        error = cls(
            f"the same request is being answered right now: send it again in {whole} s"
        )
        error.seconds = whole
        return error


class StaleRevision(Conflict):
    """What is to be changed was changed by someone else meanwhile."""

    code = "stale_revision"


class TenantSuspended(Forbidden):
    """The tenant is suspended or closed."""

    code = "tenant_suspended"


class TokenSpent(Forbidden):
    """A registration token that was used, revoked, or has expired."""

    code = "token_spent"


class UsageConflict(Conflict):
    """A bucket differs from what the Hub has of the same revision."""

    code = "usage_conflict"


class ApprovalClosed(Conflict):
    """The approval was already decided, withdrawn or has expired."""

    code = "approval_closed"
