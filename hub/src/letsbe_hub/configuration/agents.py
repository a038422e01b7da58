"""Agents one by one: made, read, changed and removed, each with a revision.

Whoever changes one names the revision that they saw, so that two people do not undo
each other's work unseen. Each change makes a new version of the whole configuration.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from letsbe.hub_client.documents import AgentConfiguration, Document, merged
from letsbe_hub.configuration import versions
from letsbe_hub.errors import Conflict, NotFound, StaleRevision
from letsbe_hub.storage.tables.configuration import agent_configs as agents


def create(
    connection: sa.Connection,
    tenant_id: str,
    agent_id: str,
    settings: AgentConfiguration,
    actor: str,
) -> sa.Row[Any]:
    """Make an agent.

    Raises:
        NotFound: There is no such tenant.
        Conflict: The tenant has an agent of this id.
        InvalidRequest: The id cannot be an agent's.
    """
    versions.lock(connection, tenant_id)
    if _find(connection, tenant_id, agent_id) is not None:
        raise Conflict("the tenant has an agent of this id: change that one")
    _stage(connection, tenant_id, agent_id, settings, actor, f"agent {agent_id} made")
    return get(connection, tenant_id, agent_id)


def get(connection: sa.Connection, tenant_id: str, agent_id: str) -> sa.Row[Any]:
    """Return an agent.

    Raises:
        NotFound: The tenant has none of this id.
    """
    found = _find(connection, tenant_id, agent_id)
    if found is None:
        raise NotFound("the tenant has no agent of this id")
    return found


def listing(connection: sa.Connection, tenant_id: str) -> Sequence[sa.Row[Any]]:
    """Return a tenant's agents by their ids."""
    query = sa.select(agents).where(agents.c.tenant_id == tenant_id)
    return connection.execute(query.order_by(agents.c.agent_id)).all()


def update(
    connection: sa.Connection,
    tenant_id: str,
    agent_id: str,
    settings: AgentConfiguration,
    revision: int,
    actor: str,
) -> sa.Row[Any]:
    """Put settings in place of an agent's.

    Raises:
        NotFound: There is no such tenant or agent.
        StaleRevision: It was changed since that revision.
    """
    versions.lock(connection, tenant_id)
    _check(get(connection, tenant_id, agent_id), revision)
    note = f"agent {agent_id} changed"
    _stage(connection, tenant_id, agent_id, settings, actor, note)
    return get(connection, tenant_id, agent_id)


def delete(
    connection: sa.Connection, tenant_id: str, agent_id: str, revision: int, actor: str
) -> None:
    """Remove an agent.

    Raises:
        NotFound: There is no such tenant or agent.
        StaleRevision: It was changed since that revision.
    """
    versions.lock(connection, tenant_id)
    _check(get(connection, tenant_id, agent_id), revision)
    note = f"agent {agent_id} removed"
    _stage(connection, tenant_id, agent_id, None, actor, note)


def follow(
    connection: sa.Connection, tenant_id: str, document: Document, actor: str
) -> None:
    """Make the agents' rows what a new version says, each change a revision more."""
    wanted: dict[str, Document] = document.get("agents", {})
    for known in listing(connection, tenant_id):
        if known.agent_id not in wanted:
            _where = _key(tenant_id, known.agent_id)
            connection.execute(sa.delete(agents).where(_where))
        elif known.settings != wanted[known.agent_id]:
            _put(connection, known, wanted[known.agent_id], actor)
    present = {known.agent_id for known in listing(connection, tenant_id)}
    for agent_id in sorted(wanted.keys() - present):
        connection.execute(
            sa.insert(agents).values(
                tenant_id=tenant_id,
                agent_id=agent_id,
                revision=1,
                settings=wanted[agent_id],
                updated_at=time.time(),
                updated_by=actor,
            )
        )


def _stage(
    connection: sa.Connection,
    tenant_id: str,
    agent_id: str,
    settings: AgentConfiguration | None,
    actor: str,
    note: str,
) -> None:
    _, document = versions.newest(connection, tenant_id)
    others = {k: v for k, v in document.get("agents", {}).items() if k != agent_id}
    if settings is not None:
        others[agent_id] = settings.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
    whole = merged(document, {}) | {"agents": others}
    versions.add(connection, tenant_id, whole, actor=actor, note=note)
    follow(connection, tenant_id, whole, actor)


def _put(
    connection: sa.Connection, known: sa.Row[Any], settings: Document, actor: str
) -> None:
    connection.execute(
        sa.update(agents)
        .where(_key(known.tenant_id, known.agent_id))
        .values(
            settings=settings,
            revision=known.revision + 1,
            updated_at=time.time(),
            updated_by=actor,
        )
    )


def _find(
    connection: sa.Connection, tenant_id: str, agent_id: str
) -> sa.Row[Any] | None:
    query = sa.select(agents).where(_key(tenant_id, agent_id))
    return connection.execute(query).first()


def _key(tenant_id: str, agent_id: str) -> sa.ColumnElement[bool]:
    return (agents.c.tenant_id == tenant_id) & (agents.c.agent_id == agent_id)


def _check(known: sa.Row[Any], revision: int) -> None:
    if known.revision != revision:
        raise StaleRevision(
            f"the agent is at revision {known.revision} now: look at it again"
        )
