"""Agents and versions of the configuration, for staff and for tenants' owners."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field, JsonValue

from letsbe.hub_client.documents import AgentConfiguration, AgentId, checked
from letsbe_hub.api.bodies import Body, Instant, Line, View
from letsbe_hub.api.endpoints import Endpoint, Exchange, Handler
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.paging import PageQuery, page_of, paged
from letsbe_hub.api.principals import Audience
from letsbe_hub.bus import tenant_topic
from letsbe_hub.configuration import agents, staging, versions
from letsbe_hub.errors import NotFound
from letsbe_hub.tenants.registry import find

READ = "configuration.read"
WRITE = "configuration.write"

Number = Annotated[int, Field(ge=0, le=2**53)]


class NewAgentBody(Body):
    """An agent to be made."""

    agent_id: AgentId
    """Its id on the server."""
    settings: AgentConfiguration
    """Everything else."""


class AgentBody(Body):
    """An agent's new settings."""

    revision: Number
    """The revision that they change."""
    settings: AgentConfiguration
    """The settings, whole."""


class RevisionQuery(Body):
    """Which revision is removed."""

    revision: Number
    """The revision that was seen."""


class PatchBody(Body):
    """A change of the whole configuration."""

    patch: dict[str, JsonValue]
    """A merge patch (RFC 7396)."""
    base: Number | None = None
    """The version that it was made for; refused if there is a newer one."""
    note: Line
    """Why, for the list of versions."""


class RevertBody(Body):
    """An earlier version to bring back."""

    version: Number
    """Which."""


class DifferenceQuery(Body):
    """Which versions to compare."""

    old: Number
    """From this one."""
    new: Number
    """To this one."""


class AgentView(View):
    """An agent."""

    agent_id: str
    revision: int
    settings: dict[str, Any]
    updated_at: Instant
    updated_by: str


class VersionView(View):
    """A version of the configuration, and what became of it."""

    version: int
    digest: str
    note: str
    created_at: Instant
    created_by: str
    rollout_id: str | None
    state: str
    error: str | None
    settled_at: Instant | None


class DocumentView(View):
    """A version's whole document."""

    version: int
    document: dict[str, Any]


class DifferenceView(View):
    """What changes one version into another."""

    old: int
    new: int
    patch: dict[str, Any]
    """A merge patch (RFC 7396)."""


def _agent(row: sa.Row[Any]) -> AgentView:
    columns = dict(zip(row._fields, row, strict=True))
    return AgentView(**{name: columns[name] for name in AgentView.model_fields})


def _version(row: sa.Row[Any]) -> VersionView:
    columns = dict(zip(row._fields, row, strict=True))
    return VersionView(**{name: columns[name] for name in VersionView.model_fields})


def _tenant(exchange: Exchange) -> str:
    wanted = exchange.path()
    if not exchange.caller.may_see(wanted):
        raise NotFound("there is no tenant of this id")
    return wanted


async def _tell(exchange: Exchange, tenant: str) -> None:
    await exchange.hub.bus.publish(tenant_topic(tenant), "configuration")


async def list_agents(exchange: Exchange) -> Reply:
    """List a tenant's agents."""
    tenant = _tenant(exchange)

    def look(connection: sa.Connection) -> list[AgentView]:
        find(connection, tenant)
        return [_agent(row) for row in agents.listing(connection, tenant)]

    return Reply(await exchange.hub.store.read_async(look))


async def create_agent(exchange: Exchange) -> Reply:
    """Make an agent."""
    tenant, actor = _tenant(exchange), exchange.caller.actor
    body = await exchange.body(NewAgentBody)
    row = await exchange.hub.store.write_async(
        lambda c: agents.create(c, tenant, body.agent_id, body.settings, actor)
    )
    await _tell(exchange, tenant)
    return Reply(_agent(row), status=201)


async def show_agent(exchange: Exchange) -> Reply:
    """Show an agent."""
    tenant, agent = _tenant(exchange), exchange.path("agent")
    row = await exchange.hub.store.read_async(lambda c: agents.get(c, tenant, agent))
    return Reply(_agent(row))


async def update_agent(exchange: Exchange) -> Reply:
    """Change an agent."""
    tenant, agent = _tenant(exchange), exchange.path("agent")
    body, actor = await exchange.body(AgentBody), exchange.caller.actor
    row = await exchange.hub.store.write_async(
        lambda c: agents.update(c, tenant, agent, body.settings, body.revision, actor)
    )
    await _tell(exchange, tenant)
    return Reply(_agent(row))


async def delete_agent(exchange: Exchange) -> Reply:
    """Remove an agent."""
    tenant, agent = _tenant(exchange), exchange.path("agent")
    query, actor = exchange.query(RevisionQuery), exchange.caller.actor
    await exchange.hub.store.write_async(
        lambda c: agents.delete(c, tenant, agent, query.revision, actor)
    )
    await _tell(exchange, tenant)
    return Reply(None)


async def show_document(exchange: Exchange) -> Reply:
    """Show the newest version's document."""
    tenant = _tenant(exchange)
    number, document = await exchange.hub.store.read_async(
        lambda c: versions.newest(c, tenant)
    )
    return Reply(DocumentView(version=number, document=document))


async def patch_document(exchange: Exchange) -> Reply:
    """Change the configuration."""
    tenant, actor = _tenant(exchange), exchange.caller.actor
    body = await exchange.body(PatchBody)

    def change(connection: sa.Connection) -> DocumentView:
        staging.stage(
            connection,
            tenant,
            body.patch,
            actor=actor,
            note=body.note,
            base=body.base,
        )
        number, document = versions.newest(connection, tenant)
        return DocumentView(version=number, document=document)

    view = await exchange.hub.store.write_async(change)
    await _tell(exchange, tenant)
    return Reply(view)


async def validate(exchange: Exchange) -> Reply:
    """Check a document without storing it."""
    body = await exchange.body(DocumentBody)
    checked(body.document)
    return Reply(None)


class DocumentBody(Body):
    """A whole configuration to check."""

    document: dict[str, JsonValue]


async def revert(exchange: Exchange) -> Reply:
    """Bring an earlier version back."""
    tenant, actor = _tenant(exchange), exchange.caller.actor
    body = await exchange.body(RevertBody)

    def change(connection: sa.Connection) -> DocumentView:
        staging.revert(connection, tenant, body.version, actor=actor)
        number, document = versions.newest(connection, tenant)
        return DocumentView(version=number, document=document)

    view = await exchange.hub.store.write_async(change)
    await _tell(exchange, tenant)
    return Reply(view)


async def list_versions(exchange: Exchange) -> Reply:
    """List versions, newest first."""
    tenant, page = _tenant(exchange), exchange.query(PageQuery)
    query = paged(versions.listing(tenant), page, *versions.ORDER)
    rows = await exchange.hub.store.read_async(lambda c: c.execute(query).all())
    return page_of(rows, page, _version, lambda row: row.version)


async def difference(exchange: Exchange) -> Reply:
    """Compare two versions."""
    tenant, query = _tenant(exchange), exchange.query(DifferenceQuery)
    patch = await exchange.hub.store.read_async(
        lambda c: versions.between(c, tenant, query.old, query.new)
    )
    return Reply(DifferenceView(old=query.old, new=query.new, patch=patch))


def endpoints(audience: Audience) -> tuple[Endpoint, ...]:
    """Make the rows for one audience; both need the permission to write."""
    base = f"/api/v1/{audience.value}/tenants/{{id}}"
    read = READ if audience is Audience.ADMIN else None

    def row(
        method: str,
        path: str,
        handler: Handler,
        summary: str,
        **more: Any,  # noqa: ANN401 - Endpoint checks them
    ) -> Endpoint:
        permission = read if method == "GET" else WRITE
        return Endpoint(
            method,
            base + path,
            handler,
            audience,
            f"{summary} ({audience.value})",
            permission=permission,
            **more,
        )

    one_agent = "/agents/{agent}"
    made = "/configuration"
    return (
        row("GET", "/agents", list_agents, "List agents", answer=AgentView, many=True),
        row("POST", "/agents", create_agent, "Make an agent",
            body=NewAgentBody, answer=AgentView),
        row("GET", one_agent, show_agent, "Show an agent", answer=AgentView),
        row("PUT", one_agent, update_agent, "Change an agent",
            body=AgentBody, answer=AgentView),
        row("DELETE", one_agent, delete_agent, "Remove an agent", query=RevisionQuery),
        row("GET", made, show_document, "Show the configuration", answer=DocumentView),
        row("PATCH", made, patch_document, "Change the configuration",
            body=PatchBody, answer=DocumentView),
        row("POST", f"{made}/validate", validate, "Check a configuration",
            body=DocumentBody),
        row("POST", f"{made}/revert", revert, "Bring a version back",
            body=RevertBody, answer=DocumentView),
        row("GET", f"{made}/versions", list_versions, "List versions",
            query=PageQuery, answer=VersionView, many=True),
        row("GET", f"{made}/difference", difference, "Compare versions",
            query=DifferenceQuery, answer=DifferenceView),
    )  # fmt: skip
