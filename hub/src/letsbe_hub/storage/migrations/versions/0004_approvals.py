"""Approvals and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _command_approvals()
    _approval_events()


def _command_approvals() -> None:
    op.create_table(
        "command_approvals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("tenant_approval_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("tool_name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.Double(), nullable=True),
        sa.Column("notified_at", sa.Double(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'denied', 'expired', "
            "'withdrawn', 'done', 'failed', 'interrupted')",
            name=op.f("ck_command_approvals_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_command_approvals_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command_approvals")),
        sa.UniqueConstraint(
            "tenant_id",
            "tenant_approval_id",
            name=op.f("uq_command_approvals_tenant_id_tenant_approval_id"),
        ),
    )
    with op.batch_alter_table("command_approvals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_command_approvals_state", ["state", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_command_approvals_tenant",
            ["tenant_id", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_command_approvals_undelivered",
            ["tenant_id"],
            unique=False,
            sqlite_where=sa.text("decided_at IS NOT NULL AND delivered_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NOT NULL AND delivered_at IS NULL"),
        )


def _approval_events() -> None:
    op.create_table(
        "approval_events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"],
            ["command_approvals.id"],
            name=op.f("fk_approval_events_approval_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_events")),
    )
    with op.batch_alter_table("approval_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_approval_events_approval_id"), ["approval_id"], unique=False
        )
