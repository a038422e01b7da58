"""Sessions: a token each, of which the hash is kept.

A token is replaced by a newer one now and then. The replaced one stays good for a
minute, for requests that are under way; if it comes later, somebody else has it, and
every session of that sign-in is ended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request

from letsbe_hub.accounts.people import end_sessions, tenants_of
from letsbe_hub.accounts.roles import ROLES
from letsbe_hub.api.principals import (
    Audience,
    Principal,
    TokenKind,
    bearer_hash,
    new_token,
    token_hash,
)
from letsbe_hub.errors import Unauthenticated
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.people import people, sessions

OVERLAP_SECONDS = 60.0
_TOUCH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Door:
    """What sessions of one kind of people are like.

    Args:
        kind: ``staff`` or ``customer``.
        audience: Whose part of the API they let into.
        token: What their tokens begin with.
        idle_seconds: After how long without use they end.
        longest_seconds: How long a sign-in lasts at most.
    """

    kind: str
    audience: Audience
    token: TokenKind
    idle_seconds: float
    longest_seconds: float


STAFF = Door("staff", Audience.ADMIN, TokenKind.STAFF_SESSION, 3600.0, 12 * 3600.0)
CUSTOMER = Door(
    "customer",
    Audience.CUSTOMER,
    TokenKind.CUSTOMER_SESSION,
    14 * 86_400.0,
    30 * 86_400.0,
)
DOORS = {door.kind: door for door in (STAFF, CUSTOMER)}


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened; its token is shown this once.

    Args:
        token: The token.
        expires_at: When it ends at the latest.
    """

    token: str
    expires_at: float


def open_session(
    connection: sa.Connection,
    person: sa.Row[Any],
    network: str | None,
    *,
    family: str | None = None,
    until: float | None = None,
) -> Opened:
    """Open a session.

    Args:
        connection: A write's.
        person: Whose.
        network: From where.
        family: The sign-in that it continues.
        until: When that one ends.
    """
    door, now = DOORS[person.kind], time.time()
    token = new_token(door.token)
    expires = until or now + door.longest_seconds
    connection.execute(
        sa.insert(sessions).values(
            token_hash=token_hash(token),
            family=family or new_id("fam"),
            person_id=person.id,
            created_at=now,
            used_at=now,
            expires_at=expires,
            address=network,
        )
    )
    return Opened(token, expires)


def rotate(connection: sa.Connection, request: Request, door: Door) -> Opened:
    """Replace a session's token by a new one."""
    row = _live(connection, bearer_hash(request, door.token), door)
    where = sessions.c.token_hash == row.token_hash
    connection.execute(sa.update(sessions).where(where).values(replaced_at=time.time()))
    person = connection.execute(
        sa.select(people).where(people.c.id == row.person_id)
    ).one()
    return open_session(
        connection, person, row.address, family=row.family, until=row.expires_at
    )


def end(connection: sa.Connection, request: Request, door: Door) -> None:
    """Sign out: end every session of this sign-in."""
    row = _live(connection, bearer_hash(request, door.token), door)
    end_sessions(connection, row.person_id, family=row.family)


class Sessions:
    """Lets people in by their sessions; an ``Authenticator`` of one audience.

    Args:
        store: The database.
        door: Of which kind of people.
        second_factor: Whether staff without a second factor may do nothing but get one.
    """

    def __init__(self, store: Store, door: Door, *, second_factor: bool) -> None:
        self._store = store
        self._door = door
        self._second_factor = second_factor and door.kind == "staff"

    async def __call__(self, request: Request) -> Principal:
        """Say whose session a request bears.

        Raises:
            Unauthenticated: None, one that has ended, or one of another kind.
        """
        hashed = bearer_hash(request, self._door.token)
        row = await self._store.read_async(lambda c: _known(c, hashed))
        if row is None or _stale(row, self._door):
            # Only now a write: it may have to end a whole family.
            row = await self._store.write_async(
                lambda c: _judged(c, hashed, self._door)
            )
            if row is None:
                raise Unauthenticated("the session has ended: sign in again")
        elif time.time() - row.used_at > _TOUCH_SECONDS:
            await self._store.write_async(lambda c: _touch(c, hashed))
        return await self._store.read_async(lambda c: self._principal(c, row))

    def _principal(self, connection: sa.Connection, row: sa.Row[Any]) -> Principal:
        permissions = ROLES.get(row.role, frozenset())
        if self._second_factor and not row.totp_confirmed:
            permissions = frozenset()
        tenants = None
        if self._door.kind == "customer":
            tenants = tenants_of(connection, row.person_id)
        return Principal(self._door.audience, row.person_id, permissions, tenants)


def _known(connection: sa.Connection, hashed: str) -> sa.Row[Any] | None:
    query = sa.select(
        sessions, people.c.role, people.c.kind, people.c.state, people.c.totp_confirmed
    ).join(people)
    return connection.execute(query.where(sessions.c.token_hash == hashed)).first()


def _stale(row: sa.Row[Any], door: Door) -> bool:
    now = time.time()
    return (
        row.kind != door.kind
        or row.state != "active"
        or row.revoked_at is not None
        or row.expires_at <= now
        or row.used_at + door.idle_seconds <= now
        or (row.replaced_at is not None and row.replaced_at + OVERLAP_SECONDS <= now)
    )


def _judged(connection: sa.Connection, hashed: str, door: Door) -> sa.Row[Any] | None:
    """Look again inside a write; a replaced token that comes late ends its family."""
    row = _known(connection, hashed)
    if row is None:
        return None
    if not _stale(row, door):
        return row
    if row.replaced_at is not None and row.revoked_at is None:
        end_sessions(connection, row.person_id, family=row.family)
        record(connection, "hub", "session.stolen", f"person:{row.person_id}")
    return None


def _live(connection: sa.Connection, hashed: str, door: Door) -> sa.Row[Any]:
    row = _judged(connection, hashed, door)
    if row is None:
        raise Unauthenticated("the session has ended: sign in again")
    return row


def _touch(connection: sa.Connection, hashed: str) -> None:
    connection.execute(
        sa.update(sessions)
        .where(sessions.c.token_hash == hashed)
        .values(used_at=time.time())
    )
