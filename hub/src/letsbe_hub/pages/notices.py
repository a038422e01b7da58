"""What somebody is told, and by which of their channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from letsbe_hub.notifications import preferences
from letsbe_hub.pages.rendering import elsewhere, page
from letsbe_hub.pages.visits import Visit

CUSTOMERS = {
    "approval": "An agent waits for a decision",
    "usage": "The month's tokens run out",
    "billing": "The subscription needs something",
}
STAFF = CUSTOMERS | {"operations": "Something here needs to be seen to"}
"""What can be chosen; letters about the account itself always come."""
SIGN_IN = "sign-in"
"""The address that one signs in with stays: it is how a password is set again."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One box to tick.

    Args:
        field: Its name in the form.
        channel: By which channel.
        wanted: Whether it is ticked.
    """

    field: str
    channel: str
    wanted: bool


def _field(category: str, channel: str) -> str:
    return f"{category}.{channel}"


def _categories(visit: Visit) -> dict[str, str]:
    return STAFF if visit.viewer.tenants is None else CUSTOMERS


async def notices_page(visit: Visit) -> Response:
    """Show what is told by what, and every address."""
    viewer, categories = visit.viewer.id, _categories(visit)

    def look(connection: sa.Connection) -> dict[str, Any]:
        addresses = preferences.listed(connection, viewer)
        channels = sorted({row.channel for row in addresses if row.gone_at is None})
        chosen = preferences.chosen(connection, viewer)
        choices = {
            said: [
                Choice(_field(name, each), each, chosen[name].get(each, True))
                for each in channels
            ]
            for name, said in categories.items()
        }
        return {"addresses": addresses, "channels": channels, "choices": choices}

    seen = await visit.hub.store.read_async(look)
    saved = visit.request.query_params.get("saved") == "yes"
    return page("notices", visit=visit, saved=saved, sign_in=SIGN_IN, **seen)


async def choose_notices(visit: Visit) -> Response:
    """Keep what was ticked; what the page did not show stays as it was."""
    viewer, categories = visit.viewer, _categories(visit)

    def change(connection: sa.Connection) -> None:
        addresses = preferences.listed(connection, viewer.id)
        channels = {row.channel for row in addresses if row.gone_at is None}
        chosen = preferences.chosen(connection, viewer.id)
        for name in categories:
            for each in channels:
                chosen[name][each] = _field(name, each) in visit.form
        preferences.choose(connection, viewer.id, chosen, viewer.actor)

    await visit.hub.store.write_async(change)
    return elsewhere("/account/notices?saved=yes")


async def remove_address(visit: Visit) -> Response:
    """Send nothing to an address any more."""
    viewer, wanted = visit.viewer.id, visit.part()
    await visit.hub.store.write_async(
        lambda c: preferences.remove_address(c, viewer, wanted)
    )
    return elsewhere("/account/notices?saved=yes")
