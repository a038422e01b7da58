"""Approvals for people: the same handlers for staff and customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from letsbe_hub.api.approval_views import (
    ApprovalHistoryView,
    ApprovalView,
    approval_view,
    history_view,
)
from letsbe_hub.api.bodies import Body, Identifier, Reason
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.paging import PageQuery, page_of, paged
from letsbe_hub.api.principals import Audience, Principal
from letsbe_hub.approvals import decisions
from letsbe_hub.approvals.history import history
from letsbe_hub.bus import tenant_topic
from letsbe_hub.errors import InvalidRequest

if TYPE_CHECKING:
    from letsbe_hub.opening import Hub


class ApprovalQuery(PageQuery):
    """Which approvals to list."""

    state: (
        Literal[
            "pending",
            "approved",
            "denied",
            "expired",
            "withdrawn",
            "done",
            "failed",
            "interrupted",
        ]
        | None
    ) = None
    """Only those in this state."""
    tenant_id: Identifier | None = None
    """Only this tenant's."""


class DecisionBody(Body):
    """A person's decision."""

    reason: Reason | None = None
    """Why; needed to deny, as it goes back to the agent."""


async def list_approvals(exchange: Exchange) -> Reply:
    """List the approvals that the caller may see, newest first."""
    page = exchange.query(ApprovalQuery)
    found = decisions.listing(exchange.caller, page.state, page.tenant_id)
    query = paged(found, page, *decisions.ORDER)
    rows = await exchange.hub.store.read_async(lambda c: c.execute(query).all())
    return page_of(
        rows, page, approval_view, lambda row: row.created_at, lambda row: row.id
    )


async def show_approval(exchange: Exchange) -> Reply:
    """Show an approval with everything that happened to it."""
    wanted, person = exchange.path(), exchange.caller

    def look(connection: sa.Connection) -> ApprovalHistoryView:
        row = decisions.visible(connection, person, wanted)
        return history_view(row, list(history(connection, wanted)))

    return Reply(await exchange.hub.store.read_async(look))


async def approve(exchange: Exchange) -> Reply:
    """Approve a call; the tenant's server runs it at its next contact."""
    return await _decide(exchange, "approved")


async def deny(exchange: Exchange) -> Reply:
    """Deny a call."""
    return await _decide(exchange, "denied")


async def _decide(exchange: Exchange, decision: decisions.Decision) -> Reply:
    body = await exchange.body(DecisionBody)
    row = await decided(
        exchange.hub, exchange.caller, exchange.path(), decision, body.reason
    )
    return Reply(approval_view(row))


async def decided(
    hub: Hub,
    person: Principal,
    wanted: str,
    decision: decisions.Decision,
    reason: str | None,
) -> sa.Row[Any]:
    """Decide an approval, and wake its server.

    Returns:
        It, decided.

    Raises:
        InvalidRequest: It is denied without a reason.
        LetsBeError: As :func:`letsbe_hub.approvals.decisions.decide` says.
    """
    if decision == "denied" and reason is None:
        raise InvalidRequest("say why: the reason goes back to the agent")
    row = await hub.store.write_async(
        lambda c: decisions.decide(c, person, wanted, decision, reason)
    )
    await hub.bus.publish(tenant_topic(row.tenant_id), "decision")
    return row


def endpoints(audience: Audience) -> tuple[Endpoint, ...]:
    """Make the rows for one audience."""
    base = f"/api/v1/{audience.value}/approvals"
    staff = audience is Audience.ADMIN
    read = decisions.READ if staff else None
    decide = decisions.DECIDE
    return (
        Endpoint(
            "GET",
            base,
            list_approvals,
            audience,
            f"List approvals ({audience.value})",
            permission=read,
            query=ApprovalQuery,
            answer=ApprovalView,
            many=True,
        ),
        Endpoint(
            "GET",
            f"{base}/{{id}}",
            show_approval,
            audience,
            f"Show an approval and its history ({audience.value})",
            permission=read,
            answer=ApprovalHistoryView,
        ),
        Endpoint(
            "POST",
            f"{base}/{{id}}/approve",
            approve,
            audience,
            f"Approve a call ({audience.value})",
            permission=decide,
            body=DecisionBody,
            answer=ApprovalView,
        ),
        Endpoint(
            "POST",
            f"{base}/{{id}}/deny",
            deny,
            audience,
            f"Deny a call ({audience.value})",
            permission=decide,
            body=DecisionBody,
            answer=ApprovalView,
        ),
    )
