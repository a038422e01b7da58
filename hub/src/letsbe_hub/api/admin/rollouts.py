"""Roll-outs of one change to a cohort, for staff."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field, JsonValue

from letsbe_hub.api.admin.tenants import Cohort
from letsbe_hub.api.bodies import Body, Instant, Line, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.paging import PageQuery, page_of, paged
from letsbe_hub.api.principals import Audience
from letsbe_hub.bus import tenant_topic
from letsbe_hub.configuration import rollouts
from letsbe_hub.storage.tables.configuration import rollouts as table

READ = "configuration.read"
WRITE = "rollouts.write"


class NewRolloutBody(Body):
    """A roll-out to be begun."""

    cohort: Cohort
    """To whom."""
    change: dict[str, JsonValue]
    """A merge patch (RFC 7396) for each one's configuration."""
    note: Line
    """Why, for the list of versions."""
    most_failures: Annotated[int, Field(ge=0, le=10_000)] = 0
    """More tenants than these that cannot apply it halt the roll-out."""


class AdvanceBody(Body):
    """How far a roll-out goes now."""

    percent: Annotated[int, Field(ge=1, le=100)]
    """How much of the cohort has the change afterwards."""


class RolloutView(View):
    """A roll-out and how far it is."""

    id: str
    cohort: str
    change: dict[str, Any]
    note: str
    state: str
    halted_because: str | None
    percent: int
    most_failures: int
    created_at: Instant
    created_by: str
    progress: dict[str, int]
    """Its tenants, counted by what became of the change."""


def _view(connection: sa.Connection, row: sa.Row[Any]) -> RolloutView:
    columns = dict(zip(row._fields, row, strict=True))
    columns["progress"] = dict(rollouts.progress(connection, row.id))
    return RolloutView(**{name: columns[name] for name in RolloutView.model_fields})


async def create(exchange: Exchange) -> Reply:
    """Begin a roll-out."""
    body, actor = await exchange.body(NewRolloutBody), exchange.caller.actor

    def change(connection: sa.Connection) -> RolloutView:
        new = rollouts.create(
            connection,
            body.cohort,
            body.change,
            note=body.note,
            most_failures=body.most_failures,
            actor=actor,
        )
        return _view(connection, rollouts.get(connection, new))

    return Reply(await exchange.hub.store.write_async(change), status=201)


async def list_rollouts(exchange: Exchange) -> Reply:
    """List roll-outs, newest first."""
    page = exchange.query(PageQuery)
    query = paged(sa.select(table), page, *rollouts.ORDER)

    def look(connection: sa.Connection) -> Reply:
        rows = connection.execute(query).all()
        return page_of(
            rows,
            page,
            lambda row: _view(connection, row),
            lambda row: row.created_at,
            lambda row: row.id,
        )

    return await exchange.hub.store.read_async(look)


async def show(exchange: Exchange) -> Reply:
    """Show a roll-out."""
    wanted = exchange.path()
    return Reply(
        await exchange.hub.store.read_async(lambda c: _view(c, rollouts.get(c, wanted)))
    )


async def advance(exchange: Exchange) -> Reply:
    """Stage a roll-out's change to more of its cohort."""
    body = await exchange.body(AdvanceBody)
    wanted, actor = exchange.path(), exchange.caller.actor

    def change(connection: sa.Connection) -> tuple[list[str], RolloutView]:
        chosen = rollouts.advance(connection, wanted, body.percent, actor)
        return chosen, _view(connection, rollouts.get(connection, wanted))

    chosen, view = await exchange.hub.store.write_async(change)
    for tenant in chosen:
        await exchange.hub.bus.publish(tenant_topic(tenant), "configuration")
    return Reply(view)


async def halt(exchange: Exchange) -> Reply:
    """Halt a roll-out."""
    return await _end(exchange, "halted")


async def go_on(exchange: Exchange) -> Reply:
    """Let a halted roll-out go on."""
    return await _end(exchange, "running")


async def cancel(exchange: Exchange) -> Reply:
    """Cancel a roll-out; who has the change keeps it."""
    return await _end(exchange, "cancelled")


async def _end(exchange: Exchange, state: str) -> Reply:
    wanted, actor = exchange.path(), exchange.caller.actor

    def change(connection: sa.Connection) -> RolloutView:
        rollouts.end(connection, wanted, state, actor)
        return _view(connection, rollouts.get(connection, wanted))

    return Reply(await exchange.hub.store.write_async(change))


_ALL = "/api/v1/admin/rollouts"
_ONE = f"{_ALL}/{{id}}"


def _row(method: str, path: str, handler: Any, summary: str, **more: Any) -> Endpoint:  # noqa: ANN401 - Endpoint checks them
    permission = READ if method == "GET" else WRITE
    more.setdefault("answer", RolloutView)
    return Endpoint(
        method, path, handler, Audience.ADMIN, summary, permission=permission, **more
    )


ENDPOINTS = (
    _row("GET", _ALL, list_rollouts, "List roll-outs", query=PageQuery, many=True),
    _row("POST", _ALL, create, "Begin a roll-out", body=NewRolloutBody),
    _row("GET", _ONE, show, "Show a roll-out"),
    _row("POST", f"{_ONE}/advance", advance, "Go on with a roll-out", body=AdvanceBody),
    _row("POST", f"{_ONE}/halt", halt, "Halt a roll-out"),
    _row("POST", f"{_ONE}/continue", go_on, "Let a halted roll-out go on"),
    _row("POST", f"{_ONE}/cancel", cancel, "Cancel a roll-out"),
)
