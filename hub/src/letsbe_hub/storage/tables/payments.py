"""Who pays, what was charged and adjusted, what payment services told, statements."""

from __future__ import annotations

import sqlalchemy as sa

from letsbe_hub.storage.tables._metadata import (
    count,
    instant,
    maybe_text,
    metadata,
    one_of,
    tenant_reference,
    text,
)

billing_accounts = sa.Table(
    "billing_accounts",
    metadata,
    tenant_reference(primary_key=True),
    # The start of the first period, a full hour: every period is an anniversary.
    instant("anchor_at"),
    maybe_text("email"),
    # Which backend bills it, and that backend's own reference.
    maybe_text("backend"),
    maybe_text("customer"),
    # Ours, or a test's: never a founding member.
    sa.Column("internal", sa.Boolean, nullable=False, server_default=sa.false()),
    text("at_limit"),
    sa.Column("overage_cap_tokens", sa.BigInteger),
    maybe_text("subscription_status"),
    instant("status_read_at", optional=True),
    instant("first_paid_at", optional=True),
    instant("refunded_at", optional=True),
    # Since when nobody pays, and when its agents were paused for that.
    instant("unpaid_since", optional=True),
    instant("paused_at", optional=True),
    one_of("at_limit", "pause", "overage"),
    sa.UniqueConstraint("backend", "customer"),
)

billing_lines = sa.Table(
    "billing_lines",
    metadata,
    # The key under which the backend knows it, for ever.
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column(
        "period_id", sa.Text, sa.ForeignKey("billing_periods.id"), nullable=False
    ),
    tenant_reference(),
    text("meter"),
    # Below zero where a correction takes back what an earlier line charged.
    sa.Column("quantity", sa.BigInteger, nullable=False),
    count("at"),
    text("state"),
    instant("first_sent_at", optional=True),
    instant("settled_at", optional=True),
    maybe_text("error"),
    one_of("state", "waiting", "recorded", "rejected"),
    one_of("meter", "overage_units", "premium_units"),
    sa.Index("ix_billing_lines_period", "period_id", "meter"),
    sa.Index("ix_billing_lines_lane", "tenant_id", "meter", "at"),
)

billing_adjustments = sa.Table(
    "billing_adjustments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_reference(),
    sa.Column(
        "period_id", sa.Text, sa.ForeignKey("billing_periods.id"), nullable=False
    ),
    # ``tokens`` change the period's pool, ``money`` the next invoice.
    text("kind"),
    sa.Column("amount", sa.BigInteger, nullable=False),
    maybe_text("currency"),
    text("reason"),
    text("made_by"),
    instant("made_at"),
    text("state"),
    maybe_text("error"),
    one_of("kind", "tokens", "money"),
    one_of("state", "waiting", "recorded", "rejected"),
    sa.Index("ix_billing_adjustments_tenant", "tenant_id", "made_at"),
)

payment_events = sa.Table(
    "payment_events",
    metadata,
    sa.Column("backend", sa.Text, primary_key=True),
    # The service's own id: told twice, it counts once.
    sa.Column("event_id", sa.Text, primary_key=True),
    text("type"),
    text("kind"),
    maybe_text("tenant_id"),
    instant("happened_at"),
    instant("received_at"),
    text("effect"),
    sa.Index("ix_payment_events_tenant", "tenant_id", "received_at"),
)

billing_statements = sa.Table(
    "billing_statements",
    metadata,
    sa.Column(
        "period_id", sa.Text, sa.ForeignKey("billing_periods.id"), primary_key=True
    ),
    sa.Column("document", sa.JSON, nullable=False),
    # SHA-256 of the canonical text: what is recomputed must have the same.
    text("digest"),
    instant("made_at"),
)
