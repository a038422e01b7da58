"""Approvals to read and to decide on, each with exactly what would run."""

from __future__ import annotations

import sqlalchemy as sa
from starlette.responses import Response

from letsbe_hub.api.approval_views import (
    ApprovalHistoryView,
    approval_view,
    history_view,
)
from letsbe_hub.api.deciding import ApprovalQuery, decided
from letsbe_hub.api.paging import page_of, paged
from letsbe_hub.approvals import decisions
from letsbe_hub.approvals.history import history
from letsbe_hub.errors import InvalidRequest, LetsBeError
from letsbe_hub.pages.rendering import elsewhere, page
from letsbe_hub.pages.visits import Visit

FIRST = ("plan", "arguments", "preview", "explanation")
"""What of a summary is shown first, in this order: what runs, and what it touches."""


def _may_read(visit: Visit) -> None:
    if visit.viewer.tenants is None:
        visit.viewer.require(decisions.READ)


async def list_page(visit: Visit) -> Response:
    """List what waits, newest first; staff without a second factor are to get one."""
    if visit.viewer.tenants is None and not visit.viewer.permissions:
        return elsewhere("/account")
    _may_read(visit)
    query = ApprovalQuery(
        state="pending", cursor=visit.request.query_params.get("cursor")
    )
    found = decisions.listing(visit.viewer, query.state)
    rows = await visit.hub.store.read_async(
        lambda c: c.execute(paged(found, query, *decisions.ORDER)).all()
    )
    reply = page_of(
        rows, query, approval_view, lambda row: row.created_at, lambda row: row.id
    )
    return page(
        "approvals",
        visit=visit,
        approvals=reply.data,
        following=reply.meta["nextCursor"],
    )


async def _shown(visit: Visit) -> ApprovalHistoryView:
    _may_read(visit)
    wanted = visit.part()

    def look(connection: sa.Connection) -> ApprovalHistoryView:
        row = decisions.visible(connection, visit.viewer, wanted)
        return history_view(row, list(history(connection, wanted)))

    return await visit.hub.store.read_async(look)


async def _page(visit: Visit, error: LetsBeError | None = None) -> Response:
    shown = await _shown(visit)
    parts = [name for name in FIRST if name in shown.summary]
    parts += sorted(shown.summary.keys() - set(FIRST))
    return page(
        "approval",
        200 if error is None else error.status,
        visit=visit,
        approval=shown,
        parts_of=parts,
        may_decide=decisions.DECIDE in visit.viewer.permissions,
        error=error,
    )


async def show_page(visit: Visit) -> Response:
    """Show an approval; that decides nothing."""
    return await _page(visit)


async def decide(visit: Visit) -> Response:
    """Decide an approval."""
    wanted = visit.part()
    decision = {"approve": "approved", "deny": "denied"}.get(visit.field("decision"))
    try:
        if decision is None:
            raise InvalidRequest("choose: approve or deny")
        await decided(
            visit.hub,
            visit.viewer,
            wanted,
            "approved" if decision == "approved" else "denied",
            visit.field("reason") or None,
        )
    except LetsBeError as error:
        return await _page(visit, error)
    return elsewhere(f"/approvals/{wanted}")
