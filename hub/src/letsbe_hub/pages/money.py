"""What tenants have used and owe, and what their owners choose; what staff see to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from letsbe.plugin import PaymentBackend
from letsbe_hub.api.billing import (
    READ,
    WRITE,
    BillingView,
    LimitBody,
    billing_view,
    payments_of,
)
from letsbe_hub.billing import choices
from letsbe_hub.billing.overview import overview, troubles
from letsbe_hub.billing.statements import history, summary
from letsbe_hub.errors import Conflict, InvalidRequest, NotFound
from letsbe_hub.notifications.sending import TARGET_SECONDS, delay_p95
from letsbe_hub.pages.rendering import elsewhere, page
from letsbe_hub.pages.visits import Visit
from letsbe_hub.tenants.registry import find


@dataclass(frozen=True, slots=True)
class Standing:
    """How one tenant stands.

    Args:
        id: Which.
        name: The business's name.
        billing: Its present period, and what was chosen.
        payable: Whether a payment service bills it.
        periods: Its periods, newest first.
    """

    id: str
    name: str
    billing: BillingView
    payable: bool
    periods: list[sa.Row[Any]]


async def billing_page(visit: Visit) -> Response:
    """Show an owner's tenants: what each has used, and what happens at its limit."""
    tenants = visit.viewer.tenants
    if tenants is None:
        return elsewhere("/operations")
    hub = visit.hub
    paying = {
        backend.name
        for backend in hub.plugins.billing_backends
        if isinstance(backend, PaymentBackend)
    }

    def look(connection: sa.Connection) -> list[Standing]:
        found = []
        for each in sorted(tenants):
            name = find(connection, each).name
            seen = overview(connection, each, hub.rates)
            payable = seen.account.backend in paying
            past = history(connection, each)
            found.append(Standing(each, name, billing_view(seen), payable, past))
        return found

    standing = await hub.store.write_async(look)
    may_choose = WRITE in visit.viewer.permissions
    return page("billing", visit=visit, standing=standing, may_choose=may_choose)


def _chosen(visit: Visit) -> str:
    tenant = visit.field("tenant")
    if visit.viewer.tenants is None or not visit.viewer.may_see(tenant):
        raise NotFound("there is no tenant of this id")
    visit.viewer.require(WRITE)
    return tenant


async def choose_limit(visit: Visit) -> Response:
    """Choose what happens when the pool is used up."""
    tenant, rates, actor = _chosen(visit), visit.hub.rates, visit.viewer.actor
    cap = visit.field("cap").replace(",", "").replace(" ", "")
    if cap and not (cap.isascii() and cap.isdigit() and int(cap) <= 10**12):
        raise InvalidRequest("the most tokens above the pool: a whole number, or empty")
    chosen = visit.field("at_limit")
    if chosen not in LimitBody.model_fields["at_limit"].annotation.__args__:  # type: ignore[union-attr] # a Literal
        raise InvalidRequest("choose: pause or overage")
    limit = choices.Limit(chosen, int(cap) if cap else None)
    await visit.hub.store.write_async(
        lambda c: choices.choose_limit(c, tenant, limit, rates, actor)
    )
    return elsewhere("/billing")


async def payment_page(visit: Visit) -> Response:
    """Lead to the payment service's page of invoices and ways to pay."""
    tenant = _chosen(visit)
    backend, customer = await payments_of(visit.hub, tenant)
    back = f"{visit.hub.settings.notices.portal.rstrip('/')}/billing"
    url = await backend.open_portal(customer, back)
    if not url.startswith(("https://", "http://")):
        raise Conflict("the payment service gave no page: try again later")
    return page("payment", visit=visit, url=url)


async def operations_page(visit: Visit) -> Response:
    """Show staff what somebody should see to."""
    if visit.viewer.tenants is not None:
        raise NotFound("there is nothing here")
    visit.viewer.require(READ)
    found = await visit.hub.store.read_async(troubles)
    sums = await visit.hub.store.read_async(summary)
    now = time.time()
    slow = await visit.hub.store.read_async(lambda c: delay_p95(c, now))
    return page(
        "operations",
        visit=visit,
        troubles=found,
        sums=sums,
        currency=visit.hub.rates.settings.currency,
        clock=visit.hub.clock.fault,
        slow=slow,
        target=TARGET_SECONDS,
    )
