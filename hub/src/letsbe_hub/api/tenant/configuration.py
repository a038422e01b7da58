"""The configuration, fetched and acknowledged by servers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import sqlalchemy as sa
from pydantic import Field, model_validator

from letsbe_hub.api.bodies import Body, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.configuration import rollouts, versions
from letsbe_hub.errors import NotFound

Version = Annotated[int, Field(ge=0, le=2**53)]


class ConfigQuery(Body):
    """What the server has already."""

    since: Version | None = None
    """The version that it has; then only what changed is sent, if that is less."""


class ConfigView(View):
    """The configuration that is meant for the server."""

    version: int
    digest: str
    """SHA-256 of the whole document's canonical text."""
    base: int | None
    """The version that `delta` changes."""
    delta: dict[str, Any] | None
    """A merge patch (RFC 7396) on the base."""
    document: dict[str, Any] | None
    """The whole, where no delta is sent."""


class AppliedBody(Body):
    """What became of a version."""

    version: Version
    """Which."""
    state: Literal["applied", "restart", "failed"]
    """Whether it is in use now; `restart` if its plugin set is only after one."""
    error: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """What was wrong with it, if it failed."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if (self.state == "failed") is (self.error is None):
            message = "error is given if, and only if, the version failed"
            raise ValueError(message)
        return self


class AppliedView(View):
    """A version and where it stands."""

    version: int
    state: str


async def fetch(exchange: Exchange) -> Reply:
    """Give the server its configuration."""
    query = exchange.query(ConfigQuery)
    newest = await exchange.hub.fetching.newest(exchange.caller.credential)
    if newest is None:
        raise await exchange.hub.keys.refusal(exchange.request)
    whole = ConfigView(
        version=newest.version,
        digest=newest.digest,
        base=None,
        delta=None,
        document=newest.document,
    )
    since = query.since
    if since is None or since > newest.version:
        return Reply(whole)
    try:
        delta = await _since(exchange, since, newest.version)
    except NotFound:
        return Reply(whole)
    if len(str(delta)) >= len(str(newest.document)):
        return Reply(whole)
    changes = {"base": since, "delta": delta, "document": None}
    return Reply(whole.model_copy(update=changes))


async def _since(exchange: Exchange, since: int, newest: int) -> dict[str, Any]:
    if since == newest:
        return {}
    tenant = exchange.caller.id
    return await exchange.hub.store.read_async(
        lambda c: versions.between(c, tenant, since, newest)
    )


async def applied(exchange: Exchange) -> Reply:
    """Note what became of a version."""
    body = await exchange.body(AppliedBody)
    tenant = exchange.caller.id

    def change(connection: sa.Connection) -> sa.Row[Any]:
        if body.state == "restart":
            return versions.await_restart(connection, tenant, body.version)
        row = versions.acknowledge(connection, tenant, body.version, body.error)
        if row.rollout_id is not None:
            rollouts.settled(connection, row.rollout_id)
        return row

    row = await exchange.hub.store.write_async(change)
    return Reply(AppliedView(version=row.version, state=row.state))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/tenant/config",
        fetch,
        Audience.TENANT,
        "Get the configuration",
        query=ConfigQuery,
        answer=ConfigView,
        checks_token=True,
    ),
    Endpoint(
        "POST",
        "/api/v1/tenant/config",
        applied,
        Audience.TENANT,
        "Say that a version was applied, or why not",
        body=AppliedBody,
        answer=AppliedView,
        hot=True,
    ),
)
