"""Usage, billing periods and founding members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _token_usage_buckets()
    _billing_periods()
    _billing_alerts()
    _founding_members()


def _token_usage_buckets() -> None:
    op.create_table(
        "token_usage_buckets",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("estimated_requests", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "input_tokens >= 0 AND output_tokens >= 0 AND "
            "cached_tokens >= 0 AND reasoning_tokens >= 0 AND "
            "cost_micros >= 0 AND requests >= 0 AND "
            "estimated_requests >= 0",
            name=op.f("ck_token_usage_buckets_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_token_usage_buckets_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "hour",
            "agent_id",
            "model",
            name=op.f("pk_token_usage_buckets"),
        ),
    )


def _billing_periods() -> None:
    op.create_table(
        "billing_periods",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Double(), nullable=False),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("plan_tokens", sa.BigInteger(), nullable=False),
        sa.Column(
            "multiplier", sa.BigInteger(), server_default=sa.text("1"), nullable=False
        ),
        sa.Column("pool_tokens", sa.BigInteger(), nullable=False),
        sa.Column(
            "used_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "premium_micros",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("at_limit", sa.Text(), nullable=False),
        sa.Column("overage_cap_tokens", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "at_limit IN ('pause', 'overage')", name=op.f("ck_billing_periods_at_limit")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'closing', 'closed')",
            name=op.f("ck_billing_periods_state"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_billing_periods_span")),
        sa.CheckConstraint(
            "plan_tokens >= 0 AND pool_tokens >= 0 AND "
            "used_tokens >= 0 AND premium_micros >= 0",
            name=op.f("ck_billing_periods_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_billing_periods_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_periods")),
        sa.UniqueConstraint(
            "tenant_id",
            "starts_at",
            name=op.f("uq_billing_periods_tenant_id_starts_at"),
        ),
    )
    with op.batch_alter_table("billing_periods", schema=None) as batch_op:
        batch_op.create_index(
            "ix_billing_periods_state", ["state", "ends_at"], unique=False
        )


def _billing_alerts() -> None:
    op.create_table(
        "billing_alerts",
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("used_tokens", sa.BigInteger(), nullable=False),
        sa.Column("crossed_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["period_id"],
            ["billing_periods.id"],
            name=op.f("fk_billing_alerts_period_id"),
        ),
        sa.PrimaryKeyConstraint(
            "period_id", "threshold", name=op.f("pk_billing_alerts")
        ),
    )


def _founding_members() -> None:
    op.create_table(
        "founding_members",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("payment_reference", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.Double(), nullable=False),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.Column("forfeited_at", sa.Double(), nullable=True),
        sa.Column("forfeited_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "number BETWEEN 1 AND 100", name=op.f("ck_founding_members_first_hundred")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_founding_members_tenant_id")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_founding_members")),
        sa.UniqueConstraint(
            "payment_reference", name=op.f("uq_founding_members_payment_reference")
        ),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_founding_members_tenant_id")),
    )
