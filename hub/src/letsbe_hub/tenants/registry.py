"""Tenants as the Hub's operators see them: made, listed, shown, suspended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.errors import Conflict, InvalidRequest, NotFound
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.tenants import server_connections, tenants

PLANS = ("lite", "build", "scale", "enterprise")
COHORTS = ("sandbox", "canary", "general")


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant to be made.

    Args:
        name: The business's name.
        order_id: The order that it comes from; one order makes one tenant.
        plan: One of :data:`PLANS`.
        cohort: One of :data:`COHORTS`, by which roll-outs go.
    """

    name: str
    order_id: str
    plan: str
    cohort: str = "general"


def create(connection: sa.Connection, new: NewTenant, actor: str) -> str:
    """Make a tenant, or find the one that the same order has already made.

    Returns:
        Its id.

    Raises:
        Conflict: The order has made a tenant that is not the same.
        InvalidRequest: The plan or cohort is none.
    """
    if new.plan not in PLANS or new.cohort not in COHORTS:
        message = (
            f"the plan is one of {', '.join(PLANS)}; the cohort one of"
            f" {', '.join(COHORTS)}"
        )
        raise InvalidRequest(message)
    found = _of_order(connection, new.order_id)
    if found is not None:
        if (found.name, found.plan) != (new.name, new.plan):
            raise Conflict("this order has another tenant already")
        return str(found.id)
    tenant_id, now = new_id("ten"), time.time()
    connection.execute(
        sa.insert(tenants).values(
            id=tenant_id,
            name=new.name,
            order_id=new.order_id,
            plan=new.plan,
            cohort=new.cohort,
            state="provisioning",
            created_at=now,
            updated_at=now,
        )
    )
    record(connection, actor, "tenant.create", f"tenant:{tenant_id}")
    return tenant_id


def find(connection: sa.Connection, tenant_id: str) -> sa.Row[Any]:
    """Return a tenant with what is known of its server.

    Raises:
        NotFound: There is none of that id.
    """
    found = connection.execute(_whole().where(tenants.c.id == tenant_id)).first()
    if found is None:
        raise NotFound("there is no tenant of this id: list them to see the ids")
    return found


def listing(state: str | None = None, cohort: str | None = None) -> sa.Select[Any]:
    """Make the query for tenants with their servers, to be ordered and paged."""
    query = _whole()
    if state is not None:
        query = query.where(tenants.c.state == state)
    if cohort is not None:
        query = query.where(tenants.c.cohort == cohort)
    return query


ORDER: Sequence[sa.ColumnElement[Any]] = (tenants.c.created_at, tenants.c.id)


def suspend(connection: sa.Connection, tenant_id: str, reason: str, actor: str) -> None:
    """Suspend a tenant: its server is refused, and its data stays.

    Raises:
        NotFound: There is none of that id.
        Conflict: It is closed.
    """
    found = _locked(connection, tenant_id)
    if found.state == "closed":
        raise Conflict("the tenant is closed")
    _set(connection, tenant_id, state="suspended", suspended_reason=reason)
    record(
        connection, actor, "tenant.suspend", f"tenant:{tenant_id}", {"reason": reason}
    )


def resume(connection: sa.Connection, tenant_id: str, actor: str) -> None:
    """End a tenant's suspension.

    Raises:
        NotFound: There is none of that id.
        Conflict: It is not suspended.
    """
    found = _locked(connection, tenant_id)
    if found.state != "suspended":
        raise Conflict(f"the tenant is {found.state}, not suspended")
    registered = connection.scalar(
        sa.select(sa.func.count())
        .select_from(server_connections)
        .where(server_connections.c.tenant_id == tenant_id)
    )
    state = "active" if registered else "provisioning"
    _set(connection, tenant_id, state=state, suspended_reason=None)
    record(connection, actor, "tenant.resume", f"tenant:{tenant_id}")


def _whole() -> sa.Select[Any]:
    servers = [c for c in server_connections.c if c.name != "tenant_id"]
    # What both have is the server's where it has a name of its own.
    named = [
        c.label(f"applied_{c.name}") if c.name in tenants.c else c for c in servers
    ]
    return sa.select(tenants, *named).outerjoin(server_connections)


def _of_order(connection: sa.Connection, order_id: str) -> sa.Row[Any] | None:
    query = sa.select(tenants).where(tenants.c.order_id == order_id)
    return connection.execute(query).first()


def _locked(connection: sa.Connection, tenant_id: str) -> sa.Row[Any]:
    query = sa.select(tenants).where(tenants.c.id == tenant_id).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("there is no tenant of this id: list them to see the ids")
    return found


def _set(connection: sa.Connection, tenant_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    connection.execute(
        sa.update(tenants)
        .where(tenants.c.id == tenant_id)
        .values(updated_at=time.time(), **values)
    )
