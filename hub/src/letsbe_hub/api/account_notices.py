"""For people about themselves: where notices go, and which."""

from __future__ import annotations

from typing import Annotated, Literal

import sqlalchemy as sa
from pydantic import Field

from letsbe.errors import FieldError
from letsbe_hub.accounts import people
from letsbe_hub.api.bodies import Body, Instant, Line, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.errors import InvalidRequest
from letsbe_hub.notifications import preferences

Category = Literal["approval", "usage", "billing", "operations", "account"]


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
        raise wrong_field("channel", "there is no such channel here")
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


def wrong_field(field: str, told: str) -> InvalidRequest:
    """Make the error that a field is wrong."""
    return InvalidRequest(f"{field}: {told}", details=(FieldError(field, told),))


def endpoints(audience: Audience, base: str) -> tuple[Endpoint, ...]:
    """Make the rows for one audience, below a path."""
    return (
        *_addresses(audience, f"{base}/notice-addresses"),
        *_preferences(audience, f"{base}/notice-preferences"),
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
