"""People's side of approvals: listed, decided once, expired when nobody does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from letsbe_hub.api.principals import Audience, Principal
from letsbe_hub.approvals.history import note
from letsbe_hub.approvals.requests import find
from letsbe_hub.errors import ApprovalClosed, Forbidden, NotFound
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.tables.approvals import command_approvals as approvals

DECIDE = "approvals.decide"
READ = "approvals.read"

ORDER: Sequence[sa.ColumnElement[Any]] = (approvals.c.created_at, approvals.c.id)

Decision = Literal["approved", "denied"]


def listing(
    person: Principal, state: str | None = None, tenant_id: str | None = None
) -> sa.Select[Any]:
    """Make the query for the approvals that a person may see, to be paged."""
    query = sa.select(approvals)
    if person.tenants is not None:
        query = query.where(approvals.c.tenant_id.in_(sorted(person.tenants)))
    if tenant_id is not None:
        query = query.where(approvals.c.tenant_id == tenant_id)
    if state == "pending":
        query = query.where(approvals.c.expires_at > time.time())
    if state is not None:
        query = query.where(approvals.c.state == state)
    return query


def visible(
    connection: sa.Connection, person: Principal, approval_id: str
) -> sa.Row[Any]:
    """Return an approval that a person may see.

    Raises:
        NotFound: There is none; one that is not theirs is as if it were not there.
    """
    found = find(connection, approval_id)
    if not person.may_see(found.tenant_id):
        raise NotFound("there is no approval of this id")
    return found


def decide(
    connection: sa.Connection,
    person: Principal,
    approval_id: str,
    decision: Decision,
    reason: str | None,
) -> sa.Row[Any]:
    """Decide an approval; the first who tries succeeds, and nobody after that.

    Args:
        connection: Inside a write.
        person: Who decides: staff or a customer, never a server or an agent.
        approval_id: Which.
        decision: What.
        reason: Why; a denial's reason goes back to the agent.

    Returns:
        It, decided.

    Raises:
        Forbidden: They may not decide.
        NotFound: There is none that they may see.
        ApprovalClosed: It is decided, withdrawn, settled or expired.
    """
    if person.audience not in (Audience.ADMIN, Audience.CUSTOMER):
        raise Forbidden("approvals are decided by people")
    person.require(DECIDE)
    visible(connection, person, approval_id)
    now = time.time()
    decided = connection.execute(
        sa.update(approvals)
        .where(
            (approvals.c.id == approval_id)
            & (approvals.c.state == "pending")
            & (approvals.c.expires_at > now)
        )
        .values(
            state=decision,
            decided_at=now,
            decided_by=person.actor,
            decision_reason=reason,
        )
    )
    found = find(connection, approval_id)
    if decided.rowcount == 0:
        state = "expired" if found.state == "pending" else found.state
        raise ApprovalClosed(f"the approval is {state} and can no longer be decided")
    note(connection, approval_id, decision, person.actor, reason)
    record(
        connection,
        person.actor,
        f"approval.{decision}",
        f"approval:{approval_id}",
        {"tenant": found.tenant_id, "tool": found.tool_name},
    )
    return found


def expire(connection: sa.Connection) -> int:
    """Close the approvals whose time has passed; say how many there were.

    Whatever asks sees them as expired already; this makes the rows say so too.
    """
    now = time.time()
    late = (approvals.c.state == "pending") & (approvals.c.expires_at <= now)
    ids = connection.scalars(
        sa.select(approvals.c.id).where(late).limit(500).with_for_update()
    ).all()
    for approval_id in ids:
        connection.execute(
            sa.update(approvals)
            .where(approvals.c.id == approval_id)
            .values(state="expired", settled_at=now)
        )
        note(connection, approval_id, "expired", "hub")
    return len(ids)
