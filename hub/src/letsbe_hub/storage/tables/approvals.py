"""Approvals as tenants ask for them, and everything that became of each."""

from __future__ import annotations

import sqlalchemy as sa

from letsbe_hub.storage.tables._metadata import (
    COUNTER,
    instant,
    maybe_text,
    metadata,
    one_of,
    tenant_reference,
    text,
)

STATES = (
    "pending",
    "approved",
    "denied",
    "expired",
    "withdrawn",
    "done",
    "failed",
    "interrupted",
)

command_approvals = sa.Table(
    "command_approvals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_reference(),
    # The tenant's own id of it: asking twice makes one approval.
    text("tenant_approval_id"),
    text("digest"),
    text("agent_id"),
    text("tool_name"),
    text("tier"),
    sa.Column("external", sa.Boolean, nullable=False),
    text("reason"),
    # What a person is shown: redacted on the tenant, no secret in it.
    sa.Column("summary", sa.JSON, nullable=False),
    text("state"),
    instant("created_at"),
    instant("expires_at"),
    instant("decided_at", optional=True),
    maybe_text("decided_by"),
    maybe_text("decision_reason"),
    # When the tenant confirmed that it has the decision.
    instant("delivered_at", optional=True),
    instant("notified_at", optional=True),
    sa.Column("outcome", sa.JSON),
    instant("settled_at", optional=True),
    one_of("state", *STATES),
    sa.UniqueConstraint("tenant_id", "tenant_approval_id"),
    sa.Index("ix_command_approvals_state", "state", "created_at", "id"),
    sa.Index("ix_command_approvals_tenant", "tenant_id", "created_at", "id"),
    sa.Index(
        "ix_command_approvals_undelivered",
        "tenant_id",
        sqlite_where=sa.text("decided_at IS NOT NULL AND delivered_at IS NULL"),
        postgresql_where=sa.text("decided_at IS NOT NULL AND delivered_at IS NULL"),
    ),
)

approval_events = sa.Table(
    "approval_events",
    metadata,
    sa.Column("id", COUNTER, primary_key=True),
    sa.Column(
        "approval_id",
        sa.Text,
        sa.ForeignKey("command_approvals.id"),
        nullable=False,
        index=True,
    ),
    text("event"),
    text("actor"),
    maybe_text("reason"),
    instant("at"),
)
