"""A tenant's configuration as versions: whole, numbered, never changed afterwards.

Every change makes a new version that is meant for the tenant at once. The tenant says
which one it has applied, or why it could not; it keeps the last good one meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from letsbe.hub_client.documents import (
    Document,
    TenantConfiguration,
    checked,
    difference,
    digest,
    document_of,
)
from letsbe_hub.errors import NotFound
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.tables.configuration import config_versions as versions
from letsbe_hub.storage.tables.tenants import tenants

INITIAL: Document = document_of(TenantConfiguration())
"""What a tenant has before the first version: number 0."""


def lock(connection: sa.Connection, tenant_id: str) -> int:
    """Let nobody else change a tenant's configuration until the end.

    Returns:
        The newest version's number.

    Raises:
        NotFound: There is no such tenant.
    """
    query = sa.select(tenants.c.config_version).where(tenants.c.id == tenant_id)
    newest = connection.scalar(query.with_for_update())
    if newest is None:
        raise NotFound("there is no tenant of this id: list them to see the ids")
    return int(newest)


def add(
    connection: sa.Connection,
    tenant_id: str,
    document: Mapping[str, Any],
    *,
    actor: str,
    note: str,
    rollout_id: str | None = None,
) -> int:
    """Make a new version, after :func:`lock`; one that changes nothing is none.

    Returns:
        Its number; the newest one's if nothing differs.

    Raises:
        InvalidRequest: It is not a configuration.
    """
    newest = lock(connection, tenant_id)
    whole = document_of(checked(document))
    if whole == get(connection, tenant_id, newest):
        return newest
    number, now = newest + 1, time.time()
    connection.execute(
        sa.update(versions)
        .where((versions.c.tenant_id == tenant_id) & (versions.c.state == "staged"))
        .values(state="superseded", settled_at=now)
    )
    connection.execute(
        sa.insert(versions).values(
            tenant_id=tenant_id,
            version=number,
            document=whole,
            digest=digest(whole),
            note=note,
            created_at=now,
            created_by=actor,
            rollout_id=rollout_id,
            state="staged",
        )
    )
    connection.execute(
        sa.update(tenants)
        .where(tenants.c.id == tenant_id)
        .values(config_version=number, updated_at=now)
    )
    record(
        connection,
        actor,
        "configuration.stage",
        f"tenant:{tenant_id}",
        {"version": number, "note": note},
    )
    return number


def get(connection: sa.Connection, tenant_id: str, version: int) -> Document:
    """Return a version's document.

    Raises:
        NotFound: The tenant has no such version.
    """
    if version == 0:
        return INITIAL
    return dict(row(connection, tenant_id, version).document)


def row(connection: sa.Connection, tenant_id: str, version: int) -> sa.Row[Any]:
    """Return a version with what became of it.

    Raises:
        NotFound: The tenant has no such version.
    """
    query = sa.select(versions).where(
        (versions.c.tenant_id == tenant_id) & (versions.c.version == version)
    )
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("the tenant has no such version of its configuration")
    return found


def newest(connection: sa.Connection, tenant_id: str) -> tuple[int, Document]:
    """Return the newest version's number and document.

    Raises:
        NotFound: There is no such tenant.
    """
    query = sa.select(tenants.c.config_version).where(tenants.c.id == tenant_id)
    number = connection.scalar(query)
    if number is None:
        raise NotFound("there is no tenant of this id: list them to see the ids")
    return int(number), get(connection, tenant_id, int(number))


def between(connection: sa.Connection, tenant_id: str, old: int, new: int) -> Document:
    """Return what changes one version into another, as a merge patch.

    Raises:
        NotFound: The tenant has no such version.
    """
    return difference(get(connection, tenant_id, old), get(connection, tenant_id, new))


def listing(tenant_id: str) -> sa.Select[Any]:
    """Make the query for a tenant's versions, to be ordered and paged."""
    return sa.select(versions).where(versions.c.tenant_id == tenant_id)


ORDER = (versions.c.version,)


def acknowledge(
    connection: sa.Connection, tenant_id: str, version: int, error: str | None
) -> sa.Row[Any]:
    """Note that a tenant has applied a version, or could not.

    Args:
        connection: Inside a write.
        tenant_id: Which tenant.
        version: Which version.
        error: What was wrong with it; None if nothing was.

    Returns:
        The version.

    Raises:
        NotFound: The tenant has no such version.
    """
    found = row(connection, tenant_id, version)
    if found.state == "applied" and error is None:
        return found
    connection.execute(
        sa.update(versions)
        .where((versions.c.tenant_id == tenant_id) & (versions.c.version == version))
        .values(
            state="applied" if error is None else "failed",
            error=error,
            settled_at=time.time(),
        )
    )
    return row(connection, tenant_id, version)


def await_restart(
    connection: sa.Connection, tenant_id: str, version: int
) -> sa.Row[Any]:
    """Note that a version is in force but for its plugin set; it stays unsettled.

    Raises:
        NotFound: The tenant has no such version.
    """
    row(connection, tenant_id, version)
    said = "its plugin set takes effect when the server is started again"
    connection.execute(
        sa.update(versions)
        .where((versions.c.tenant_id == tenant_id) & (versions.c.version == version))
        .values(error=said)
    )
    return row(connection, tenant_id, version)
