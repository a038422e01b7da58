"""The keys of tenants' servers: kept as hashes, looked up many at a time, rotated.

A new key is given out while the old one stays good, and only its first use sets the
old one's end. So a server that never got the answer still has a key that works.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request

from letsbe_hub.api.principals import (
    Audience,
    Principal,
    TokenKind,
    bearer_hash,
    new_token,
    token_hash,
)
from letsbe_hub.errors import LetsBeError, TenantSuspended, Unauthenticated
from letsbe_hub.storage.group_commit import GroupCommit
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.tenants import tenant_keys, tenants
from letsbe_hub.storage.texts import json_of, rows_of

MOST_SEEN = 50_000
"""Keys whose tenants are remembered."""

SHUT_OUT = ("suspended", "closed")
"""States of tenants whose servers are not let in."""

OVERLAP_SECONDS = 3600.0
"""How long an old key stays good once the new one has been used."""


_GOOD = """
k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > {now})
"""
_SQLITE_FIND = f"""
SELECT json_group_array(json_array(k.key_hash, k.tenant_id, t.state,
    k.confirmed_at IS NOT NULL))
FROM json_each(?) w CROSS JOIN tenant_keys k ON k.key_hash = w.value
JOIN tenants t ON t.id = k.tenant_id WHERE {_GOOD.format(now="?")}
"""  # noqa: S608 - constants
_POSTGRESQL_FIND = f"""
SELECT k.key_hash, k.tenant_id, t.state, k.confirmed_at IS NOT NULL
FROM tenant_keys k JOIN tenants t ON t.id = k.tenant_id
WHERE k.key_hash = ANY(%s) AND {_GOOD.format(now="%s")}
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Known:
    """A key as the database has it.

    Args:
        tenant_id: Whose it is.
        state: The tenant's state.
        confirmed: Whether it has been used before.
    """

    tenant_id: str
    state: str
    confirmed: bool


class KeyRing:
    """Proves which tenant's server sends a request.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lookups = GroupCommit([store.read], _find, "letsbe-keys")
        self._seen: dict[str, str] = {}

    def recall(self) -> None:
        """Remember the tenants of the keys in use, so that thousands of servers that
        come back to a Hub that was started again need not each be looked up.

        Raises:
            StorageUnavailable: The database cannot be used now.
        """
        self._seen.update(self._store.read(_in_use))

    async def authenticate(self, request: Request) -> Principal:
        """Say whose key a request bears.

        Raises:
            Unauthenticated: It bears none, or none that is good now.
            TenantSuspended: The tenant is suspended or closed.
        """
        found = bearer_hash(request, TokenKind.TENANT_KEY)
        known = await self._lookups.submit(found)
        if not known.confirmed:
            await self._store.write_async(lambda c: _confirm(c, known.tenant_id, found))
        if known.state in SHUT_OUT:
            raise TenantSuspended(f"the tenant is {known.state}: ask the operator")
        self._seen[found] = known.tenant_id
        if len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return _principal(known.tenant_id, found)

    async def claimed(self, request: Request) -> Principal:
        """Say whose key a request bears, if it was good once.

        A key's tenant never changes; whether it is good now is for the transaction to
        check that the request is stored by: no look-up of its own is needed for that.

        Raises:
            Unauthenticated: As :meth:`authenticate`.
            TenantSuspended: As :meth:`authenticate`.
        """
        found = bearer_hash(request, TokenKind.TENANT_KEY)
        tenant = self._seen.get(found)
        if tenant is None:
            return await self.authenticate(request)
        return _principal(tenant, found)

    async def refusal(self, request: Request) -> LetsBeError:
        """Say why a transaction that checks the key did not find it good."""
        try:
            await self.authenticate(request)
        except LetsBeError as error:
            return error
        return Unauthenticated("the bearer token was not good a moment ago: try again")

    def close(self) -> None:
        """Stop looking up."""
        self._lookups.close()


def _principal(tenant: str, credential: str) -> Principal:
    theirs = frozenset({tenant})
    return Principal(Audience.TENANT, tenant, tenants=theirs, credential=credential)


def good(connection: sa.Connection, hashes: Collection[str]) -> dict[str, str]:
    """Return the tenants of those keys that are good now, inside a transaction."""
    found = zip(hashes, _find(connection, list(hashes)), strict=True)
    return {
        each: known.tenant_id
        for each, known in found
        if isinstance(known, Known) and known.state not in SHUT_OUT
    }


def add_key(connection: sa.Connection, tenant_id: str, *, kept: str | None) -> str:
    """Give a tenant a new key; of its others, only one stays good.

    Args:
        connection: Inside a write.
        tenant_id: Whose.
        kept: The hash of the key that stays until the new one is used.

    Returns:
        The key, which is not kept anywhere.
    """
    key, now = new_token(TokenKind.TENANT_KEY), time.time()
    others = (tenant_keys.c.tenant_id == tenant_id) & tenant_keys.c.revoked_at.is_(None)
    if kept is not None:
        others &= tenant_keys.c.key_hash != kept
    connection.execute(sa.update(tenant_keys).where(others).values(revoked_at=now))
    connection.execute(
        sa.insert(tenant_keys).values(
            key_hash=token_hash(key), tenant_id=tenant_id, created_at=now
        )
    )
    return key


def _find(
    connection: sa.Connection, hashes: Sequence[str]
) -> Sequence[Known | LetsBeError]:
    cursor: Any = connection.connection.cursor()
    now = time.time()
    if connection.dialect.name == "sqlite":
        cursor.execute(_SQLITE_FIND, (json_of(hashes), now))
        rows = rows_of(cursor.fetchone()[0])
    else:
        cursor.execute(_POSTGRESQL_FIND, (list(hashes), now))
        rows = cursor.fetchall()
    found = {
        each: Known(tenant, state, bool(used)) for each, tenant, state, used in rows
    }
    message = "the bearer token is not known, was revoked or has expired"
    return [found.get(each) or Unauthenticated(message) for each in hashes]


def _in_use(connection: sa.Connection) -> dict[str, str]:
    query = (
        sa.select(tenant_keys.c.key_hash, tenant_keys.c.tenant_id)
        .join(tenants)
        .where(
            tenant_keys.c.revoked_at.is_(None),
            tenant_keys.c.expires_at.is_(None),
            tenant_keys.c.confirmed_at.is_not(None),
            tenants.c.state.not_in(SHUT_OUT),
        )
        .order_by(tenant_keys.c.confirmed_at.desc())
        .limit(MOST_SEEN)
    )
    return {row.key_hash: row.tenant_id for row in connection.execute(query)}


def _confirm(connection: sa.Connection, tenant_id: str, used: str) -> None:
    now = time.time()
    connection.execute(
        sa.update(tenant_keys)
        .where(tenant_keys.c.key_hash == used)
        .values(confirmed_at=now)
    )
    connection.execute(
        sa.update(tenant_keys)
        .where(
            (tenant_keys.c.tenant_id == tenant_id)
            & (tenant_keys.c.key_hash != used)
            & tenant_keys.c.confirmed_at.is_not(None)
            & tenant_keys.c.expires_at.is_(None)
        )
        .values(expires_at=now + OVERLAP_SECONDS)
    )
