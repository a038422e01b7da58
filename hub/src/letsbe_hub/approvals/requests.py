"""The tenant's side of approvals: asked for, withdrawn, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.approvals.history import note
from letsbe_hub.errors import ApprovalClosed, Conflict, NotFound
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.approvals import command_approvals as approvals

OUTCOMES = ("done", "failed", "interrupted", "denied", "withdrawn", "expired")
"""What a tenant may report of an approval."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval as a tenant asks for it.

    Args:
        tenant_approval_id: The tenant's own id of it.
        digest: Of what will run, made on the tenant.
        agent_id: Whose call.
        tool_name: The tool.
        tier: The call's tier.
        external: Whether it reaches the outside.
        reason: Why it needs a person.
        summary: What a person is shown; redacted on the tenant.
        expires_at: When it expires.
    """

    tenant_approval_id: str
    digest: str
    agent_id: str
    tool_name: str
    tier: str
    external: bool
    reason: str
    summary: Mapping[str, Any]
    expires_at: float


Listener = Callable[[sa.Connection, sa.Row[Any]], None]
"""Hears of a new approval inside the transaction that stores it."""


def ask(
    connection: sa.Connection,
    tenant_id: str,
    asked: Asked,
    listeners: Sequence[Listener] = (),
) -> sa.Row[Any]:
    """Store an approval, or find the one that the tenant asked for before.

    Returns:
        It, as it is now: a repetition may find it decided.

    Raises:
        Conflict: The tenant has used this id for something else.
    """
    mine = (approvals.c.tenant_id == tenant_id) & (
        approvals.c.tenant_approval_id == asked.tenant_approval_id
    )
    found = connection.execute(
        sa.select(approvals).where(mine).with_for_update()
    ).first()
    if found is not None:
        if found.digest != asked.digest:
            raise Conflict("this approval id was used before for another digest")
        return found
    new = new_id("apv")
    now = time.time()
    connection.execute(
        sa.insert(approvals).values(
            id=new,
            tenant_id=tenant_id,
            tenant_approval_id=asked.tenant_approval_id,
            digest=asked.digest,
            agent_id=asked.agent_id,
            tool_name=asked.tool_name,
            tier=asked.tier,
            external=asked.external,
            reason=asked.reason,
            summary=dict(asked.summary),
            state="pending" if asked.expires_at > now else "expired",
            created_at=now,
            expires_at=asked.expires_at,
        )
    )
    note(connection, new, "asked", f"tenant:{tenant_id}")
    stored = find(connection, new)
    if stored.state == "pending":
        for listener in listeners:
            listener(connection, stored)
    return stored


def report(
    connection: sa.Connection,
    tenant_id: str,
    approval_id: str,
    state: str,
    outcome: Mapping[str, Any] | None,
) -> sa.Row[Any]:
    """Store what a tenant says became of one of its approvals.

    The tenant alone executes, and it knows best: it may have expired there, been
    decided at its own console, or been withdrawn by the agent.

    Raises:
        NotFound: The tenant has no such approval.
        ApprovalClosed: It has another outcome already.
    """
    found = mine(connection, tenant_id, approval_id, lock=True)
    if found.settled_at is not None:
        if found.state == state:
            return found
        raise ApprovalClosed(f"the approval is {found.state} already")
    now = time.time()
    connection.execute(
        sa.update(approvals)
        .where(approvals.c.id == approval_id)
        .values(
            state=state,
            outcome=None if outcome is None else dict(outcome),
            settled_at=now,
            delivered_at=found.delivered_at or now,
        )
    )
    note(connection, approval_id, state, f"tenant:{tenant_id}")
    return find(connection, approval_id)


def confirm(connection: sa.Connection, tenant_id: str, approval_id: str) -> sa.Row[Any]:
    """Note that a tenant has a decision.

    Raises:
        NotFound: The tenant has no such approval.
        Conflict: It is not decided.
    """
    found = mine(connection, tenant_id, approval_id, lock=True)
    if found.decided_at is None:
        raise Conflict("the approval is not decided yet")
    if found.delivered_at is not None:
        return found
    connection.execute(
        sa.update(approvals)
        .where(approvals.c.id == approval_id)
        .values(delivered_at=time.time())
    )
    note(connection, approval_id, "delivered", f"tenant:{tenant_id}")
    return find(connection, approval_id)


def undelivered(
    connection: sa.Connection, tenant_id: str, limit: int
) -> Sequence[sa.Row[Any]]:
    """Return decisions that a tenant has not confirmed, the oldest first."""
    query = (
        sa.select(approvals)
        .where(
            (approvals.c.tenant_id == tenant_id)
            & approvals.c.decided_at.is_not(None)
            & approvals.c.delivered_at.is_(None)
        )
        .order_by(approvals.c.decided_at, approvals.c.id)
        .limit(limit)
    )
    return connection.execute(query).all()


def mine(
    connection: sa.Connection, tenant_id: str, approval_id: str, *, lock: bool = False
) -> sa.Row[Any]:
    """Return a tenant's approval.

    Raises:
        NotFound: It has none of that id; another tenant's is as if it were not there.
    """
    query = sa.select(approvals).where(
        (approvals.c.id == approval_id) & (approvals.c.tenant_id == tenant_id)
    )
    found = connection.execute(query.with_for_update() if lock else query).first()
    if found is None:
        raise NotFound("there is no approval of this id")
    return found


def find(connection: sa.Connection, approval_id: str) -> sa.Row[Any]:
    """Return an approval, whoever's.

    Raises:
        NotFound: There is none of that id.
    """
    query = sa.select(approvals).where(approvals.c.id == approval_id)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("there is no approval of this id")
    return found
