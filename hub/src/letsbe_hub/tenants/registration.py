"""How a server becomes a tenant's: a token, used once, for a key.

The token is bound to an order, expires, and is used up by the first server that brings
it. That very server may bring it again as long as it has not used its key: an answer
that was lost on the way must not lose the server.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.api.principals import TokenKind, new_token, token_hash
from letsbe_hub.errors import Conflict, NotFound, TokenSpent, Unauthenticated
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.tenants import (
    registration_tokens,
    server_connections,
    tenant_keys,
    tenants,
)
from letsbe_hub.tenants.keys import add_key

_MOST_REPEATS = 600.0
"""Seconds after a token's first use in which its server may bring it again."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself when it registers.

    Args:
        order_id: The order that it was built for.
        server_id: Made up by the server, kept over restarts.
        safety_wrapper_url: Where its Safety Wrapper listens, as it sees it.
        wrapper_version: Of ``letsbe-core``.
        openclaw_version: Of the agent runtime.
    """

    order_id: str
    server_id: str
    safety_wrapper_url: str | None = None
    wrapper_version: str | None = None
    openclaw_version: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What a server gets.

    Args:
        tenant_id: Whose server it is now.
        key: Its API key, kept nowhere else.
    """

    tenant_id: str
    key: str


def issue_token(
    connection: sa.Connection, tenant_id: str, minutes: float, actor: str
) -> tuple[str, float]:
    """Make a registration token; the tenant's earlier ones are revoked.

    Returns:
        The token, which is not kept anywhere, and when it expires.

    Raises:
        NotFound: There is no such tenant.
        Conflict: The tenant is closed.
    """
    query = sa.select(tenants.c.state).where(tenants.c.id == tenant_id)
    state = connection.scalar(query.with_for_update())
    if state is None:
        raise NotFound("there is no tenant of this id: list them to see the ids")
    if state == "closed":
        raise Conflict("the tenant is closed")
    token, now = new_token(TokenKind.REGISTRATION), time.time()
    _revoke_tokens(connection, tenant_id, now)
    expires_at = now + minutes * 60
    connection.execute(
        sa.insert(registration_tokens).values(
            id=new_id("reg"),
            tenant_id=tenant_id,
            token_hash=token_hash(token),
            created_by=actor,
            created_at=now,
            expires_at=expires_at,
        )
    )
    record(connection, actor, "token.issue", f"tenant:{tenant_id}")
    return token, expires_at


def register(connection: sa.Connection, hashed: str, server: Server) -> Registered:
    """Make a server the tenant's.

    Args:
        connection: Inside a write.
        hashed: The hash of the registration token.
        server: What it says of itself.

    Raises:
        Unauthenticated: The token is none of ours, or not this order's.
        TokenSpent: The token was used by another server, revoked, or has expired.
        Conflict: The tenant is suspended or closed.
    """
    found = connection.execute(
        sa.select(registration_tokens, tenants.c.order_id, tenants.c.state)
        .join(tenants)
        .where(registration_tokens.c.token_hash == hashed)
        .with_for_update()
    ).first()
    if found is None or found.order_id != server.order_id:
        # One answer for both: who has a token must not learn of other orders.
        raise Unauthenticated("the registration token is not known for this order")
    if found.state in ("suspended", "closed"):
        raise Conflict(f"the tenant is {found.state}: ask the operator")
    now = time.time()
    _check(connection, found, server, now)
    connection.execute(
        sa.update(registration_tokens)
        .where(registration_tokens.c.id == found.id)
        .values(used_at=found.used_at or now, used_by=server.server_id)
    )
    key = add_key(connection, found.tenant_id, kept=None)
    _put_server(connection, found.tenant_id, server, now)
    record(
        connection,
        f"tenant:{found.tenant_id}",
        "tenant.register",
        f"tenant:{found.tenant_id}",
        {"server_id": server.server_id},
    )
    return Registered(found.tenant_id, key)


def _check(
    connection: sa.Connection, token: sa.Row[Any], server: Server, now: float
) -> None:
    spent = "ask the operator for a new one: `letsbe-hub token issue`"
    if token.revoked_at is not None:
        raise TokenSpent(f"the registration token was revoked; {spent}")
    if token.used_at is None:
        if token.expires_at <= now:
            raise TokenSpent(f"the registration token has expired; {spent}")
        return
    repeats = token.used_by == server.server_id and now - token.used_at < _MOST_REPEATS
    used = connection.scalar(
        sa.select(sa.func.count())
        .select_from(tenant_keys)
        .where(
            (tenant_keys.c.tenant_id == token.tenant_id)
            & (tenant_keys.c.created_at >= token.used_at)
            & tenant_keys.c.confirmed_at.is_not(None)
        )
    )
    if not repeats or used:
        raise TokenSpent(f"the registration token was used already; {spent}")


def _put_server(
    connection: sa.Connection, tenant_id: str, server: Server, now: float
) -> None:
    connection.execute(
        sa.delete(server_connections).where(server_connections.c.tenant_id == tenant_id)
    )
    connection.execute(
        sa.insert(server_connections).values(
            tenant_id=tenant_id,
            server_id=server.server_id,
            safety_wrapper_url=server.safety_wrapper_url,
            wrapper_version=server.wrapper_version,
            openclaw_version=server.openclaw_version,
            reported_status="operational",
            registered_at=now,
            last_seen_at=now,
            status="provisioning",
            status_since=now,
        )
    )
    connection.execute(
        sa.update(tenants)
        .where((tenants.c.id == tenant_id) & (tenants.c.state == "provisioning"))
        .values(state="active", updated_at=now)
    )


def _revoke_tokens(connection: sa.Connection, tenant_id: str, now: float) -> None:
    connection.execute(
        sa.update(registration_tokens)
        .where(
            (registration_tokens.c.tenant_id == tenant_id)
            & registration_tokens.c.used_at.is_(None)
            & registration_tokens.c.revoked_at.is_(None)
        )
        .values(revoked_at=now)
    )
