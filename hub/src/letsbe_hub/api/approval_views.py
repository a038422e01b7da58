"""How approvals are shown, to people and to the servers that asked for them."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from letsbe_hub.api.bodies import Instant, View


class ApprovalView(View):
    """An approval as a person sees it."""

    id: str
    tenant_id: str
    tenant_approval_id: str
    digest: str
    """SHA-256 of what will run, made on the tenant's server."""
    agent_id: str
    tool_name: str
    tier: str
    external: bool
    reason: str
    summary: dict[str, Any]
    """What exactly would run, without secrets."""
    state: str
    created_at: Instant
    expires_at: Instant
    decided_at: Instant | None
    decided_by: str | None
    decision_reason: str | None
    delivered_at: Instant | None
    outcome: dict[str, Any] | None
    settled_at: Instant | None


class EventView(View):
    """A step of an approval."""

    event: str
    actor: str
    reason: str | None
    at: Instant


class ApprovalHistoryView(ApprovalView):
    """An approval with its steps."""

    events: list[EventView]


class ResponseView(View):
    """An approval as the server sees it that asked for it."""

    approval_id: str
    """The Hub's id of it."""
    tenant_approval_id: str
    """The server's own."""
    digest: str
    state: str
    decided_by: str | None
    decision_reason: str | None
    decided_at: Instant | None


def _columns(row: sa.Row[Any]) -> dict[str, Any]:
    columns = dict(zip(row._fields, row, strict=True))
    if columns["state"] == "pending" and columns["expires_at"] <= time.time():
        columns["state"] = "expired"
    return columns


def approval_view(row: sa.Row[Any]) -> ApprovalView:
    """Show an approval to a person."""
    columns = _columns(row)
    return ApprovalView(**{name: columns[name] for name in ApprovalView.model_fields})


def history_view(row: sa.Row[Any], events: list[sa.Row[Any]]) -> ApprovalHistoryView:
    """Show an approval with its steps."""
    steps = [
        EventView(event=e.event, actor=e.actor, reason=e.reason, at=e.at)
        for e in events
    ]
    return ApprovalHistoryView(**dict(approval_view(row)), events=steps)


def response_view(row: sa.Row[Any]) -> ResponseView:
    """Show an approval to the server that asked for it."""
    columns = _columns(row)
    columns["approval_id"] = columns["id"]
    return ResponseView(**{name: columns[name] for name in ResponseView.model_fields})
