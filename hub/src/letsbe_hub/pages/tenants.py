"""Tenants for staff: who there is, how each server does, what each has used."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from letsbe_hub.accounts.people import people_of
from letsbe_hub.api.admin.tenants import READ, TenantQuery, tenant_view
from letsbe_hub.api.billing import READ as READ_BILLING
from letsbe_hub.api.billing import billing_view
from letsbe_hub.api.paging import page_of, paged
from letsbe_hub.billing.overview import overview
from letsbe_hub.billing.statements import history
from letsbe_hub.errors import NotFound
from letsbe_hub.pages.rendering import page
from letsbe_hub.pages.visits import Visit
from letsbe_hub.tenants import registry


def _may_read(visit: Visit) -> None:
    if visit.viewer.tenants is not None:
        raise NotFound("there is nothing here")
    visit.viewer.require(READ)


async def list_page(visit: Visit) -> Response:
    """List tenants, newest first."""
    _may_read(visit)
    query = TenantQuery(cursor=visit.cursor())
    found = paged(registry.listing(), query, *registry.ORDER)
    rows = await visit.hub.store.read_async(lambda c: c.execute(found).all())
    reply = page_of(rows, query, tenant_view, lambda r: r.created_at, lambda r: r.id)
    return page(
        "tenants",
        visit=visit,
        tenants=reply.data,
        following=reply.meta["nextCursor"],
        first=query.cursor is None,
    )


async def show_page(visit: Visit) -> Response:
    """Show a tenant with its server, its people and its usage."""
    _may_read(visit)
    wanted, rates = visit.part(), visit.hub.rates
    may_bill = READ_BILLING in visit.viewer.permissions

    def look(connection: sa.Connection) -> dict[str, Any]:
        seen: dict[str, Any] = {
            "tenant": tenant_view(registry.find(connection, wanted)),
            "people": people_of(connection, wanted),
            "billing": None,
            "periods": [],
        }
        if may_bill:
            seen["billing"] = billing_view(overview(connection, wanted, rates))
            seen["periods"] = history(connection, wanted)
        return seen

    return page("tenant", visit=visit, **await visit.hub.store.write_async(look))
