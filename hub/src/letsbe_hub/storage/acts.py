"""The record of acts: who changed what, in the transaction of the change itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from letsbe_hub.storage.tables.shared import acts


def record(
    connection: sa.Connection,
    actor: str,
    act: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note an act, inside the write that it is about.

    Args:
        connection: The write's.
        actor: Who: ``staff:ID``, ``customer:ID``, ``tenant:ID`` or ``cli``.
        act: What: ``tenant.suspend``, ``approval.approve``, ...
        subject: To what: ``tenant:ID``, ``approval:ID``, ...
        detail: Anything else, as JSON, without secrets.
    """
    connection.execute(
        sa.insert(acts).values(
            at=time.time(),
            actor=actor,
            act=act,
            subject=subject,
            detail=dict(detail or {}),
        )
    )


def listing(subject: str | None = None, actor: str | None = None) -> sa.Select[Any]:
    """Make the query for acts, newest first.

    Args:
        subject: Only those on this.
        actor: Only those of this one.
    """
    query = sa.select(acts).order_by(acts.c.id.desc())
    if subject is not None:
        query = query.where(acts.c.subject == subject)
    return query if actor is None else query.where(acts.c.actor == actor)
