"""Whom to tell, by which channel and at which address; and what became of notices."""

from __future__ import annotations

import sqlalchemy as sa

from letsbe_hub.storage.tables._metadata import (
    instant,
    maybe_text,
    metadata,
    one_of,
    text,
)

notice_addresses = sa.Table(
    "notice_addresses",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column(
        "person_id",
        sa.Text,
        sa.ForeignKey("people.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    text("channel"),
    text("address"),
    maybe_text("label"),
    instant("added_at"),
    instant("gone_at", optional=True),
    sa.UniqueConstraint("person_id", "channel", "address"),
)

notice_preferences = sa.Table(
    "notice_preferences",
    metadata,
    sa.Column(
        "person_id",
        sa.Text,
        sa.ForeignKey("people.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("wanted", sa.Boolean, nullable=False),
)

deliveries = sa.Table(
    "notice_deliveries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    text("notice_key"),
    sa.Column(
        "address_id",
        sa.Text,
        sa.ForeignKey("notice_addresses.id", ondelete="CASCADE"),
        nullable=False,
    ),
    text("category"),
    # When what it tells of happened: from then on the clock of its delay runs.
    instant("happened_at"),
    instant("sent_at", optional=True),
    maybe_text("receipt"),
    text("state"),
    maybe_text("error"),
    one_of("state", "waiting", "sent", "delivered", "failed", "gone", "expired"),
    sa.UniqueConstraint("notice_key", "address_id"),
    sa.Index("ix_notice_deliveries_sent", "category", "happened_at"),
    sa.Index("ix_notice_deliveries_receipts", "state", "sent_at"),
)
