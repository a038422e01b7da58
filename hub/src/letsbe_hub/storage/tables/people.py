"""People: staff and customers, their sessions, and what failed at the door."""

from __future__ import annotations

from typing import Any

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


def _person(**settings: Any) -> sa.Column[str]:  # noqa: ANN401 - SQLAlchemy's own
    return sa.Column(
        "person_id",
        sa.Text,
        sa.ForeignKey("people.id", ondelete="CASCADE"),
        nullable=False,
        **settings,
    )


people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    # Staff and customers are apart: one address may be both, as two people.
    text("kind"),
    text("email"),
    text("name"),
    text("role"),
    maybe_text("password_hash"),
    # The secret of the second factor, sealed; and the last step that was used.
    sa.Column("totp_sealed", sa.LargeBinary),
    sa.Column("totp_confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    count("totp_step", default=0),
    text("state"),
    instant("created_at"),
    instant("signed_in_at", optional=True),
    one_of("kind", "staff", "customer"),
    one_of("role", "admin", "support", "billing", "owner", "delegate"),
    one_of("state", "active", "disabled"),
    sa.UniqueConstraint("kind", "email"),
)

person_tenants = sa.Table(
    "person_tenants",
    metadata,
    _person(primary_key=True),
    tenant_reference(primary_key=True, index=True),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    # The sign-in that it goes back to: a token that was replaced and comes again
    # ends all of its family.
    text("family", index=True),
    _person(index=True),
    instant("created_at"),
    instant("used_at"),
    instant("expires_at"),
    instant("replaced_at", optional=True),
    instant("revoked_at", optional=True),
    maybe_text("address"),
)

one_time_tokens = sa.Table(
    "one_time_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    _person(index=True),
    text("purpose"),
    instant("created_at"),
    instant("expires_at"),
    instant("used_at", optional=True),
    one_of("purpose", "password", "second_factor"),
)

sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    # SHA-256 of kind and e-mail address: also of people who do not exist.
    sa.Column("account", sa.Text, primary_key=True),
    # The network that it came from; ``*`` for all that are not known.
    sa.Column("network", sa.Text, primary_key=True),
    count("failures"),
    instant("last_at"),
)

known_networks = sa.Table(
    "known_networks",
    metadata,
    _person(primary_key=True),
    sa.Column("network", sa.Text, primary_key=True),
    instant("last_at"),
)
