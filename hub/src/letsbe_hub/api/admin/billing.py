"""Billing, for staff alone: all tenants at once, adjustments, charging by hand."""

from __future__ import annotations

from typing import Annotated, Literal

import sqlalchemy as sa
from anyio import to_thread
from pydantic import Field

from letsbe_hub.accounts.people import normal
from letsbe_hub.api.billing import (
    READ,
    WRITE,
    BillingView,
    FoundingView,
    billing_view,
    endpoints,
    list_members,
)
from letsbe_hub.api.bodies import Body, Line, Nothing, Reason, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.billing import choices, statements
from letsbe_hub.billing.charging import charge
from letsbe_hub.billing.overview import Overview, overview, troubles
from letsbe_hub.billing.periods import account_of, current_period
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.tables.payments import billing_accounts


class SummaryView(View):
    """The present periods of all tenants, and what to see to."""

    tenants: int
    used_tokens: int
    pool_tokens: int
    premium_micros: int
    at_limit: int
    """Tenants that have used their pool up."""
    waiting: int
    """Lines that wait for the billing plugin."""
    dead: int
    """Lines that it will never take."""
    oldest_seconds: float
    """How long the oldest has waited."""
    rejected: list[str]
    """Lines and adjustments that were rejected."""
    founding_spots_left: int


class AdjustmentBody(Body):
    """Something made good, or charged, by hand."""

    kind: Literal["tokens", "money"]
    """Whether the present pool changes, or the next invoice."""
    amount: Annotated[int, Field(ge=-(10**12), le=10**12)]
    """Tokens, or hundredths of the currency; below zero takes away."""
    reason: Reason
    """Why; a customer reads it on the invoice."""


class AccountBody(Body):
    """Who pays."""

    email: Line | None = None
    """Where invoices go."""
    internal: bool = False
    """Ours, or a test's: never a founding member."""
    backend: Line | None = None
    """The billing plugin, as long as it has no customer there yet."""


class PlanBody(Body):
    """Another plan: more tokens at once, fewer from the next period on."""

    plan: Literal["lite", "build", "scale", "enterprise"]
    """The plan."""


async def summary(exchange: Exchange) -> Reply:
    """Add up the present periods of all tenants."""

    def look(connection: sa.Connection) -> SummaryView:
        sums = statements.summary(connection)
        return SummaryView(
            tenants=sums.tenants,
            used_tokens=sums.used,
            pool_tokens=sums.pool,
            premium_micros=sums.premium,
            at_limit=sums.at_limit,
            **troubles(connection),
        )

    return Reply(await exchange.hub.store.read_async(look))


async def charge_now(exchange: Exchange) -> Reply:
    """Charge the whole units that a tenant has come to by now."""
    await exchange.body(Nothing)
    wanted, rates = exchange.path(), exchange.hub.rates
    actor = exchange.caller.actor

    await to_thread.run_sync(exchange.hub.clock.require)

    def change(connection: sa.Connection) -> Overview:
        period = current_period(connection, wanted, rates)
        lines = charge(connection, period, rates)
        detail = {"lines": lines}
        record(connection, actor, "billing.charge", f"tenant:{wanted}", detail)
        return overview(connection, wanted, rates)

    return Reply(billing_view(await exchange.hub.store.write_async(change)))


async def adjust(exchange: Exchange) -> Reply:
    """Make an adjustment."""
    body = await exchange.body(AdjustmentBody)
    wanted, rates = exchange.path(), exchange.hub.rates
    new = choices.NewAdjustment(body.kind, body.amount, body.reason)
    actor = exchange.caller.actor

    def change(connection: sa.Connection) -> Overview:
        choices.adjust(connection, wanted, new, rates, actor)
        return overview(connection, wanted, rates)

    view = billing_view(await exchange.hub.store.write_async(change))
    return Reply(view, status=201)


async def set_account(exchange: Exchange) -> Reply:
    """Say who pays."""
    body = await exchange.body(AccountBody)
    wanted, rates = exchange.path(), exchange.hub.rates
    actor = exchange.caller.actor
    email = None if body.email is None else normal(body.email)

    def change(connection: sa.Connection) -> Overview:
        account = account_of(connection, wanted, rates)
        backend = account.backend
        if body.backend is not None and account.customer is None:
            backend = body.backend
        connection.execute(
            sa.update(billing_accounts)
            .where(billing_accounts.c.tenant_id == wanted)
            .values(email=email, internal=body.internal, backend=backend)
        )
        record(connection, actor, "billing.account", f"tenant:{wanted}")
        return overview(connection, wanted, rates)

    return Reply(billing_view(await exchange.hub.store.write_async(change)))


async def change_plan(exchange: Exchange) -> Reply:
    """Change a tenant's plan."""
    body = await exchange.body(PlanBody)
    wanted, rates = exchange.path(), exchange.hub.rates
    actor = exchange.caller.actor

    def change(connection: sa.Connection) -> Overview:
        choices.change_plan(connection, wanted, body.plan, rates, actor)
        return overview(connection, wanted, rates)

    return Reply(billing_view(await exchange.hub.store.write_async(change)))


_TENANT = "/api/v1/admin/tenants/{id}/billing"

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/admin/billing/summary",
        summary,
        Audience.ADMIN,
        "Add up the present periods of all tenants",
        permission=READ,
        answer=SummaryView,
    ),
    Endpoint(
        "GET",
        "/api/v1/admin/billing/founding-members",
        list_members,
        Audience.ADMIN,
        "List the founding members",
        permission=READ,
        answer=FoundingView,
        many=True,
    ),
    *endpoints(Audience.ADMIN),
    *(
        Endpoint(
            method,
            f"{_TENANT}/{path}",
            handler,
            Audience.ADMIN,
            said,
            permission=WRITE,
            body=body,
            answer=BillingView,
        )
        for method, path, handler, said, body in (
            ("POST", "overage", charge_now, "Charge what is due now", Nothing),
            ("POST", "adjustments", adjust, "Make an adjustment", AdjustmentBody),
            ("PUT", "account", set_account, "Say who pays", AccountBody),
            ("PUT", "plan", change_plan, "Change a tenant's plan", PlanBody),
        )
    ),
)
