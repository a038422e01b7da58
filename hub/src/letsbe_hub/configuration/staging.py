"""Changes of a whole configuration: a patch, or an earlier version brought back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from letsbe.hub_client.documents import merged
from letsbe_hub.configuration import agents, versions
from letsbe_hub.errors import StaleRevision


def stage(
    connection: sa.Connection,
    tenant_id: str,
    patch: Mapping[str, Any],
    *,
    actor: str,
    note: str,
    base: int | None = None,
    rollout_id: str | None = None,
) -> int:
    """Change a tenant's configuration by a merge patch (RFC 7396).

    Args:
        connection: Inside a write.
        tenant_id: Whose.
        patch: What changes; null takes a member away.
        actor: Who changes it.
        note: Why.
        base: The version that the patch was made for, if that matters.
        rollout_id: The roll-out that it is part of.

    Returns:
        The new version's number.

    Raises:
        NotFound: There is no such tenant.
        StaleRevision: There is a newer version than the base.
        InvalidRequest: What comes out is not a configuration.
    """
    number = versions.lock(connection, tenant_id)
    if base is not None and base != number:
        raise StaleRevision(f"the newest version is {number} now: look at it again")
    whole = merged(versions.get(connection, tenant_id, number), patch)
    return _put(connection, tenant_id, whole, actor, note, rollout_id)


def revert(
    connection: sa.Connection, tenant_id: str, version: int, *, actor: str
) -> int:
    """Bring an earlier version back, as a new one.

    Raises:
        NotFound: There is no such tenant or version.
    """
    versions.lock(connection, tenant_id)
    whole = versions.get(connection, tenant_id, version)
    note = f"version {version} brought back"
    return _put(connection, tenant_id, whole, actor, note, None)


def _put(
    connection: sa.Connection,
    tenant_id: str,
    document: Mapping[str, Any],
    actor: str,
    note: str,
    rollout_id: str | None,
) -> int:
    number = versions.add(
        connection, tenant_id, document, actor=actor, note=note, rollout_id=rollout_id
    )
    whole = versions.get(connection, tenant_id, number)
    agents.follow(connection, tenant_id, whole, actor)
    return number
