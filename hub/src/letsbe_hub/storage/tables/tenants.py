"""Tenants, the tokens and keys of their servers, and what is known of each server."""

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

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    text("name"),
    # The order that a server is built for: one order, one tenant.
    text("order_id", unique=True),
    text("plan"),
    # The cohort that roll-outs go by.
    text("cohort"),
    text("state"),
    maybe_text("suspended_reason"),
    # The newest version of the configuration that is meant for the tenant.
    count("config_version", default=0),
    # What the tenant's edge enforces even without the Hub: the billing room's words.
    sa.Column("allowance", sa.JSON),
    instant("created_at"),
    instant("updated_at"),
    one_of("state", "provisioning", "active", "suspended", "closed"),
    sa.Index("ix_tenants_created", "created_at", "id"),
)

registration_tokens = sa.Table(
    "registration_tokens",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_reference(index=True),
    text("token_hash", unique=True),
    text("created_by"),
    instant("created_at"),
    instant("expires_at"),
    instant("used_at", optional=True),
    instant("revoked_at", optional=True),
    # What the server called itself when it used the token: the same server may repeat
    # a registration whose answer was lost.
    maybe_text("used_by"),
)

tenant_keys = sa.Table(
    "tenant_keys",
    metadata,
    sa.Column("key_hash", sa.Text, primary_key=True),
    tenant_reference(index=True),
    instant("created_at"),
    # When it was first used; its predecessor ends a while after that.
    instant("confirmed_at", optional=True),
    instant("expires_at", optional=True),
    instant("revoked_at", optional=True),
)

server_connections = sa.Table(
    "server_connections",
    metadata,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.id"), primary_key=True),
    # Made up by the server, kept over restarts; tells a clone from the original.
    text("server_id"),
    maybe_text("safety_wrapper_url"),
    maybe_text("wrapper_version"),
    maybe_text("openclaw_version"),
    # The version that the server says it has applied, and what stopped a newer one.
    count("config_version", default=0),
    sa.Column("config_failed_version", sa.BigInteger),
    maybe_text("config_error"),
    # What the server says of itself.
    text("reported_status"),
    sa.Column("details", sa.JSON),
    sa.Column("audit_seq", sa.BigInteger),
    maybe_text("audit_hash"),
    count("approvals_waiting", default=0),
    count("usage_waiting", default=0),
    # Seconds by which the server's clock is ahead of the Hub's.
    sa.Column("clock_skew", sa.Double),
    instant("registered_at"),
    instant("last_seen_at"),
    # What the Hub makes of all that, with hysteresis: tenants/status.py.
    text("status"),
    instant("status_since"),
    instant("alarmed_at", optional=True),
    one_of("reported_status", "operational", "degraded", "updating"),
    one_of(
        "status",
        "provisioning",
        "operational",
        "degraded",
        "updating",
        "late",
        "disconnected",
    ),
)
