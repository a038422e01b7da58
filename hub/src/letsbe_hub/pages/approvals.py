"""Approvals to read and to decide on, each with exactly what would run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
from letsbe_hub.approvals.tiers import TIERS
from letsbe_hub.errors import InvalidRequest, LetsBeError
from letsbe_hub.pages.names import actor_names, tenant_names
from letsbe_hub.pages.rendering import elsewhere, page
from letsbe_hub.pages.visits import Visit


@dataclass(frozen=True, slots=True)
class Shown:
    """An approval as its page shows it.

    Args:
        approval: It, with its steps.
        tenant: The business's name.
        actors: What to call whoever took a step.
    """

    approval: ApprovalHistoryView
    tenant: str
    actors: Mapping[str, str]

    @property
    def runs(self) -> object:
        """What would run: as one line, where its server says so."""
        told = self.approval.summary
        line = _text(told.get("plan"), "line")
        return line or told.get("plan") or told.get("arguments") or told

    @property
    def takes(self) -> str | None:
        """What it would take or change, where that is known."""
        return _text(self.approval.summary.get("preview"), "summary")

    @property
    def difference(self) -> str | None:
        """The difference that it would make to a file."""
        return _text(self.approval.summary.get("preview"), "difference")

    @property
    def instead(self) -> str | None:
        """What the agent could do in its place."""
        return _text(self.approval.summary, "alternative")


def _text(told: object, name: str) -> str | None:
    # A server told it, and may have told anything.
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None


def _may_read(visit: Visit) -> None:
    if visit.viewer.tenants is None:
        visit.viewer.require(decisions.READ)


async def list_page(visit: Visit) -> Response:
    """List what waits, or everything, newest first.

    Staff without a second factor are to get one.
    """
    if visit.viewer.tenants is None and not visit.viewer.permissions:
        return elsewhere("/account")
    _may_read(visit)
    asked = visit.request.query_params
    everything = asked.get("show") == "all"
    query = ApprovalQuery(
        state=None if everything else "pending", cursor=visit.cursor()
    )
    found = decisions.listing(visit.viewer, query.state)

    def look(connection: sa.Connection) -> dict[str, Any]:
        rows = connection.execute(paged(found, query, *decisions.ORDER)).all()
        names = tenant_names(connection, (row.tenant_id for row in rows))
        return {"rows": rows, "names": names}

    seen = await visit.hub.store.read_async(look)
    reply = page_of(
        seen["rows"], query, approval_view, lambda r: r.created_at, lambda r: r.id
    )
    return page(
        "approvals",
        visit=visit,
        approvals=reply.data,
        names=seen["names"],
        tiers=TIERS,
        everything=everything,
        following=reply.meta["nextCursor"],
        first=query.cursor is None,
    )


async def _shown(visit: Visit) -> Shown:
    _may_read(visit)
    wanted = visit.part()

    def look(connection: sa.Connection) -> Shown:
        row = decisions.visible(connection, visit.viewer, wanted)
        steps = list(history(connection, wanted))
        names = tenant_names(connection, [row.tenant_id])
        return Shown(
            history_view(row, steps),
            names[row.tenant_id],
            actor_names(connection, (step.actor for step in steps)),
        )

    return await visit.hub.store.read_async(look)


async def _page(visit: Visit, error: LetsBeError | None = None) -> Response:
    shown = await _shown(visit)
    return page(
        "approval",
        200 if error is None else error.status,
        visit=visit,
        shown=shown,
        approval=shown.approval,
        tiers=TIERS,
        may_decide=decisions.DECIDE in visit.viewer.permissions,
        reason=visit.form.get("reason", "")[:2000],
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
