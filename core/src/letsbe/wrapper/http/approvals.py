"""Approvals: listing them, showing one, deciding one. For the operator alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import Response

from letsbe.wrapper.answers import Answer
from letsbe.wrapper.approvals import Approval, State
from letsbe.wrapper.http.endpoints import (
    Body,
    Endpoint,
    Exchange,
    answered,
    parsed,
    queried,
)
from letsbe.wrapper.tokens import Role

OPERATOR = frozenset({Role.OPERATOR})
PERSON = "operator"


class ApprovalQuery(Body):
    """Which approvals to list."""

    state: State | None = None
    """Only those in this state."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """The most to return."""
    after: str | None = None
    """The id of the last one seen."""


class ApprovalList(BaseModel):
    """Approvals, newest first."""

    approvals: list[Approval]


class DecisionBody(Body):
    """A person's decision."""

    reason: Annotated[str, Field(max_length=2000)] | None = None
    """Why; a denial's reason goes back to the agent."""


async def list_approvals(exchange: Exchange) -> Response:
    """List approvals."""
    query = queried(exchange.request, ApprovalQuery)
    found = exchange.wrapper.approvals.list(
        query.state, limit=query.limit, after=query.after
    )
    return answered(ApprovalList(approvals=found))


async def show(exchange: Exchange) -> Response:
    """Show one approval."""
    return answered(exchange.wrapper.approvals.get(exchange.id))


async def approve(exchange: Exchange) -> Response:
    """Approve a call, run it, and answer with what came of it."""
    body = await parsed(exchange.request, DecisionBody)
    dispatcher = exchange.wrapper.dispatcher
    return answered(await dispatcher.approve(exchange.id, PERSON, body.reason))


async def deny(exchange: Exchange) -> Response:
    """Deny a call."""
    body = await parsed(exchange.request, DecisionBody)
    dispatcher = exchange.wrapper.dispatcher
    return answered(await dispatcher.deny(exchange.id, PERSON, body.reason))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/approvals",
        list_approvals,
        OPERATOR,
        "List approvals",
        query=ApprovalQuery,
        answer=ApprovalList,
    ),
    Endpoint(
        "GET",
        "/api/v1/approvals/{id}",
        show,
        OPERATOR,
        "Show an approval",
        answer=Approval,
    ),
    Endpoint(
        "POST",
        "/api/v1/approvals/{id}/approve",
        approve,
        OPERATOR,
        "Approve a call and run it",
        body=DecisionBody,
        answer=Answer,
    ),
    Endpoint(
        "POST",
        "/api/v1/approvals/{id}/deny",
        deny,
        OPERATOR,
        "Deny a call",
        body=DecisionBody,
        answer=Answer,
    ),
)
