"""What every room uses: the outbox, remembered answers, the record of acts."""

from __future__ import annotations

import sqlalchemy as sa

from letsbe_hub.storage.tables._metadata import (
    COUNTER,
    count,
    instant,
    maybe_text,
    metadata,
    one_of,
    text,
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", COUNTER, primary_key=True),
    # Who works it off: ``billing``, ``notifications``.
    text("topic"),
    # Entries of one lane are worked off one after another, in order.
    text("lane"),
    # What makes an entry the same as another one; put in twice, it is there once.
    text("dedupe"),
    sa.Column("payload", sa.JSON, nullable=False),
    text("state"),
    count("attempts", default=0),
    maybe_text("last_error"),
    instant("created_at"),
    instant("due_at"),
    # Until when the node that took it may work on it.
    instant("claimed_until", optional=True),
    instant("settled_at", optional=True),
    one_of("state", "waiting", "done", "dead"),
    sa.UniqueConstraint("topic", "dedupe"),
    sa.Index("ix_outbox_due", "topic", "state", "due_at"),
    sa.Index("ix_outbox_lane", "topic", "lane", "state", "id"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("principal", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    # SHA-256 of method, path and body: another request under one key is refused.
    text("request_hash"),
    # Nothing as long as the first request is still at work.
    sa.Column("status", sa.BigInteger),
    sa.Column("answer", sa.LargeBinary),
    instant("created_at"),
    sa.Index("ix_idempotency_keys_created", "created_at"),
)

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", COUNTER, primary_key=True),
    instant("at"),
    # ``staff:ID``, ``customer:ID``, ``tenant:ID``, ``cli``.
    text("actor"),
    text("act"),
    text("subject"),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("ix_acts_subject", "subject", "id"),
    sa.Index("ix_acts_actor", "actor", "id"),
)
