"""Usage, for people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from letsbe_hub.api.bodies import Body, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.errors import NotFound
from letsbe_hub.tenants.registry import find
from letsbe_hub.usage import totals
from letsbe_hub.usage.buckets import Counts

READ = "usage.read"


class UsageQuery(Body):
    """Which hours, and how to group them."""

    since: Annotated[float, Field(ge=0, le=1e11)] = 0
    """The first hour's start, in seconds since 1970 (UTC)."""
    until: Annotated[float, Field(ge=0, le=1e11)] = 1e11
    """Hours that begin then or later are left out."""
    by: Literal["agent", "model", "hour", "agent_model"] | None = None
    """How to group; else one sum."""


class SumView(View):
    """A sum of buckets."""

    group: list[Any]
    """The names of the group, in the order of `by`."""
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    cost_micros: int
    requests: int
    estimated_requests: int


async def usage(exchange: Exchange) -> Reply:
    """Add up a tenant's usage."""
    query = exchange.query(UsageQuery)
    wanted, person = exchange.path(), exchange.caller
    if not person.may_see(wanted):
        raise NotFound("there is no tenant of this id")

    def look(connection: sa.Connection) -> list[SumView]:
        find(connection, wanted)
        span = (query.since, query.until)
        if query.by is None:
            return [_view((), totals.total(connection, wanted, *span))]
        found = totals.grouped(connection, wanted, *span, query.by)
        return [_view(names, counts) for names, counts in found]

    return Reply(await exchange.hub.store.read_async(look))


def _view(names: tuple[Any, ...], counts: Counts) -> SumView:
    return SumView(group=list(names), **counts._asdict())


def endpoints(audience: Audience) -> tuple[Endpoint, ...]:
    """Make the rows for one audience."""
    return (
        Endpoint(
            "GET",
            f"/api/v1/{audience.value}/tenants/{{id}}/usage",
            usage,
            audience,
            f"Add up a tenant's usage ({audience.value})",
            permission=READ if audience is Audience.ADMIN else None,
            query=UsageQuery,
            answer=SumView,
            many=True,
        ),
    )
