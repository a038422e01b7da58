"""Whom a notice reaches: people, their addresses, and what they chose."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.errors import NotFound
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.notices import notice_addresses as addresses
from letsbe_hub.storage.tables.notices import notice_preferences as preferences
from letsbe_hub.storage.tables.people import people, person_tenants

CATEGORIES = ("approval", "usage", "billing", "operations", "account")
ALWAYS = {"account": "email"}
"""What nobody can turn off: notices about an account go to its e-mail address."""
SECRET = frozenset({"account"})
"""Notices with one-time links go by e-mail alone."""
_STAFF_ROLES = {"operations": ("admin", "billing"), "billing": ("admin", "billing")}


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a notice is for.

    Args:
        tenant_id: A tenant's people.
        person_id: One person.
        staff: Staff.
    """

    tenant_id: str | None = None
    person_id: str | None = None
    staff: bool = False


def recipients(
    connection: sa.Connection, audience: Audience, category: str
) -> list[sa.Row[Any]]:
    """Return the addresses that a notice is to be sent to."""
    found: list[sa.Row[Any]] = []
    whom = _people(audience, category)
    if whom is None:
        return []
    query = (
        sa.select(addresses, preferences.c.wanted)
        .join(people, people.c.id == addresses.c.person_id)
        .outerjoin(
            preferences,
            sa.and_(
                preferences.c.person_id == addresses.c.person_id,
                preferences.c.channel == addresses.c.channel,
                preferences.c.category == category,
            ),
        )
        .where(whom, people.c.state == "active", addresses.c.gone_at.is_(None))
        .order_by(addresses.c.added_at, addresses.c.id)
    )
    for row in connection.execute(query):
        if category in SECRET:
            if row.channel == ALWAYS[category]:
                found.append(row)
        elif row.wanted is not False:
            found.append(row)
    return found


def add_address(
    connection: sa.Connection,
    person_id: str,
    channel: str,
    address: str,
    label: str | None = None,
) -> str:
    """Add an address that its channel has checked; one that is there comes back."""
    where = sa.and_(
        addresses.c.person_id == person_id,
        addresses.c.channel == channel,
        addresses.c.address == address,
    )
    known = connection.scalar(sa.select(addresses.c.id).where(where))
    if known is not None:
        connection.execute(sa.update(addresses).where(where).values(gone_at=None))
        return str(known)
    id_ = new_id("adr")
    connection.execute(
        sa.insert(addresses).values(
            id=id_,
            person_id=person_id,
            channel=channel,
            address=address,
            label=label,
            added_at=time.time(),
        )
    )
    return id_


def remove_address(connection: sa.Connection, person_id: str, id_: str) -> None:
    """Take an address away.

    Raises:
        NotFound: The person has none of that id.
    """
    where = sa.and_(addresses.c.id == id_, addresses.c.person_id == person_id)
    if connection.execute(sa.delete(addresses).where(where)).rowcount == 0:
        raise NotFound("there is no address of this id")


def listed(connection: sa.Connection, person_id: str) -> list[sa.Row[Any]]:
    """Return a person's addresses, the dead ones too."""
    query = sa.select(addresses).where(addresses.c.person_id == person_id)
    return list(connection.execute(query.order_by(addresses.c.added_at)))


def chosen(connection: sa.Connection, person_id: str) -> dict[str, dict[str, bool]]:
    """Return what a person chose: for each category, by channel."""
    rows = connection.execute(
        sa.select(preferences).where(preferences.c.person_id == person_id)
    )
    found: dict[str, dict[str, bool]] = {category: {} for category in CATEGORIES}
    for row in rows:
        found[row.category][row.channel] = row.wanted
    return found


def choose(
    connection: sa.Connection,
    person_id: str,
    wanted: Mapping[str, Mapping[str, bool]],
    actor: str,
) -> None:
    """Replace what a person chose."""
    connection.execute(
        sa.delete(preferences).where(preferences.c.person_id == person_id)
    )
    rows = [
        {
            "person_id": person_id,
            "category": category,
            "channel": channel,
            "wanted": value,
        }
        for category, channels in wanted.items()
        for channel, value in channels.items()
    ]
    if rows:
        connection.execute(sa.insert(preferences), rows)
    record(connection, actor, "notices.choose", f"person:{person_id}")


def _people(audience: Audience, category: str) -> sa.ColumnElement[bool] | None:
    found: list[sa.ColumnElement[bool]] = []
    if audience.person_id is not None:
        found.append(people.c.id == audience.person_id)
    if audience.tenant_id is not None:
        theirs = sa.exists().where(
            person_tenants.c.person_id == people.c.id,
            person_tenants.c.tenant_id == audience.tenant_id,
        )
        found.append(sa.and_(people.c.kind == "customer", theirs))
    if audience.staff:
        roles = _STAFF_ROLES.get(category, ("admin",))
        found.append(sa.and_(people.c.kind == "staff", people.c.role.in_(roles)))
    return sa.or_(*found) if found else None
