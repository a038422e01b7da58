"""Who calls: an audience each, whose tokens cannot stand in for one another's."""

from __future__ import annotations

import enum
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from letsbe_hub.errors import Forbidden, Unauthenticated


class Audience(enum.StrEnum):
    """Whom a part of the API is for, and the name of that part of the path."""

    TENANT = "tenant"
    """A tenant's server, by its key."""
    ADMIN = "admin"
    """Staff, by a session."""
    CUSTOMER = "customer"
    """A tenant's owner, by a session."""
    PUBLIC = "public"
    """Anyone."""
    WEBHOOKS = "webhooks"
    """Another system, by its signature, which the handler checks."""


class TokenKind(enum.StrEnum):
    """What a token begins with, so that a wrong one is known for what it is."""

    REGISTRATION = "lbr_"
    TENANT_KEY = "lbk_"
    STAFF_SESSION = "lbs_"
    CUSTOMER_SESSION = "lbc_"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever a request comes from, once that is proven.

    Args:
        audience: Which part of the API lets them in.
        id: The tenant's or the person's id.
        permissions: What staff may do: ``tenants.write``, ``approvals.decide``, ...
        tenants: The tenants that a customer, or a server, may see; None is all.
        credential: The hash of the token that they proved it with.
    """

    audience: Audience
    id: str
    permissions: frozenset[str] = frozenset()
    tenants: frozenset[str] | None = frozenset()
    credential: str = ""

    @property
    def actor(self) -> str:
        """How the record of acts names them."""
        return f"{_ACTORS.get(self.audience, self.audience.value)}:{self.id}"

    def require(self, permission: str) -> None:
        """Make sure that they may do something.

        Raises:
            Forbidden: They may not.
        """
        if permission not in self.permissions:
            raise Forbidden(f"this needs the permission {permission}")

    def may_see(self, tenant_id: str) -> bool:
        """Say whether a tenant is theirs to see."""
        return self.tenants is None or tenant_id in self.tenants


_ACTORS = {Audience.ADMIN: "staff"}


class Authenticator(Protocol):
    """Proves who sends a request of one audience."""

    async def __call__(self, request: Request) -> Principal:
        """Return who it is.

        Raises:
            Unauthenticated: The token is missing, or none of this audience's.
        """
        ...


Authenticators = Mapping[Audience, Authenticator]


def new_token(kind: TokenKind) -> str:
    """Make a token of 256 random bits. It is shown once; its hash is kept."""
    return kind.value + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is kept of a token: it is too random to be guessed from its hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def bearer_hash(request: Request, kind: TokenKind) -> str:
    """Return the hash of the token that a request bears.

    Raises:
        Unauthenticated: It bears none, or one of another kind.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("send `Authorization: Bearer TOKEN`")
    if not token.startswith(kind.value) or len(token) > 200:
        raise Unauthenticated("the bearer token is not one for this part of the API")
    return token_hash(token)
