"""Tenants and their registration tokens, for staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from letsbe_hub.api.bodies import Body, Identifier, Instant, Line, Reason, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.paging import PageQuery, page_of, paged
from letsbe_hub.api.principals import Audience
from letsbe_hub.tenants import registry
from letsbe_hub.tenants.registration import issue_token

State = Literal["provisioning", "active", "suspended", "closed"]
Cohort = Literal["sandbox", "canary", "general"]

READ = "tenants.read"
WRITE = "tenants.write"


class NewTenantBody(Body):
    """A tenant to be made."""

    name: Line
    """The business's name."""
    order_id: Identifier
    """The order that it comes from."""
    plan: Literal["lite", "build", "scale", "enterprise"]
    """What was bought."""
    cohort: Cohort = "general"
    """By which roll-outs go."""


class TenantQuery(PageQuery):
    """Which tenants to list."""

    state: State | None = None
    """Only those in this state."""
    cohort: Cohort | None = None
    """Only those of this cohort."""


class SuspendBody(Body):
    """Why a tenant is suspended."""

    reason: Reason
    """For the record, and for the tenant's owner."""


class TokenBody(Body):
    """How long a registration token is good for."""

    minutes: Annotated[float, Field(gt=0, le=43200, strict=False)] | None = None
    """Else as configured."""


class ServerView(View):
    """What is known of a tenant's server."""

    server_id: str
    status: str
    status_since: Instant
    reported_status: str
    safety_wrapper_url: str | None
    wrapper_version: str | None
    openclaw_version: str | None
    config_version: int
    config_failed_version: int | None
    config_error: str | None
    audit_seq: int | None
    audit_hash: str | None
    approvals_waiting: int
    usage_waiting: int
    clock_skew: float | None
    registered_at: Instant
    last_seen_at: Instant
    details: dict[str, Any] | None


class TenantView(View):
    """A tenant."""

    id: str
    name: str
    order_id: str
    plan: str
    cohort: str
    state: str
    suspended_reason: str | None
    config_version: int
    created_at: Instant
    server: ServerView | None


class TokenView(View):
    """A registration token; it is shown this once."""

    token: str
    tenant_id: str
    expires_at: Instant


def tenant_view(row: sa.Row[Any]) -> TenantView:
    """Show a tenant with its server."""
    columns = dict(zip(row._fields, row, strict=True))
    server = None
    if columns["server_id"] is not None:
        known = columns | {"config_version": columns["applied_config_version"]}
        server = ServerView(**{name: known[name] for name in ServerView.model_fields})
    fields = TenantView.model_fields.keys() - {"server"}
    return TenantView(server=server, **{name: columns[name] for name in fields})


async def create(exchange: Exchange) -> Reply:
    """Make a tenant."""
    body = await exchange.body(NewTenantBody)
    new = registry.NewTenant(**body.model_dump())
    actor = exchange.caller.actor

    def change(connection: sa.Connection) -> sa.Row[Any]:
        return registry.find(connection, registry.create(connection, new, actor))

    return Reply(tenant_view(await exchange.hub.store.write_async(change)), status=201)


async def list_tenants(exchange: Exchange) -> Reply:
    """List tenants, newest first."""
    page = exchange.query(TenantQuery)
    query = paged(registry.listing(page.state, page.cohort), page, *registry.ORDER)
    rows = await exchange.hub.store.read_async(lambda c: c.execute(query).all())
    return page_of(
        rows, page, tenant_view, lambda row: row.created_at, lambda row: row.id
    )


async def show(exchange: Exchange) -> Reply:
    """Show a tenant."""
    wanted = exchange.path()
    row = await exchange.hub.store.read_async(lambda c: registry.find(c, wanted))
    return Reply(tenant_view(row))


async def suspend(exchange: Exchange) -> Reply:
    """Suspend a tenant."""
    body = await exchange.body(SuspendBody)
    wanted, actor = exchange.path(), exchange.caller.actor

    def change(connection: sa.Connection) -> sa.Row[Any]:
        registry.suspend(connection, wanted, body.reason, actor)
        return registry.find(connection, wanted)

    return Reply(tenant_view(await exchange.hub.store.write_async(change)))


async def resume(exchange: Exchange) -> Reply:
    """End a suspension."""
    wanted, actor = exchange.path(), exchange.caller.actor

    def change(connection: sa.Connection) -> sa.Row[Any]:
        registry.resume(connection, wanted, actor)
        return registry.find(connection, wanted)

    return Reply(tenant_view(await exchange.hub.store.write_async(change)))


async def issue(exchange: Exchange) -> Reply:
    """Issue a registration token."""
    body = await exchange.body(TokenBody)
    minutes = body.minutes or exchange.hub.settings.tenants.registration_minutes
    wanted, actor = exchange.path(), exchange.caller.actor
    token, expires_at = await exchange.hub.store.write_async(
        lambda c: issue_token(c, wanted, minutes, actor)
    )
    view = TokenView(token=token, tenant_id=wanted, expires_at=expires_at)
    return Reply(view, status=201)


_TENANTS = "/api/v1/admin/tenants"
_TENANT = f"{_TENANTS}/{{id}}"

ENDPOINTS = (
    Endpoint(
        "GET",
        _TENANTS,
        list_tenants,
        Audience.ADMIN,
        "List tenants",
        permission=READ,
        query=TenantQuery,
        answer=TenantView,
        many=True,
    ),
    Endpoint(
        "POST",
        _TENANTS,
        create,
        Audience.ADMIN,
        "Make a tenant",
        permission=WRITE,
        body=NewTenantBody,
        answer=TenantView,
    ),
    Endpoint(
        "GET",
        _TENANT,
        show,
        Audience.ADMIN,
        "Show a tenant",
        permission=READ,
        answer=TenantView,
    ),
    Endpoint(
        "POST",
        f"{_TENANT}/suspend",
        suspend,
        Audience.ADMIN,
        "Suspend a tenant",
        permission=WRITE,
        body=SuspendBody,
        answer=TenantView,
    ),
    Endpoint(
        "POST",
        f"{_TENANT}/resume",
        resume,
        Audience.ADMIN,
        "End a tenant's suspension",
        permission=WRITE,
        answer=TenantView,
    ),
    Endpoint(
        "POST",
        f"{_TENANT}/registration-tokens",
        issue,
        Audience.ADMIN,
        "Issue a one-time registration token",
        permission=WRITE,
        body=TokenBody,
        answer=TokenView,
        shown_once=True,
    ),
)
