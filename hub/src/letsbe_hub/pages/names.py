"""What ids stand for: pages name tenants and people as those know each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from letsbe_hub.storage.tables.people import people
from letsbe_hub.storage.tables.tenants import tenants

PERSONS = ("staff", "customer")


def tenant_names(connection: sa.Connection, ids: Iterable[str]) -> Mapping[str, str]:
    """Return the tenants' names, by their ids."""
    query = sa.select(tenants.c.id, tenants.c.name)
    rows = connection.execute(query.where(tenants.c.id.in_(sorted(set(ids)))))
    return {row.id: row.name for row in rows}


def actor_names(connection: sa.Connection, actors: Iterable[str]) -> Mapping[str, str]:
    """Return what to call each actor of a record (``customer:ID``, ``tenant:ID``)."""
    parts = {actor: actor.partition(":") for actor in set(actors)}
    ids = {id_ for kind, _, id_ in parts.values() if kind in PERSONS}
    query = sa.select(people.c.id, people.c.name).where(people.c.id.in_(sorted(ids)))
    names = {row.id: row.name for row in connection.execute(query)}
    called = {"tenant": "the server", "hub": "the Hub", "cli": "an operator"}
    found = {}
    for actor, (kind, _, id_) in parts.items():
        found[actor] = called.get(kind, actor)
        if kind in PERSONS:
            found[actor] = f"{names.get(id_, id_)} ({kind})"
    return found
