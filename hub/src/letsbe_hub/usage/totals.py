"""Sums of buckets, made when they are asked for, so that they cannot be wrong."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from letsbe_hub.storage.tables.usage import COUNTS
from letsbe_hub.storage.tables.usage import token_usage_buckets as buckets
from letsbe_hub.usage.buckets import Counts

GROUPS = {
    "agent": (buckets.c.agent_id,),
    "model": (buckets.c.model,),
    "hour": (buckets.c.hour,),
    "agent_model": (buckets.c.agent_id, buckets.c.model),
}
"""By what sums can be grouped."""


def total(
    connection: sa.Connection, tenant_id: str, since: float, until: float
) -> Counts:
    """Add up a tenant's buckets of the hours from one moment to before another."""
    query = sa.select(*_sums()).where(*_within(tenant_id, since, until))
    return Counts(*(int(value or 0) for value in connection.execute(query).one()))


def grouped(
    connection: sa.Connection, tenant_id: str, since: float, until: float, by: str
) -> list[tuple[tuple[Any, ...], Counts]]:
    """Add up a tenant's buckets in groups.

    Args:
        connection: To read with.
        tenant_id: Whose.
        since: The first hour's start.
        until: Hours that begin then or later are left out.
        by: One of :data:`GROUPS`.

    Returns:
        Each group's names and sums, in order.
    """
    keys = GROUPS[by]
    query = (
        sa.select(*keys, *_sums())
        .where(*_within(tenant_id, since, until))
        .group_by(*keys)
        .order_by(*keys)
    )
    found = []
    for row in connection.execute(query):
        names, sums = tuple(row[: len(keys)]), row[len(keys) :]
        found.append((names, Counts(*(int(value) for value in sums))))
    return found


def _sums() -> list[sa.Label[int]]:
    return [sa.func.sum(buckets.c[name]).label(name) for name in COUNTS]


def _within(
    tenant_id: str, since: float, until: float
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        buckets.c.tenant_id == tenant_id,
        buckets.c.hour >= since,
        buckets.c.hour < until,
    )
