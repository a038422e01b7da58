"""Approvals: listing, showing and deciding them, for the operator; telling agents."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator
from starlette.responses import Response

from letsbe.wrapper.allowances import MOST_HOURS, Allow
from letsbe.wrapper.answers import Answer
from letsbe.wrapper.approvals import Approval, State
from letsbe.wrapper.chat.outcomes import Told
from letsbe.wrapper.http.endpoints import (
    Body,
    Endpoint,
    Exchange,
    answered,
    parsed,
    queried,
)
from letsbe.wrapper.requests import AgentName
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


class AllowBody(Body):
    """A class to allow: its text as it was shown, and for how long."""

    text: str
    """What the approval's explanation says under `class`."""
    hours: Annotated[float, Field(gt=0, le=MOST_HOURS, strict=False)] | None = None
    """For how many hours; else for this session."""
    session: bool = False
    """Whether for this session alone."""

    @model_validator(mode="after")
    def _one_span(self) -> Self:
        if (self.hours is None) is not self.session:
            message = "give either hours or session"
            raise ValueError(message)
        return self


class DecisionBody(Body):
    """A person's decision."""

    reason: Annotated[str, Field(max_length=2000)] | None = None
    """Why; a denial's reason goes back to the agent."""


class ApproveBody(DecisionBody):
    """A person's approval, of this call or of its class too."""

    allow_class: AllowBody | None = None
    """Lets calls of the same class run unasked for a while."""


class TellBody(Body):
    """Whose call it was."""

    agent_id: AgentName | None = None
    """The agent, where the token does not say so."""


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
    body = await parsed(exchange.request, ApproveBody)
    chosen = body.allow_class
    allow = Allow(chosen.text, chosen.hours) if chosen else None
    dispatcher = exchange.wrapper.dispatcher
    return answered(await dispatcher.approve(exchange.id, PERSON, body.reason, allow))


async def deny(exchange: Exchange) -> Response:
    """Deny a call."""
    body = await parsed(exchange.request, DecisionBody)
    dispatcher = exchange.wrapper.dispatcher
    return answered(await dispatcher.deny(exchange.id, PERSON, body.reason))


async def tell(exchange: Exchange) -> Response:
    """Tell an agent what became of its call, where the person reads on."""
    body = await parsed(exchange.request, TellBody)
    agent_id = exchange.agent(body.agent_id)
    return answered(exchange.wrapper.outcomes.tell(exchange.id, agent_id))


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
        body=ApproveBody,
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
    Endpoint(
        "POST",
        "/api/v1/approvals/{id}/tell",
        tell,
        frozenset({Role.AGENT, Role.RUNTIME}),
        "Tell an agent what became of its call",
        body=TellBody,
        answer=Told,
    ),
)
