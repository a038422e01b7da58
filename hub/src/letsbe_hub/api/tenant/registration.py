"""How a server comes in: registration, and new keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from letsbe_hub.api.bodies import Body, Identifier, Line, Nothing, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience, TokenKind, bearer_hash
from letsbe_hub.tenants.keys import OVERLAP_SECONDS, add_key
from letsbe_hub.tenants.registration import Server
from letsbe_hub.tenants.registration import register as register_server

Url = Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s]+$")]


class RegisterBody(Body):
    """What a server says of itself."""

    order_id: Identifier
    """The order that the token is bound to."""
    server_id: Identifier
    """An id that the server made up and keeps."""
    safety_wrapper_url: Url | None = None
    """Where its Safety Wrapper listens, as it sees it."""
    wrapper_version: Line | None = None
    """The version of `letsbe-core`."""
    openclaw_version: Line | None = None
    """The version of the agent runtime."""


class RegisteredView(View):
    """What a server gets; the key is shown this once."""

    tenant_id: str
    """The tenant that it is the server of."""
    api_key: str
    """For every later request, as a bearer token."""
    heartbeat_seconds: float
    """Seconds until the first heartbeat is due."""


class RotatedView(View):
    """A new key; it is shown this once."""

    api_key: str
    """The new key. The old one is good until the new one has been used, and then for
    as long as `overlapSeconds` says."""
    overlap_seconds: float
    """Seconds that the old key lives on after the new one's first use."""


async def register(exchange: Exchange) -> Reply:
    """Register a server."""
    hashed = bearer_hash(exchange.request, TokenKind.REGISTRATION)
    body = await exchange.body(RegisterBody)
    server = Server(**body.model_dump())
    done = await exchange.hub.store.write_async(
        lambda connection: register_server(connection, hashed, server)
    )
    seconds = exchange.hub.settings.tenants.heartbeat_seconds
    view = RegisteredView(
        tenant_id=done.tenant_id, api_key=done.key, heartbeat_seconds=seconds
    )
    return Reply(view, status=201)


async def rotate_key(exchange: Exchange) -> Reply:
    """Give a server a new key."""
    await exchange.body(Nothing)
    kept = bearer_hash(exchange.request, TokenKind.TENANT_KEY)
    tenant = exchange.caller.id
    key = await exchange.hub.store.write_async(
        lambda connection: add_key(connection, tenant, kept=kept)
    )
    return Reply(RotatedView(api_key=key, overlap_seconds=OVERLAP_SECONDS), status=201)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/tenant/register",
        register,
        Audience.PUBLIC,
        "Register a server with its one-time token",
        body=RegisterBody,
        answer=RegisteredView,
        shown_once=True,
        token="registrationToken",  # noqa: S106 - the name of a kind of token
    ),
    Endpoint(
        "POST",
        "/api/v1/tenant/rotate-key",
        rotate_key,
        Audience.TENANT,
        "Get a new key while the old one stays good",
        body=Nothing,
        answer=RotatedView,
        shown_once=True,
    ),
)
