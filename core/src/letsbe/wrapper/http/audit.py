"""The audit log, for the operator."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from anyio import to_thread
from pydantic import BaseModel, Field
from starlette.responses import Response

from letsbe.wrapper.http.endpoints import (
    Body,
    Endpoint,
    Exchange,
    answered,
    queried,
)
from letsbe.wrapper.tokens import Role

OPERATOR = frozenset({Role.OPERATOR})


class AuditQuery(Body):
    """Which rows to return."""

    agent_id: str | None = None
    """Only this agent's."""
    tool_name: str | None = None
    """Only this tool's."""
    tier: str | None = None
    """Only this tier's."""
    kind: str | None = None
    """Only rows of this kind: ``intent``, ``outcome``, ``denied``, ..."""
    after: Annotated[int, Field(ge=0)] = 0
    """The number of the last row seen."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """The most rows to return."""


class AuditRows(BaseModel):
    """Rows of the audit log, oldest first."""

    rows: list[dict[str, Any]]


class VerificationView(BaseModel):
    """What checking the whole chain found."""

    verification: dict[str, Any]


async def query(exchange: Exchange) -> Response:
    """Return rows."""
    wanted = queried(exchange.request, AuditQuery)
    rows = exchange.wrapper.audit.query(
        agent_id=wanted.agent_id,
        tool_name=wanted.tool_name,
        tier=wanted.tier,
        kind=wanted.kind,
        after_seq=wanted.after,
        limit=wanted.limit,
    )
    return answered(AuditRows(rows=[dataclasses.asdict(row) for row in rows]))


async def verify(exchange: Exchange) -> Response:
    """Check the whole chain."""
    found = await to_thread.run_sync(exchange.wrapper.audit.verify)
    return answered(VerificationView(verification=dataclasses.asdict(found)))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/audit",
        query,
        OPERATOR,
        "Query the audit log",
        query=AuditQuery,
        answer=AuditRows,
    ),
    Endpoint(
        "GET",
        "/api/v1/audit/verify",
        verify,
        OPERATOR,
        "Verify the audit log",
        answer=VerificationView,
    ),
)
