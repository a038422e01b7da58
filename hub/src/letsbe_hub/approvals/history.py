"""What happened to an approval, step by step; nothing is ever taken out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from letsbe_hub.storage.tables.approvals import approval_events as events


def note(
    connection: sa.Connection,
    approval_id: str,
    event: str,
    actor: str,
    reason: str | None = None,
) -> None:
    """Add a step, in the transaction that makes it.

    Args:
        connection: Inside a write.
        approval_id: Of which approval.
        event: ``asked``, ``approved``, ``denied``, ``delivered``, ``done``, ...
        actor: Who: ``tenant:ID``, ``staff:ID``, ``customer:ID`` or ``hub``.
        reason: Why, in a person's words.
    """
    connection.execute(
        sa.insert(events).values(
            approval_id=approval_id,
            event=event,
            actor=actor,
            reason=reason,
            at=time.time(),
        )
    )


def history(connection: sa.Connection, approval_id: str) -> Sequence[sa.Row[Any]]:
    """Return an approval's steps, the first one first."""
    query = (
        sa.select(events)
        .where(events.c.approval_id == approval_id)
        .order_by(events.c.id)
    )
    return connection.execute(query).all()
