"""The rates that a period was opened under; accounts that do not pay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns."""
    op.create_table(
        "billing_rates",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("kept_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_billing_rates")),
    )
    op.add_column("billing_periods", sa.Column("rates", sa.Text(), nullable=True))
    for name in ("unpaid_since", "paused_at"):
        op.add_column("billing_accounts", sa.Column(name, sa.Double(), nullable=True))
