"""A period's statement: to read, and as a table to keep."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from letsbe_hub.api.billing import READ
from letsbe_hub.billing.statements import verify
from letsbe_hub.errors import NotFound
from letsbe_hub.pages.rendering import HEADERS, page
from letsbe_hub.pages.visits import Visit
from letsbe_hub.storage.tables.billing import billing_periods as periods
from letsbe_hub.tenants.registry import find

COLUMNS = (
    "agent_id",
    "model",
    "requests",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "pool_tokens",
    "premium_micros",
)
"""Of the table; ``premium_micros`` are millionths of the currency."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With what a spreadsheet takes a text for a formula."""


@dataclass(frozen=True, slots=True)
class Read:
    """A statement as it was just made from its buckets.

    Args:
        name: The business's name.
        state: Whether the period is ``open`` or ``closed``.
        consistent: Whether it is what was kept and charged.
        said: The statement.
    """

    name: str
    state: str
    consistent: bool
    said: dict[str, Any]


async def _read(visit: Visit) -> Read:
    wanted, viewer, rates = visit.part(), visit.viewer, visit.hub.rates
    if viewer.tenants is None:
        viewer.require(READ)

    def look(connection: sa.Connection) -> Read:
        query = sa.select(periods).where(periods.c.id == wanted)
        period = connection.execute(query).first()
        if period is None or not viewer.may_see(period.tenant_id):
            raise NotFound("there is no statement here")
        name = find(connection, period.tenant_id).name
        return Read(name, period.state, *verify(connection, wanted, rates))

    return await visit.hub.store.read_async(look)


async def statement_page(visit: Visit) -> Response:
    """Show a statement."""
    read = await _read(visit)
    return page(
        "statement",
        visit=visit,
        business=read.name,
        state=read.state,
        consistent=read.consistent,
        said=read.said,
    )


async def statement_table(visit: Visit) -> Response:
    """Give a statement's usage as a file of comma-separated values."""
    read = await _read(visit)
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    rows.writeheader()
    rows.writerows(
        {name: _harmless(row[name]) for name in COLUMNS} for row in read.said["usage"]
    )
    named = f'attachment; filename="statement-{read.said["period_id"]}.csv"'
    headers = HEADERS | {"content-disposition": named}
    return Response(text.getvalue(), headers=headers, media_type="text/csv")


def _harmless(value: object) -> object:
    """Keep a spreadsheet from running what an agent is called as a formula."""
    risky = isinstance(value, str) and value.startswith(
        ("=", "+", "-", "@", "\t", "\r")
    )
    return f"'{value}" if risky else value
