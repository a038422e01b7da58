"""Which tenants a customer may see: given later than their account, and taken away.

A session looks at each request, so what is taken away is out of reach at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from letsbe_hub.accounts import people
from letsbe_hub.errors import InvalidRequest
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.tables.people import person_tenants
from letsbe_hub.tenants.registry import find


def give(connection: sa.Connection, person_id: str, tenant_id: str, actor: str) -> None:
    """Let a customer see a tenant; one that they see already stays theirs.

    Raises:
        NotFound: There is no such person or tenant.
        InvalidRequest: Staff see every tenant.
    """
    _customer(connection, person_id)
    find(connection, tenant_id)
    if tenant_id in people.tenants_of(connection, person_id):
        return
    row = {"person_id": person_id, "tenant_id": tenant_id}
    connection.execute(sa.insert(person_tenants).values(row))
    _record(connection, actor, "person.give_tenant", person_id, tenant_id)


def take(connection: sa.Connection, person_id: str, tenant_id: str, actor: str) -> None:
    """Let a customer no longer see a tenant; one that they do not see is no error.

    Raises:
        NotFound: There is no such person.
        InvalidRequest: Staff see every tenant.
    """
    _customer(connection, person_id)
    where = sa.and_(
        person_tenants.c.person_id == person_id,
        person_tenants.c.tenant_id == tenant_id,
    )
    if connection.execute(sa.delete(person_tenants).where(where)).rowcount:
        _record(connection, actor, "person.take_tenant", person_id, tenant_id)


def of_each(
    connection: sa.Connection, person_ids: Collection[str]
) -> Mapping[str, list[str]]:
    """Return the tenants that each of some people may see, sorted."""
    rows = connection.execute(
        sa.select(person_tenants)
        .where(person_tenants.c.person_id.in_(sorted(person_ids)))
        .order_by(person_tenants.c.tenant_id)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.person_id].append(row.tenant_id)
    return found


def _customer(connection: sa.Connection, person_id: str) -> None:
    if people.find(connection, person_id).kind != "customer":
        raise InvalidRequest("staff see every tenant: none is given or taken away")


def _record(
    connection: sa.Connection, actor: str, act: str, person_id: str, tenant_id: str
) -> None:
    record(connection, actor, act, f"person:{person_id}", {"tenant": tenant_id})
