"""Billing, for staff and customers: the same handlers where both may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from letsbe.plugin import CheckoutRequest, PaymentBackend
from letsbe_hub.api.bodies import Body, Identifier, Instant, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.billing import choices, founding, statements
from letsbe_hub.billing.delivery import open_customer
from letsbe_hub.billing.overview import Overview, overview
from letsbe_hub.billing.periods import account_of
from letsbe_hub.errors import Conflict, NotFound
from letsbe_hub.tenants.registry import find

if TYPE_CHECKING:
    from letsbe_hub.opening import Hub

READ = "billing.read"
WRITE = "billing.write"


class PeriodView(View):
    """A billing period."""

    id: str
    starts_at: Instant
    ends_at: Instant
    plan: str
    multiplier: int
    pool_tokens: int
    used_tokens: int
    premium_micros: int
    at_limit: str
    overage_cap_tokens: int | None
    state: str


class BillingView(View):
    """A tenant's billing as it stands."""

    period: PeriodView
    units: dict[str, int]
    """Whole units that the period has come to, by meter."""
    charged: dict[str, int]
    """Of them, those that were charged."""
    alerts: list[int]
    """Percentages of the pool that were passed."""
    at_limit: str
    """What happens from the next period on when the pool is used up."""
    cap_tokens: int | None
    """The most tokens above the pool."""
    founding_number: int | None
    """The founding member's number."""
    subscription: str | None
    """What the payment service says."""


class StatementView(View):
    """What a period came to, made from its buckets."""

    consistent: bool
    """Whether it is what was kept at the close, and what was charged."""
    document: dict[str, Any]
    """The statement."""


class LimitBody(Body):
    """What happens when the pool is used up."""

    at_limit: Literal["pause", "overage"]
    """Whether agents stop, or go on and are charged."""
    cap_tokens: Annotated[int, Field(ge=0, le=10**12)] | None = None
    """The most tokens above the pool; without it there is no end."""


class CheckoutBody(Body):
    """An order that is to be paid."""

    success_url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]
    """Where the payer goes after paying."""
    cancel_url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]
    """Where the payer goes otherwise."""


class PortalBody(Body):
    """Where to come back to."""

    return_url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]
    """The page that the portal leads back to."""


class PageView(View):
    """A page of the payment service; good for a short while."""

    url: str
    """The page."""


def period_view(row: sa.Row[Any]) -> PeriodView:
    """Show a period."""
    return PeriodView(**{name: getattr(row, name) for name in PeriodView.model_fields})


def billing_view(found: Overview) -> BillingView:
    """Show a tenant's billing."""
    return BillingView(
        period=period_view(found.period),
        units={meter.value: count for meter, count in found.units.items()},
        charged={meter.value: count for meter, count in found.charged.items()},
        alerts=list(found.alerts),
        at_limit=found.account.at_limit,
        cap_tokens=found.account.overage_cap_tokens,
        founding_number=found.founding_number,
        subscription=found.account.subscription_status,
    )


async def show(exchange: Exchange) -> Reply:
    """Show a tenant's billing."""
    wanted, rates = _tenant(exchange), exchange.hub.rates
    found = await exchange.hub.store.write_async(lambda c: overview(c, wanted, rates))
    return Reply(billing_view(found))


async def list_periods(exchange: Exchange) -> Reply:
    """List a tenant's periods, newest first."""
    wanted = _tenant(exchange)

    def look(connection: sa.Connection) -> list[PeriodView]:
        find(connection, wanted)
        return [period_view(row) for row in statements.history(connection, wanted)]

    return Reply(await exchange.hub.store.read_async(look))


async def statement(exchange: Exchange) -> Reply:
    """Make a period's statement from its buckets."""
    wanted, rates = _tenant(exchange), exchange.hub.rates
    period = exchange.path("period")

    def look(connection: sa.Connection) -> StatementView:
        rows = statements.history(connection, wanted, most=1000)
        if period not in {row.id for row in rows}:
            raise NotFound("there is no period of this id")
        consistent, document = statements.verify(connection, period, rates)
        return StatementView(consistent=consistent, document=document)

    return Reply(await exchange.hub.store.read_async(look))


async def choose_limit(exchange: Exchange) -> Reply:
    """Choose what happens when the pool is used up."""
    wanted, rates = _tenant(exchange, WRITE), exchange.hub.rates
    body = await exchange.body(LimitBody)
    limit = choices.Limit(body.at_limit, body.cap_tokens)
    actor = exchange.caller.actor

    def change(connection: sa.Connection) -> Overview:
        choices.choose_limit(connection, wanted, limit, rates, actor)
        return overview(connection, wanted, rates)

    return Reply(billing_view(await exchange.hub.store.write_async(change)))


async def checkout(exchange: Exchange) -> Reply:
    """Make the page on which a tenant's order is paid."""
    wanted = _tenant(exchange, WRITE)
    body = await exchange.body(CheckoutBody)
    backend, customer = await payments_of(exchange.hub, wanted)
    tenant = await exchange.hub.store.read_async(lambda c: find(c, wanted))
    page = await backend.open_checkout(
        CheckoutRequest(
            tenant.order_id, customer, tenant.plan, body.success_url, body.cancel_url
        )
    )
    return Reply(PageView(url=page.url), status=201)


async def portal(exchange: Exchange) -> Reply:
    """Make a page with the tenant's invoices and ways to pay."""
    wanted = _tenant(exchange, WRITE)
    body = await exchange.body(PortalBody)
    backend, customer = await payments_of(exchange.hub, wanted)
    url = await backend.open_portal(customer, body.return_url)
    return Reply(PageView(url=url), status=201)


async def payments_of(hub: Hub, tenant_id: str) -> tuple[PaymentBackend, str]:
    """Return the payment service that bills a tenant, and its customer there.

    Raises:
        Conflict: It is billed without one.
        TryLater: The service cannot be reached now.
    """
    await hub.store.write_async(lambda c: account_of(c, tenant_id, hub.rates))
    backends = {backend.name: backend for backend in hub.plugins.billing_backends}
    backend, customer = await open_customer(hub.store, backends, tenant_id)
    if not isinstance(backend, PaymentBackend):
        raise Conflict("this tenant is billed without a payment service")
    return backend, customer


def _tenant(exchange: Exchange, permission: str | None = None) -> str:
    wanted, person = exchange.path(), exchange.caller
    if not person.may_see(wanted):
        raise NotFound("there is no tenant of this id")
    if permission is not None:
        person.require(permission)
    return wanted


class FoundingView(View):
    """A founding member."""

    number: int
    tenant_id: Identifier
    claimed_at: Instant
    ends_at: Instant
    forfeited: bool


async def list_members(exchange: Exchange) -> Reply:
    """List the founding members in the order of their numbers."""
    rows = await exchange.hub.store.read_async(founding.members_listed)
    return Reply(
        [
            FoundingView(
                number=row.number,
                tenant_id=row.tenant_id,
                claimed_at=row.claimed_at,
                ends_at=row.ends_at,
                forfeited=row.forfeited_at is not None,
            )
            for row in rows
        ]
    )


def endpoints(audience: Audience) -> tuple[Endpoint, ...]:
    """Make the rows for one audience."""
    base = f"/api/v1/{audience.value}/tenants/{{id}}/billing"
    staff = audience is Audience.ADMIN
    read, write = (READ, WRITE) if staff else (None, None)
    said = f" ({audience.value})"
    return (
        Endpoint(
            "GET",
            base,
            show,
            audience,
            f"Show a tenant's billing{said}",
            permission=read,
            answer=BillingView,
        ),
        Endpoint(
            "GET",
            f"{base}/periods",
            list_periods,
            audience,
            f"List a tenant's billing periods{said}",
            permission=read,
            answer=PeriodView,
            many=True,
        ),
        Endpoint(
            "GET",
            f"{base}/periods/{{period}}/statement",
            statement,
            audience,
            f"Make a period's statement from its buckets{said}",
            permission=read,
            answer=StatementView,
        ),
        Endpoint(
            "PUT",
            f"{base}/limit",
            choose_limit,
            audience,
            f"Choose what happens when the pool is used up{said}",
            permission=write,
            body=LimitBody,
            answer=BillingView,
        ),
        *_pages(audience, base, write, said),
    )


def _pages(
    audience: Audience, base: str, write: str | None, said: str
) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            "POST",
            f"{base}/checkout",
            checkout,
            audience,
            f"Make the page on which an order is paid{said}",
            permission=write,
            body=CheckoutBody,
            answer=PageView,
            repeatable=True,
        ),
        Endpoint(
            "POST",
            f"{base}/portal",
            portal,
            audience,
            f"Make a page of invoices and ways to pay{said}",
            permission=write,
            body=PortalBody,
            answer=PageView,
            repeatable=True,
        ),
    )
