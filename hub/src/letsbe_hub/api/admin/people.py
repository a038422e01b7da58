"""People and the record of acts, for staff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from letsbe_hub.accounts import memberships, people
from letsbe_hub.api.bodies import Body, Identifier, Instant, Line, Nothing, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.paging import PageQuery, page_of, paged
from letsbe_hub.api.principals import Audience
from letsbe_hub.errors import NotFound
from letsbe_hub.storage.acts import listing
from letsbe_hub.storage.tables.shared import acts
from letsbe_hub.storage.tables.tenants import tenants

READ = "people.read"
WRITE = "people.write"
ACTS = "acts.read"


class NewPersonBody(Body):
    """A person to be made; they set their password by a link."""

    email: Line
    """By which they sign in."""
    name: Line
    """What to call them."""
    role: Literal["admin", "support", "billing", "owner", "delegate"]
    """What they may do; the first three are staff."""
    tenants: Annotated[list[Identifier], Field(max_length=100)] = Field(
        default_factory=list
    )
    """A customer's tenants."""


class PeopleQuery(PageQuery):
    """Whom to list."""

    kind: Literal["staff", "customer"] | None = None
    """Only those."""


class ActsQuery(PageQuery):
    """Which acts to list."""

    subject: Line | None = None
    """Only those on this subject, such as `tenant:ID`."""
    actor: Line | None = None
    """Only those of this one, such as `staff:ID`."""


class AdminPersonView(View):
    """A person, as staff see them."""

    id: str
    kind: str
    email: str
    name: str
    role: str
    state: str
    totp_confirmed: bool
    created_at: Instant
    signed_in_at: Instant | None
    tenants: list[str]
    """The tenants that a customer may see; staff see all."""


class ActView(View):
    """Who did what."""

    id: int
    at: Instant
    actor: str
    act: str
    subject: str
    detail: dict[str, Any]


def person_views(
    connection: sa.Connection, rows: Sequence[sa.Row[Any]]
) -> list[AdminPersonView]:
    """Show people, with the tenants of each."""
    names = AdminPersonView.model_fields.keys() - {"tenants"}
    tenants = memberships.of_each(connection, [row.id for row in rows])
    return [
        AdminPersonView(
            tenants=tenants.get(row.id, []), **{n: getattr(row, n) for n in names}
        )
        for row in rows
    ]


def person_view(connection: sa.Connection, person_id: str) -> AdminPersonView:
    """Find and show one person.

    Raises:
        NotFound: There is none of that id.
    """
    (view,) = person_views(connection, [people.find(connection, person_id)])
    return view


async def list_people(exchange: Exchange) -> Reply:
    """List people, newest first."""
    page = exchange.query(PeopleQuery)
    query = paged(people.listing(page.kind), page, *people.ORDER)

    def look(connection: sa.Connection) -> tuple[Any, list[AdminPersonView]]:
        rows = connection.execute(query).all()
        return rows, person_views(connection, rows)

    rows, views = await exchange.hub.store.read_async(look)
    shown = {view.id: view for view in views}
    return page_of(
        rows,
        page,
        lambda row: shown[row.id],
        lambda row: row.created_at,
        lambda row: row.id,
    )


async def show(exchange: Exchange) -> Reply:
    """Show a person."""
    wanted = exchange.path()
    return Reply(await exchange.hub.store.read_async(lambda c: person_view(c, wanted)))


async def give_tenant(exchange: Exchange) -> Reply:
    """Let a customer see a tenant."""
    return await _member(exchange, memberships.give)


async def take_tenant(exchange: Exchange) -> Reply:
    """Let a customer no longer see a tenant."""
    return await _member(exchange, memberships.take)


async def _member(
    exchange: Exchange, change: Callable[[sa.Connection, str, str, str], None]
) -> Reply:
    wanted, tenant = exchange.path(), exchange.path("tenant")
    actor = exchange.caller.actor

    def changed(connection: sa.Connection) -> AdminPersonView:
        change(connection, wanted, tenant, actor)
        return person_view(connection, wanted)

    return Reply(await exchange.hub.store.write_async(changed))


async def create(exchange: Exchange) -> Reply:
    """Make a person, and send them a link to set their password."""
    body = await exchange.body(NewPersonBody)
    new = people.NewPerson(
        body.email, body.name, body.role, tenants=tuple(body.tenants)
    )
    actor, rooms = exchange.caller.actor, exchange.hub.sign_in

    def change(connection: sa.Connection) -> AdminPersonView:
        known = set(
            connection.scalars(
                sa.select(tenants.c.id).where(tenants.c.id.in_(body.tenants))
            )
        )
        if known != set(body.tenants):
            raise NotFound("one of the tenants is not there")
        id_ = people.create(connection, new, actor)
        row = people.find(connection, id_)
        rooms.ask_for_password(connection, row.kind, row.email)
        return person_view(connection, id_)

    return Reply(await exchange.hub.store.write_async(change), status=201)


async def disable(exchange: Exchange) -> Reply:
    """Disable a person, and end their sessions."""
    return await _set_state(exchange, "disabled")


async def enable(exchange: Exchange) -> Reply:
    """Let a person in again."""
    return await _set_state(exchange, "active")


async def _set_state(exchange: Exchange, state: str) -> Reply:
    await exchange.body(Nothing)
    wanted, actor = exchange.path(), exchange.caller.actor

    def change(connection: sa.Connection) -> AdminPersonView:
        people.set_state(connection, wanted, state, actor)
        return person_view(connection, wanted)

    return Reply(await exchange.hub.store.write_async(change))


async def list_acts(exchange: Exchange) -> Reply:
    """List what people did, newest first."""
    page = exchange.query(ActsQuery)
    query = listing(page.subject, page.actor).order_by(None)
    found = paged(query, page, acts.c.id)
    rows = await exchange.hub.store.read_async(lambda c: c.execute(found).all())

    def view(row: sa.Row[Any]) -> ActView:
        return ActView(**{name: getattr(row, name) for name in ActView.model_fields})

    return page_of(rows, page, view, lambda row: row.id)


_PEOPLE = "/api/v1/admin/people"

ENDPOINTS = (
    Endpoint(
        "GET",
        _PEOPLE,
        list_people,
        Audience.ADMIN,
        "List people",
        permission=READ,
        query=PeopleQuery,
        answer=AdminPersonView,
        many=True,
    ),
    Endpoint(
        "POST",
        _PEOPLE,
        create,
        Audience.ADMIN,
        "Make a person",
        permission=WRITE,
        body=NewPersonBody,
        answer=AdminPersonView,
    ),
    *(
        Endpoint(
            "POST",
            f"{_PEOPLE}/{{id}}/{path}",
            handler,
            Audience.ADMIN,
            said,
            permission=WRITE,
            body=Nothing,
            answer=AdminPersonView,
        )
        for path, handler, said in (
            ("disable", disable, "Disable a person"),
            ("enable", enable, "Let a person in again"),
        )
    ),
    Endpoint(
        "GET",
        f"{_PEOPLE}/{{id}}",
        show,
        Audience.ADMIN,
        "Show a person",
        permission=READ,
        answer=AdminPersonView,
    ),
    *(
        Endpoint(
            method,
            f"{_PEOPLE}/{{id}}/tenants/{{tenant}}",
            handler,
            Audience.ADMIN,
            said,
            permission=WRITE,
            answer=AdminPersonView,
        )
        for method, handler, said in (
            ("PUT", give_tenant, "Let a customer see a tenant"),
            ("DELETE", take_tenant, "Let a customer no longer see a tenant"),
        )
    ),
    Endpoint(
        "GET",
        "/api/v1/admin/acts",
        list_acts,
        Audience.ADMIN,
        "List what people did",
        permission=ACTS,
        query=ActsQuery,
        answer=ActView,
        many=True,
    ),
)
