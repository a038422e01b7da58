"""For people about themselves: sessions, password, second factor."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field

from letsbe_hub.accounts import people, sessions
from letsbe_hub.accounts.passwords import check_form
from letsbe_hub.api import account_notices
from letsbe_hub.api.account_notices import wrong_field
from letsbe_hub.api.bodies import Body, Nothing, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.api.public import Password, SessionView
from letsbe_hub.errors import Forbidden

Code = Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class PersonView(View):
    """Whoever asks."""

    id: str
    kind: str
    email: str
    name: str
    role: str
    second_factor: bool
    tenants: list[str] | None
    """A customer's tenants; staff see all."""


class CodeBody(Body):
    """A code of the second factor."""

    code: Code
    """Six digits."""


class EnrolmentView(View):
    """A new second factor; it is shown this once, and counts once confirmed."""

    secret: str
    uri: str


class ChangePasswordBody(Body):
    """Another password."""

    current: Password
    """The present one."""
    new: Password
    """The new one."""


async def show(exchange: Exchange) -> Reply:
    """Show whoever asks."""
    caller = exchange.caller
    row = await exchange.hub.store.read_async(lambda c: people.find(c, caller.id))
    tenants = None if caller.tenants is None else sorted(caller.tenants)
    view = PersonView(
        id=row.id,
        kind=row.kind,
        email=row.email,
        name=row.name,
        role=row.role,
        second_factor=row.totp_confirmed,
        tenants=tenants,
    )
    return Reply(view)


async def rotate(exchange: Exchange) -> Reply:
    """Replace the session's token."""
    await exchange.body(Nothing)
    door = _door(exchange)
    opened = await exchange.hub.store.write_async(
        lambda c: sessions.rotate(c, exchange.request, door)
    )
    view = SessionView(token=opened.token, expires_at=opened.expires_at)
    return Reply(view, status=201)


async def sign_out(exchange: Exchange) -> Reply:
    """End this sign-in."""
    door = _door(exchange)
    await exchange.hub.store.write_async(
        lambda c: sessions.end(c, exchange.request, door)
    )
    return Reply(None)


async def sign_out_everywhere(exchange: Exchange) -> Reply:
    """End every session."""
    caller = exchange.caller
    await exchange.hub.store.write_async(
        lambda c: people.end_all_sessions(c, caller.id, caller.actor)
    )
    return Reply(None)


async def enrol(exchange: Exchange) -> Reply:
    """Begin a second factor."""
    await exchange.body(Nothing)
    person, factor = exchange.caller.id, exchange.hub.sign_in.second_factor

    def change(connection: sa.Connection) -> EnrolmentView:
        people.find(connection, person)
        made = factor.enrol(connection, person)
        return EnrolmentView(secret=made.secret, uri=made.uri)

    return Reply(await exchange.hub.store.write_async(change), status=201)


async def confirm(exchange: Exchange) -> Reply:
    """Confirm a second factor by its first code."""
    body = await exchange.body(CodeBody)
    caller, factor = exchange.caller, exchange.hub.sign_in.second_factor

    def change(connection: sa.Connection) -> bool:
        people.find(connection, caller.id)
        return factor.confirm(connection, caller.id, body.code, caller.actor)

    if not await exchange.hub.store.write_async(change):
        raise wrong_field("code", "it is not the app's present code")
    return Reply(None)


async def turn_off(exchange: Exchange) -> Reply:
    """Turn the second factor off, with one of its codes."""
    body = await exchange.body(CodeBody)
    caller, factor = exchange.caller, exchange.hub.sign_in.second_factor

    def change(connection: sa.Connection) -> bool:
        people.find(connection, caller.id)
        if not factor.check(connection, caller.id, body.code):
            return False
        factor.turn_off(connection, caller.id, caller.actor)
        return True

    if not await exchange.hub.store.write_async(change):
        raise wrong_field("code", "it is not the app's present code")
    return Reply(None)


async def change_password(exchange: Exchange) -> Reply:
    """Change the password, which ends every session."""
    body = await exchange.body(ChangePasswordBody)
    caller, rooms = exchange.caller, exchange.hub.sign_in
    store = exchange.hub.store
    row = await store.read_async(lambda c: people.find(c, caller.id))
    if not await rooms.passwords.verify(row.password_hash, body.current):
        raise Forbidden("the present password is wrong")
    check_form(body.new, row.email)
    hashed = await rooms.passwords.hash(body.new)
    await store.write_async(
        lambda c: people.set_password(c, caller.id, hashed, caller.actor)
    )
    return Reply(None)


def _door(exchange: Exchange) -> sessions.Door:
    staff = exchange.caller.audience is Audience.ADMIN
    return sessions.STAFF if staff else sessions.CUSTOMER


def endpoints(audience: Audience) -> tuple[Endpoint, ...]:
    """Make the rows for one audience."""
    base = f"/api/v1/{audience.value}/account"
    rows = (
        *_sessions(audience, base),
        *_second_factor(audience, f"{base}/second-factor"),
        *account_notices.endpoints(audience, base),
    )
    said = f" ({audience.value})"
    return tuple(replace(row, summary=row.summary + said) for row in rows)


def _sessions(audience: Audience, base: str) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", base, show, audience, "Show oneself", answer=PersonView),
        Endpoint(
            "POST",
            f"{base}/session/rotate",
            rotate,
            audience,
            "Replace the session's token",
            body=Nothing,
            answer=SessionView,
            shown_once=True,
        ),
        Endpoint("DELETE", f"{base}/session", sign_out, audience, "Sign out"),
        Endpoint(
            "DELETE", f"{base}/sessions", sign_out_everywhere, audience, "End all"
        ),
        Endpoint(
            "PUT",
            f"{base}/password",
            change_password,
            audience,
            "Change the password",
            body=ChangePasswordBody,
        ),
    )


def _second_factor(audience: Audience, path: str) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            "POST",
            path,
            enrol,
            audience,
            "Begin a second factor",
            body=Nothing,
            answer=EnrolmentView,
            shown_once=True,
        ),
        Endpoint(
            "POST", f"{path}/confirm", confirm, audience, "Confirm it", body=CodeBody
        ),
        Endpoint(
            "POST", f"{path}/off", turn_off, audience, "Turn it off", body=CodeBody
        ),
    )
