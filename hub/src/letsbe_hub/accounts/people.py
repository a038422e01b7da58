"""People as the Hub knows them: made, found, changed, disabled."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe.errors import FieldError
from letsbe_hub.accounts.roles import ROLES, kind_of
from letsbe_hub.errors import Conflict, InvalidRequest, NotFound
from letsbe_hub.notifications.preferences import add_address
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.people import people, person_tenants, sessions

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,189}")


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be made.

    Args:
        email: By which they sign in; the same address may be staff and customer.
        name: What to call them.
        role: One of :data:`letsbe_hub.accounts.roles.ROLES`.
        password_hash: Of their password; without one they set it by e-mail.
        tenants: A customer's tenants.
    """

    email: str
    name: str
    role: str
    password_hash: str | None = None
    tenants: tuple[str, ...] = ()


def normal(email: str) -> str:
    """Return an address as it is compared.

    Raises:
        InvalidRequest: It is none.
    """
    found = email.strip().lower()
    if not _EMAIL.fullmatch(found):
        details = (FieldError("email", "must be an e-mail address"),)
        raise InvalidRequest("email: must be an e-mail address", details=details)
    return found


def create(connection: sa.Connection, new: NewPerson, actor: str) -> str:
    """Make a person.

    Returns:
        Their id.

    Raises:
        Conflict: There is one of that kind and address.
        InvalidRequest: The role is none, or staff were given tenants.
    """
    if new.role not in ROLES:
        raise InvalidRequest(f"role: one of {', '.join(ROLES)}")
    kind, email = kind_of(new.role), normal(new.email)
    if kind == "staff" and new.tenants:
        raise InvalidRequest("tenants: staff see every tenant")
    if find_by_email(connection, kind, email) is not None:
        raise Conflict(f"there is a {kind} of this address already")
    id_, now = new_id("psn"), time.time()
    connection.execute(
        sa.insert(people).values(
            id=id_,
            kind=kind,
            email=email,
            name=new.name,
            role=new.role,
            password_hash=new.password_hash,
            state="active",
            created_at=now,
        )
    )
    give_tenants(connection, id_, new.tenants)
    add_address(connection, id_, "email", email, "sign-in")
    detail = {"role": new.role, "tenants": list(new.tenants)}
    record(connection, actor, "person.create", f"person:{id_}", detail)
    return id_


def give_tenants(
    connection: sa.Connection, person_id: str, tenants: Sequence[str]
) -> None:
    """Say which tenants a customer may see."""
    where = person_tenants.c.person_id == person_id
    connection.execute(sa.delete(person_tenants).where(where))
    rows = [{"person_id": person_id, "tenant_id": t} for t in sorted(set(tenants))]
    if rows:
        connection.execute(sa.insert(person_tenants), rows)


def find_by_email(
    connection: sa.Connection, kind: str, email: str
) -> sa.Row[Any] | None:
    """Find a person by what they sign in with."""
    query = sa.select(people).where(people.c.kind == kind, people.c.email == email)
    return connection.execute(query).first()


def find(connection: sa.Connection, person_id: str) -> sa.Row[Any]:
    """Find a person.

    Raises:
        NotFound: There is none of that id.
    """
    query = sa.select(people).where(people.c.id == person_id)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("there is no person of this id")
    return found


def tenants_of(connection: sa.Connection, person_id: str) -> frozenset[str]:
    """Return the tenants that a customer may see."""
    query = sa.select(person_tenants.c.tenant_id).where(
        person_tenants.c.person_id == person_id
    )
    return frozenset(connection.scalars(query))


def people_of(connection: sa.Connection, tenant_id: str) -> Sequence[sa.Row[Any]]:
    """Return the customers who may see a tenant, by their names."""
    query = sa.select(people).join(person_tenants)
    found = query.where(person_tenants.c.tenant_id == tenant_id)
    return connection.execute(found.order_by(people.c.name, people.c.id)).all()


def listing(kind: str | None = None) -> sa.Select[Any]:
    """Make the query for people, to be ordered and paged."""
    query = sa.select(people)
    return query if kind is None else query.where(people.c.kind == kind)


ORDER: Sequence[sa.ColumnElement[Any]] = (people.c.created_at, people.c.id)


def set_state(
    connection: sa.Connection, person_id: str, state: str, actor: str
) -> None:
    """Disable a person, which ends their sessions, or let them in again.

    Raises:
        NotFound: There is none of that id.
        Conflict: Nobody would be left who may let people in.
    """
    found = find(connection, person_id)
    if state == "disabled" and found.role == "admin":
        others = connection.scalar(
            sa.select(sa.func.count())
            .select_from(people)
            .where(
                people.c.role == "admin",
                people.c.state == "active",
                people.c.id != person_id,
            )
        )
        if not others:
            raise Conflict("this is the last admin: make another one first")
    connection.execute(
        sa.update(people).where(people.c.id == person_id).values(state=state)
    )
    if state == "disabled":
        end_sessions(connection, person_id)
    record(connection, actor, f"person.{state}", f"person:{person_id}")


def set_password(
    connection: sa.Connection, person_id: str, hashed: str, actor: str
) -> None:
    """Change a password and end every session."""
    connection.execute(
        sa.update(people).where(people.c.id == person_id).values(password_hash=hashed)
    )
    end_sessions(connection, person_id)
    record(connection, actor, "person.password", f"person:{person_id}")


def end_sessions(
    connection: sa.Connection, person_id: str, *, family: str | None = None
) -> None:
    """End a person's sessions: all of them, or those of one sign-in."""
    where = sa.and_(sessions.c.person_id == person_id, sessions.c.revoked_at.is_(None))
    if family is not None:
        where = sa.and_(where, sessions.c.family == family)
    connection.execute(sa.update(sessions).where(where).values(revoked_at=time.time()))


def end_all_sessions(connection: sa.Connection, person_id: str, actor: str) -> None:
    """End every session of a person, as they asked."""
    end_sessions(connection, person_id)
    record(connection, actor, "session.end_all", f"person:{person_id}")
