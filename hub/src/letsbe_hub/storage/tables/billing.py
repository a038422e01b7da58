"""Billing periods with their pools, the alerts of each, and the founding members."""

from __future__ import annotations

import sqlalchemy as sa

from letsbe_hub.storage.tables._metadata import (
    count,
    instant,
    maybe_text,
    metadata,
    not_negative,
    one_of,
    tenant_reference,
    text,
)

billing_rates = sa.Table(
    "billing_rates",
    metadata,
    # The digest of the terms.
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("terms", sa.JSON, nullable=False),
    instant("kept_at"),
)

billing_periods = sa.Table(
    "billing_periods",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_reference(),
    instant("starts_at"),
    instant("ends_at"),
    text("plan"),
    # Plan tokens times the multiplier, as both were when the period was opened.
    count("plan_tokens"),
    count("multiplier", default=1),
    count("pool_tokens"),
    # The sums of the period's buckets; usage/ keeps each equal to its buckets.
    count("used_tokens", default=0),
    count("premium_micros", default=0),
    # What the tenant chose for a pool that is used up.
    text("at_limit"),
    sa.Column("overage_cap_tokens", sa.BigInteger),
    text("state"),
    instant("closed_at", optional=True),
    # Which rates it is billed at; null if it was opened before rates were kept.
    maybe_text("rates"),
    one_of("at_limit", "pause", "overage"),
    one_of("state", "open", "closing", "closed"),
    not_negative("plan_tokens", "pool_tokens", "used_tokens", "premium_micros"),
    sa.CheckConstraint("ends_at > starts_at", name="span"),
    sa.UniqueConstraint("tenant_id", "starts_at"),
    sa.Index("ix_billing_periods_state", "state", "ends_at"),
)

billing_alerts = sa.Table(
    "billing_alerts",
    metadata,
    sa.Column(
        "period_id", sa.Text, sa.ForeignKey("billing_periods.id"), primary_key=True
    ),
    # Percent of the pool; each is crossed once in a period.
    sa.Column("threshold", sa.BigInteger, primary_key=True, autoincrement=False),
    count("used_tokens"),
    instant("crossed_at"),
)

founding_members = sa.Table(
    "founding_members",
    metadata,
    # In the order of first completed payments.
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    tenant_reference(unique=True),
    text("payment_reference", unique=True),
    instant("claimed_at"),
    instant("ends_at"),
    instant("forfeited_at", optional=True),
    maybe_text("forfeited_because"),
    sa.CheckConstraint("number BETWEEN 1 AND 100", name="first_hundred"),
)
