"""People and the record of acts, for staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from letsbe_hub.accounts import people
from letsbe_hub.api.bodies import Body, Identifier, Instant, Line, Nothing, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.paging import PageQuery, page_of, paged
from letsbe_hub.api.principals import Audience
from letsbe_hub.errors import NotFound
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


class ActView(View):
    """Who did what."""

    id: int
    at: Instant
    actor: str
    act: str
    subject: str
    detail: dict[str, Any]


def person_view(row: sa.Row[Any]) -> AdminPersonView:
    """Show a person."""
    names = AdminPersonView.model_fields
    return AdminPersonView(**{name: getattr(row, name) for name in names})


async def list_people(exchange: Exchange) -> Reply:
    """List people, newest first."""
    page = exchange.query(PeopleQuery)
    query = paged(people.listing(page.kind), page, *people.ORDER)
    rows = await exchange.hub.store.read_async(lambda c: c.execute(query).all())
    return page_of(
        rows, page, person_view, lambda row: row.created_at, lambda row: row.id
    )


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
        return person_view(row)

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
        return person_view(people.find(connection, wanted))

    return Reply(await exchange.hub.store.write_async(change))


async def list_acts(exchange: Exchange) -> Reply:
    """List what people did, newest first."""
    page = exchange.query(ActsQuery)
    query = sa.select(acts)
    if page.subject is not None:
        query = query.where(acts.c.subject == page.subject)
    if page.actor is not None:
        query = query.where(acts.c.actor == page.actor)
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
