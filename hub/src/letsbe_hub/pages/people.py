"""About oneself: who one is here, the second factor, every session's end."""

from __future__ import annotations

from typing import Any

import segno
import sqlalchemy as sa
from starlette.responses import Response

from letsbe_hub.accounts import people
from letsbe_hub.notifications.preferences import listed
from letsbe_hub.pages.names import tenant_names
from letsbe_hub.pages.rendering import elsewhere, page
from letsbe_hub.pages.visits import Visit, forget


async def account_page(visit: Visit) -> Response:
    """Show who has signed in."""
    viewer = visit.viewer

    def look(connection: sa.Connection) -> dict[str, Any]:
        names = tenant_names(connection, viewer.tenants or ())
        told = [row for row in listed(connection, viewer.id) if row.gone_at is None]
        return {
            "person": people.find(connection, viewer.id),
            "names": sorted(names.values()),
            "addresses": [f"{row.channel} ({row.label or row.id})" for row in told],
        }

    return page("account", visit=visit, **await visit.hub.store.read_async(look))


async def begin_second_factor(visit: Visit) -> Response:
    """Make a new second factor, and show it this once."""
    person, factor = visit.viewer.id, visit.hub.sign_in.second_factor
    made = await visit.hub.store.write_async(lambda c: factor.enrol(c, person))
    picture = _picture(made.uri)
    return page("second_factor", visit=visit, made=made, picture=picture, wrong=False)


def _picture(uri: str) -> str:
    """Draw a QR code as a part of the page itself: nobody else is asked for it."""
    code = segno.make_qr(uri, error="m")
    return code.svg_inline(
        border=4, light="#fff", omitsize=True, svgclass=None, lineclass=None
    )


async def confirm_second_factor(visit: Visit) -> Response:
    """Let the second factor count, by its first code."""
    viewer, factor = visit.viewer, visit.hub.sign_in.second_factor
    code = visit.field("code", 20).replace(" ", "")
    right = await visit.hub.store.write_async(
        lambda c: factor.confirm(c, viewer.id, code, viewer.actor)
    )
    if not right:
        return page(
            "second_factor", 400, visit=visit, made=None, picture=None, wrong=True
        )
    return elsewhere("/account")


async def end_everything(visit: Visit) -> Response:
    """End every session of this person."""
    viewer = visit.viewer
    await visit.hub.store.write_async(
        lambda c: people.end_all_sessions(c, viewer.id, viewer.actor)
    )
    return forget(elsewhere("/sign-in"), visit.hub)
