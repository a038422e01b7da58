"""Approvals, as the server that asks for them sees them."""

from __future__ import annotations

import json
import time
from typing import Annotated, Literal

import sqlalchemy as sa
from pydantic import Field, JsonValue

from letsbe_hub.api.approval_views import ResponseView, response_view
from letsbe_hub.api.bodies import Body, Identifier, Line
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.approvals import requests
from letsbe_hub.errors import InvalidRequest

MOST_SUMMARY = 64 * 1024
MOST_OPEN_SECONDS = 30 * 24 * 3600.0
PAGE = 100


class ApprovalRequestBody(Body):
    """A call that waits for a person."""

    tenant_approval_id: Identifier
    """The server's own id of it; asked again, it is the same approval."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of what will run."""
    agent_id: Line
    """Whose call."""
    tool_name: Line
    """The tool."""
    tier: Literal["GREEN", "YELLOW", "YELLOW_EXTERNAL", "RED", "CRITICAL_RED"]
    """The call's tier."""
    external: bool
    """Whether it reaches the outside."""
    reason: Annotated[str, Field(max_length=4000)]
    """Why it needs a person."""
    summary: dict[str, JsonValue]
    """What a person is shown; without secrets."""
    expires_at: Annotated[float, Field(ge=0, le=1e11, strict=False)]
    """When it expires, in seconds since 1970 (UTC)."""


class OutcomeBody(Body):
    """What became of an approval, or that its decision has arrived."""

    state: Literal[
        "delivered",
        "done",
        "failed",
        "interrupted",
        "denied",
        "withdrawn",
        "expired",
    ]
    """`delivered` confirms a decision; all else ends the approval."""
    outcome: dict[str, JsonValue] | None = None
    """More about it; without secrets."""


async def ask(exchange: Exchange) -> Reply:
    """Ask for an approval."""
    body = await exchange.body(ApprovalRequestBody)
    _limit(body.summary, "summary")
    if body.expires_at > time.time() + MOST_OPEN_SECONDS:
        raise InvalidRequest("an approval stays open for 30 days at most")
    asked = requests.Asked(**body.model_dump())
    tenant, listeners = exchange.caller.id, tuple(exchange.hub.approval_listeners)
    row = await exchange.hub.store.write_async(
        lambda c: requests.ask(c, tenant, asked, listeners)
    )
    return Reply(response_view(row), status=201)


async def respond(exchange: Exchange) -> Reply:
    """Show an approval's decision."""
    wanted, tenant = exchange.path(), exchange.caller.id
    row = await exchange.hub.store.read_async(
        lambda c: requests.mine(c, tenant, wanted)
    )
    return Reply(response_view(row))


async def decisions(exchange: Exchange) -> Reply:
    """List the decisions that the server has not confirmed, the oldest first."""
    tenant = exchange.caller.id
    rows = await exchange.hub.store.read_async(
        lambda c: requests.undelivered(c, tenant, PAGE)
    )
    return Reply([response_view(row) for row in rows], {"limit": PAGE})


async def report(exchange: Exchange) -> Reply:
    """Tell what became of an approval."""
    body = await exchange.body(OutcomeBody)
    _limit(body.outcome, "outcome")
    wanted, tenant = exchange.path(), exchange.caller.id

    def change(connection: sa.Connection) -> sa.Row[tuple[object, ...]]:
        if body.state == "delivered":
            return requests.confirm(connection, tenant, wanted)
        return requests.report(connection, tenant, wanted, body.state, body.outcome)

    return Reply(response_view(await exchange.hub.store.write_async(change)))


def _limit(value: object, field: str) -> None:
    if len(json.dumps(value)) > MOST_SUMMARY:
        raise InvalidRequest(f"{field} has more than {MOST_SUMMARY} bytes")


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/tenant/approval-request",
        ask,
        Audience.TENANT,
        "Ask for an approval",
        body=ApprovalRequestBody,
        answer=ResponseView,
    ),
    Endpoint(
        "GET",
        "/api/v1/tenant/approval-response",
        decisions,
        Audience.TENANT,
        "List decisions that were not confirmed",
        answer=ResponseView,
        many=True,
    ),
    Endpoint(
        "GET",
        "/api/v1/tenant/approval-response/{id}",
        respond,
        Audience.TENANT,
        "Show an approval's decision",
        answer=ResponseView,
    ),
    Endpoint(
        "POST",
        "/api/v1/tenant/approval-response/{id}",
        report,
        Audience.TENANT,
        "Tell what became of an approval",
        body=OutcomeBody,
        answer=ResponseView,
    ),
)
