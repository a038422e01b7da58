"""Addresses, preferences and deliveries of notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _notice_addresses()
    _notice_preferences()
    _notice_deliveries()


def _notice_addresses() -> None:
    op.create_table(
        "notice_addresses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.Column("gone_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_notice_addresses_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_addresses")),
        sa.UniqueConstraint(
            "person_id",
            "channel",
            "address",
            name=op.f("uq_notice_addresses_person_id_channel_address"),
        ),
    )
    with op.batch_alter_table("notice_addresses", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notice_addresses_person_id"), ["person_id"], unique=False
        )


def _notice_preferences() -> None:
    op.create_table(
        "notice_preferences",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_notice_preferences_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "person_id", "category", "channel", name=op.f("pk_notice_preferences")
        ),
    )


def _notice_deliveries() -> None:
    op.create_table(
        "notice_deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("notice_key", sa.Text(), nullable=False),
        sa.Column("address_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'delivered', 'failed', 'gone', 'expired')",
            name=op.f("ck_notice_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(
            ["address_id"],
            ["notice_addresses.id"],
            name=op.f("fk_notice_deliveries_address_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_deliveries")),
        sa.UniqueConstraint(
            "notice_key",
            "address_id",
            name=op.f("uq_notice_deliveries_notice_key_address_id"),
        ),
    )
    with op.batch_alter_table("notice_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notice_deliveries_receipts", ["state", "sent_at"], unique=False
        )
        batch_op.create_index(
            "ix_notice_deliveries_sent", ["category", "happened_at"], unique=False
        )
