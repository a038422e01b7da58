"""For people about themselves: sessions, password, second factor, notices."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import sqlalchemy as sa
from pydantic import Field

from letsbe.errors import FieldError
from letsbe_hub.accounts import people, sessions
from letsbe_hub.accounts.passwords import check_form
from letsbe_hub.api.bodies import Body, Instant, Line, Nothing, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.api.public import Password, SessionView
from letsbe_hub.errors import Forbidden, InvalidRequest
from letsbe_hub.notifications import preferences
from letsbe_hub.storage.acts import record

Code = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Category = Literal["approval", "usage", "billing", "operations", "account"]


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


class AddressBody(Body):
    """Where to send notices."""

    channel: Line
    """A channel: the name of a notifier."""
    address: Annotated[str, Field(min_length=1, max_length=4096)]
    """The channel's own kind of address."""
    label: Line | None = None
    """What the person calls it: a device."""


class AddressView(View):
    """An address."""

    id: str
    channel: str
    label: str | None
    added_at: Instant
    dead: bool


class PreferencesBody(Body):
    """What to be told, by category and channel; what is not named is told."""

    wanted: Annotated[
        dict[Category, dict[Annotated[str, Field(max_length=32)], bool]],
        Field(max_length=10),
    ]
    """`{"usage": {"email": false}}` turns letters about usage off."""


class PreferencesView(View):
    """What a person chose."""

    wanted: dict[str, dict[str, bool]]
    channels: list[str]
    """The channels that there are."""


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

    def change(connection: sa.Connection) -> None:
        people.end_sessions(connection, caller.id)
        record(connection, caller.actor, "session.end_all", f"person:{caller.id}")

    await exchange.hub.store.write_async(change)
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
        raise _wrong("code", "it is not the app's present code")
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
        raise _wrong("code", "it is not the app's present code")
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


async def list_addresses(exchange: Exchange) -> Reply:
    """List the addresses that notices go to."""
    person = exchange.caller.id
    rows = await exchange.hub.store.read_async(lambda c: preferences.listed(c, person))
    return Reply(
        [
            AddressView(
                id=row.id,
                channel=row.channel,
                label=row.label,
                added_at=row.added_at,
                dead=row.gone_at is not None,
            )
            for row in rows
        ]
    )


async def add_address(exchange: Exchange) -> Reply:
    """Add an address; its channel checks it."""
    body = await exchange.body(AddressBody)
    person = exchange.caller.id
    channel = exchange.hub.announcer.channels.get(body.channel)
    if channel is None:
        raise _wrong("channel", "there is no such channel here")
    address = channel.check_address(body.address)

    def change(connection: sa.Connection) -> sa.Row[tuple[object, ...]]:
        people.find(connection, person)
        id_ = preferences.add_address(
            connection, person, body.channel, address, body.label
        )
        return next(r for r in preferences.listed(connection, person) if r.id == id_)

    row = await exchange.hub.store.write_async(change)
    view = AddressView(
        id=row.id,
        channel=row.channel,
        label=row.label,
        added_at=row.added_at,
        dead=False,
    )
    return Reply(view, status=201)


async def remove_address(exchange: Exchange) -> Reply:
    """Take an address away."""
    person, wanted = exchange.caller.id, exchange.path("address")
    await exchange.hub.store.write_async(
        lambda c: preferences.remove_address(c, person, wanted)
    )
    return Reply(None)


async def show_preferences(exchange: Exchange) -> Reply:
    """Show what to be told."""
    person = exchange.caller.id
    wanted = await exchange.hub.store.read_async(
        lambda c: preferences.chosen(c, person)
    )
    channels = sorted(exchange.hub.announcer.channels)
    return Reply(PreferencesView(wanted=wanted, channels=channels))


async def set_preferences(exchange: Exchange) -> Reply:
    """Choose what to be told."""
    body = await exchange.body(PreferencesBody)
    caller = exchange.caller
    wanted = {str(category): chosen for category, chosen in body.wanted.items()}

    def change(connection: sa.Connection) -> None:
        people.find(connection, caller.id)
        preferences.choose(connection, caller.id, wanted, caller.actor)

    await exchange.hub.store.write_async(change)
    return await show_preferences(exchange)


def _door(exchange: Exchange) -> sessions.Door:
    staff = exchange.caller.audience is Audience.ADMIN
    return sessions.STAFF if staff else sessions.CUSTOMER


def _wrong(field: str, told: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {told}", details=(FieldError(field, told),))


def endpoints(audience: Audience) -> tuple[Endpoint, ...]:
    """Make the rows for one audience."""
    base = f"/api/v1/{audience.value}/account"
    rows = (
        *_sessions(audience, base),
        *_second_factor(audience, f"{base}/second-factor"),
        *_addresses(audience, f"{base}/notice-addresses"),
        *_preferences(audience, f"{base}/notice-preferences"),
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


def _addresses(audience: Audience, path: str) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            "GET",
            path,
            list_addresses,
            audience,
            "List addresses",
            answer=AddressView,
            many=True,
        ),
        Endpoint(
            "POST",
            path,
            add_address,
            audience,
            "Add an address",
            body=AddressBody,
            answer=AddressView,
        ),
        Endpoint(
            "DELETE",
            f"{path}/{{address}}",
            remove_address,
            audience,
            "Remove an address",
        ),
    )


def _preferences(audience: Audience, path: str) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            "GET",
            path,
            show_preferences,
            audience,
            "Show what to be told",
            answer=PreferencesView,
        ),
        Endpoint(
            "PUT",
            path,
            set_preferences,
            audience,
            "Choose what to be told",
            body=PreferencesBody,
            answer=PreferencesView,
        ),
    )
