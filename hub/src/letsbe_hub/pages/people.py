"""About oneself: who one is here, the second factor, every session's end."""

from __future__ import annotations

from starlette.responses import Response

from letsbe_hub.accounts import people
from letsbe_hub.pages.rendering import elsewhere, page
from letsbe_hub.pages.visits import Visit, forget


async def account_page(visit: Visit) -> Response:
    """Show who has signed in."""
    viewer = visit.viewer.id
    person = await visit.hub.store.read_async(lambda c: people.find(c, viewer))
    return page("account", visit=visit, person=person)


async def begin_second_factor(visit: Visit) -> Response:
    """Make a new second factor, and show it this once."""
    person, factor = visit.viewer.id, visit.hub.sign_in.second_factor
    made = await visit.hub.store.write_async(lambda c: factor.enrol(c, person))
    return page("second_factor", visit=visit, made=made, wrong=False)


async def confirm_second_factor(visit: Visit) -> Response:
    """Let the second factor count, by its first code."""
    viewer, factor = visit.viewer, visit.hub.sign_in.second_factor
    code = visit.field("code", 20).replace(" ", "")
    right = await visit.hub.store.write_async(
        lambda c: factor.confirm(c, viewer.id, code, viewer.actor)
    )
    if not right:
        return page("second_factor", 400, visit=visit, made=None, wrong=True)
    return elsewhere("/account")


async def end_everything(visit: Visit) -> Response:
    """End every session of this person."""
    viewer = visit.viewer
    await visit.hub.store.write_async(
        lambda c: people.end_all_sessions(c, viewer.id, viewer.actor)
    )
    return forget(elsewhere("/sign-in"), visit.hub)
