"""The collection that every table is in, and the columns that many have."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        # Names that a later migration can refer to, the same on every database.
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number that the database counts up; SQLite does so for INTEGER alone."""


def text(name: str, **settings: Any) -> sa.Column[str]:  # noqa: ANN401 - SQLAlchemy's own
    """Make a column of text that is always there."""
    return sa.Column(name, sa.Text, nullable=False, **settings)


def maybe_text(name: str) -> sa.Column[str]:
    """Make a column of text that may be missing."""
    return sa.Column(name, sa.Text, nullable=True)


def instant(name: str, *, optional: bool = False) -> sa.Column[float]:
    """Make a column for a moment, in seconds since 1970 (UTC)."""
    return sa.Column(name, sa.Double, nullable=optional)


def count(name: str, *, default: int | None = None) -> sa.Column[int]:
    """Make a column for a whole number, which is never negative (checked apart)."""
    server_default = None if default is None else sa.text(str(default))
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=server_default)


def one_of(name: str, *values: str) -> sa.CheckConstraint:
    """Make the constraint that a column holds one of some words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=name)


def not_negative(*names: str) -> sa.CheckConstraint:
    """Make the constraint that counts are not negative."""
    return sa.CheckConstraint(
        " AND ".join(f"{name} >= 0" for name in names), name="not_negative"
    )


def tenant_reference(**settings: Any) -> sa.Column[str]:  # noqa: ANN401 - SQLAlchemy's own
    """Make the column that says whose row it is."""
    return sa.Column(
        "tenant_id", sa.Text, sa.ForeignKey("tenants.id"), nullable=False, **settings
    )
