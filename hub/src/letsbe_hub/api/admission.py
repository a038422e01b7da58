"""The door of every endpoint: rate limits, then who it is."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from letsbe_hub.api.limits import Limit, Limiter
from letsbe_hub.api.principals import Audience, Authenticator, Principal
from letsbe_hub.errors import Unauthenticated

LIMITS: Mapping[Audience, Limit] = {
    # A server beats once a minute, pushes usage and approvals between, and may catch
    # up after an outage.
    Audience.TENANT: Limit(per_minute=240, burst=120),
    Audience.ADMIN: Limit(per_minute=600, burst=120),
    Audience.CUSTOMER: Limit(per_minute=60, burst=60),
    # Per address: registrations, sign-ins, the website.
    Audience.PUBLIC: Limit(per_minute=60, burst=30),
    Audience.WEBHOOKS: Limit(per_minute=6000, burst=1000),
}

FAILURES = Limit(per_minute=30, burst=30)
"""Wrong tokens of one address."""


class Admission:
    """Lets requests in.

    Args:
        authenticators: Who proves whom. An audience without one lets nobody in.
        limits: The limits of each audience.
        hot: Who says whose token it is for requests that check it when they are stored.
    """

    def __init__(
        self,
        authenticators: Mapping[Audience, Authenticator],
        limits: Mapping[Audience, Limit] = LIMITS,
        hot: Mapping[Audience, Authenticator] | None = None,
    ) -> None:
        self._authenticators = dict(authenticators)
        self._hot = dict(hot or {})
        self._limiters = {audience: Limiter(limits[audience]) for audience in Audience}
        self._failures = Limiter(FAILURES)

    def add(self, audience: Audience, authenticator: Authenticator) -> None:
        """Let an audience in."""
        self._authenticators[audience] = authenticator

    async def admit(
        self, audience: Audience, request: Request, *, hot: bool = False
    ) -> Principal | None:
        """Say who sends a request; None where anyone may.

        Args:
            audience: Who is let in.
            request: The request.
            hot: Whether what stores the request checks once more that the token is
                good, so that it need not be looked up here.

        Raises:
            Unauthenticated: The token is missing or none of this audience's.
            RateLimited: They, or their address, sent too many.
        """
        address = request.client.host if request.client else "unknown"
        if audience in (Audience.PUBLIC, Audience.WEBHOOKS):
            self._limiters[audience].take(address)
            return None
        self._failures.check(address)
        known = self._hot if hot else self._authenticators
        authenticate = known.get(audience) or self._authenticators.get(audience)
        if authenticate is None:
            raise Unauthenticated("nobody is let into this part of the API here")
        try:
            principal = await authenticate(request)
        except Unauthenticated:
            self._failures.take(address)
            raise
        self._limiters[audience].take(principal.id)
        return principal
