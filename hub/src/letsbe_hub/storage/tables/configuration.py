"""The agents' configuration as it is worked on, as versions, and as it is delivered."""

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

agent_configs = sa.Table(
    "agent_configs",
    metadata,
    tenant_reference(primary_key=True),
    sa.Column("agent_id", sa.Text, primary_key=True),
    # Grows with each change, and is what a change must name to be made.
    count("revision"),
    sa.Column("settings", sa.JSON, nullable=False),
    instant("updated_at"),
    text("updated_by"),
)

config_versions = sa.Table(
    "config_versions",
    metadata,
    tenant_reference(primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    # The whole configuration, and the SHA-256 of its canonical text.
    sa.Column("document", sa.JSON, nullable=False),
    text("digest"),
    text("note"),
    instant("created_at"),
    text("created_by"),
    maybe_text("rollout_id"),
    text("state"),
    maybe_text("error"),
    instant("settled_at", optional=True),
    one_of("state", "staged", "applied", "failed", "superseded"),
    sa.Index("ix_config_versions_rollout", "rollout_id"),
)

rollouts = sa.Table(
    "rollouts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    text("cohort"),
    # The change that is made to every tenant of the cohort.
    sa.Column("change", sa.JSON, nullable=False),
    text("note"),
    text("state"),
    maybe_text("halted_because"),
    count("percent", default=0),
    count("most_failures", default=0),
    instant("created_at"),
    text("created_by"),
    instant("updated_at"),
    one_of("state", "running", "halted", "finished", "cancelled"),
    sa.Index("ix_rollouts_created", "created_at", "id"),
)
