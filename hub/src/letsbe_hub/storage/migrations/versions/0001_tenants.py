"""Tenants, their tokens, keys and servers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _tenants()
    _registration_tokens()
    _tenant_keys()
    _server_connections()


def _tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column(
            "config_version",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("allowance", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "state IN ('provisioning', 'active', 'suspended', 'closed')",
            name=op.f("ck_tenants_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("order_id", name=op.f("uq_tenants_order_id")),
    )
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.create_index("ix_tenants_created", ["created_at", "id"], unique=False)


def _registration_tokens() -> None:
    op.create_table(
        "registration_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_registration_tokens_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_tokens")),
        sa.UniqueConstraint(
            "token_hash", name=op.f("uq_registration_tokens_token_hash")
        ),
    )
    with op.batch_alter_table("registration_tokens", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_registration_tokens_tenant_id"), ["tenant_id"], unique=False
        )


def _tenant_keys() -> None:
    op.create_table(
        "tenant_keys",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("confirmed_at", sa.Double(), nullable=True),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_tenant_keys_tenant_id")
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_tenant_keys")),
    )
    with op.batch_alter_table("tenant_keys", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_tenant_keys_tenant_id"), ["tenant_id"], unique=False
        )


def _server_connections() -> None:
    op.create_table(
        "server_connections",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("safety_wrapper_url", sa.Text(), nullable=True),
        sa.Column("wrapper_version", sa.Text(), nullable=True),
        sa.Column("openclaw_version", sa.Text(), nullable=True),
        sa.Column(
            "config_version",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("config_failed_version", sa.BigInteger(), nullable=True),
        sa.Column("config_error", sa.Text(), nullable=True),
        sa.Column("reported_status", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("audit_seq", sa.BigInteger(), nullable=True),
        sa.Column("audit_hash", sa.Text(), nullable=True),
        sa.Column(
            "approvals_waiting",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "usage_waiting",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("clock_skew", sa.Double(), nullable=True),
        sa.Column("registered_at", sa.Double(), nullable=False),
        sa.Column("last_seen_at", sa.Double(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_since", sa.Double(), nullable=False),
        sa.Column("alarmed_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "reported_status IN ('operational', 'degraded', 'updating')",
            name=op.f("ck_server_connections_reported_status"),
        ),
        sa.CheckConstraint(
            "status IN ('provisioning', 'operational', 'degraded', "
            "'updating', 'late', 'disconnected')",
            name=op.f("ck_server_connections_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_server_connections_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_server_connections")),
    )
