"""Accounts, lines, adjustments, payment events and statements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _payment_events()
    _billing_accounts()
    _billing_adjustments()
    _billing_lines()
    _billing_statements()


def _payment_events() -> None:
    op.create_table(
        "payment_events",
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("happened_at", sa.Double(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("backend", "event_id", name=op.f("pk_payment_events")),
    )
    with op.batch_alter_table("payment_events", schema=None) as batch_op:
        batch_op.create_index(
            "ix_payment_events_tenant", ["tenant_id", "received_at"], unique=False
        )


def _billing_accounts() -> None:
    op.create_table(
        "billing_accounts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("anchor_at", sa.Double(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("backend", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("internal", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("at_limit", sa.Text(), nullable=False),
        sa.Column("overage_cap_tokens", sa.BigInteger(), nullable=True),
        sa.Column("subscription_status", sa.Text(), nullable=True),
        sa.Column("status_read_at", sa.Double(), nullable=True),
        sa.Column("first_paid_at", sa.Double(), nullable=True),
        sa.Column("refunded_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "at_limit IN ('pause', 'overage')",
            name=op.f("ck_billing_accounts_at_limit"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_billing_accounts_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_billing_accounts")),
        sa.UniqueConstraint(
            "backend", "customer", name=op.f("uq_billing_accounts_backend_customer")
        ),
    )


def _billing_adjustments() -> None:
    op.create_table(
        "billing_adjustments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('tokens', 'money')", name=op.f("ck_billing_adjustments_kind")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'recorded', 'rejected')",
            name=op.f("ck_billing_adjustments_state"),
        ),
        sa.ForeignKeyConstraint(
            ["period_id"],
            ["billing_periods.id"],
            name=op.f("fk_billing_adjustments_period_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_billing_adjustments_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_adjustments")),
    )
    with op.batch_alter_table("billing_adjustments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_billing_adjustments_tenant", ["tenant_id", "made_at"], unique=False
        )


def _billing_lines() -> None:
    op.create_table(
        "billing_lines",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_sent_at", sa.Double(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "meter IN ('overage_units', 'premium_units')",
            name=op.f("ck_billing_lines_meter"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'recorded', 'rejected')",
            name=op.f("ck_billing_lines_state"),
        ),
        sa.ForeignKeyConstraint(
            ["period_id"],
            ["billing_periods.id"],
            name=op.f("fk_billing_lines_period_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_billing_lines_tenant_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_billing_lines")),
    )
    with op.batch_alter_table("billing_lines", schema=None) as batch_op:
        batch_op.create_index(
            "ix_billing_lines_lane", ["tenant_id", "meter", "at"], unique=False
        )
        batch_op.create_index(
            "ix_billing_lines_period", ["period_id", "meter"], unique=False
        )


def _billing_statements() -> None:
    op.create_table(
        "billing_statements",
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["period_id"],
            ["billing_periods.id"],
            name=op.f("fk_billing_statements_period_id"),
        ),
        sa.PrimaryKeyConstraint("period_id", name=op.f("pk_billing_statements")),
    )
