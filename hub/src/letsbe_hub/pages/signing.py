"""Signing in and out, and a new password by a letter."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from letsbe_hub.accounts import sessions
from letsbe_hub.accounts.signing_in import Attempt
from letsbe_hub.errors import LetsBeError, SecondFactorRequired
from letsbe_hub.pages.rendering import elsewhere, page
from letsbe_hub.pages.visits import Visit, forget, remember

KINDS = ("customer", "staff")


def kind_of(visit: Visit) -> str:
    """Return as what somebody signs in."""
    kind = visit.form.get("kind") or visit.request.query_params.get("kind", "")
    return kind if kind in KINDS else KINDS[0]


def onward(path: str) -> str:
    """Return the page to go on to: one of ours, or the first one."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if ours and path.isprintable() and len(path) < 300 else "/"


def sign_in_path(path: str) -> str:
    """Return where to sign in on the way to a page."""
    return f"/sign-in?{urlencode({'next': path})}"


def _form(visit: Visit, error: LetsBeError | None = None) -> Response:
    onto = visit.form.get("next") or visit.request.query_params.get("next", "/")
    return page(
        "sign_in",
        200 if error is None else error.status,
        visit=None,
        kind=kind_of(visit),
        next=onward(onto),
        email=visit.form.get("email", ""),
        error=error,
        needs_code=isinstance(error, SecondFactorRequired),
    )


async def sign_in_page(visit: Visit) -> Response:
    """Ask who it is."""
    return _form(visit)


async def sign_in(visit: Visit) -> Response:
    """Sign somebody in, and go on to the page that they wanted."""
    client = visit.request.client
    try:
        attempt = Attempt(
            kind_of(visit),
            visit.field("email", 254),
            visit.form.get("password", "")[:256],
            visit.field("code", 20).replace(" ", "") or None,
            client.host if client else "unknown",
        )
        opened = await visit.hub.sign_in.sign_in(attempt)
    except LetsBeError as error:
        return _form(visit, error)
    answer = elsewhere(onward(visit.form.get("next", "/")))
    return remember(answer, visit.hub, opened)


async def sign_out(visit: Visit) -> Response:
    """End the session."""
    await visit.hub.store.write_async(
        lambda c: sessions.end(c, visit.request, visit.door)
    )
    return forget(elsewhere("/sign-in"), visit.hub)


async def password_page(visit: Visit) -> Response:
    """Show both forms: to ask for a link, and to set a password by one."""
    return page("password", visit=None, kind=kind_of(visit), error=None, sent=False)


async def ask_for_link(visit: Visit) -> Response:
    """Send a link; the page is the same for people unknown."""
    kind, rooms = kind_of(visit), visit.hub.sign_in
    try:
        email = visit.field("email", 254)
        await visit.hub.store.write_async(
            lambda c: rooms.ask_for_password(c, kind, email)
        )
    except LetsBeError as error:
        return page(
            "password", error.status, visit=None, kind=kind, error=error, sent=False
        )
    return page("password", visit=None, kind=kind, error=None, sent=True)


async def set_password(visit: Visit) -> Response:
    """Set a password by a link."""
    client = visit.request.client
    try:
        await visit.hub.sign_in.set_password(
            visit.field("token", 100),
            visit.form.get("password", ""),
            client.host if client else "unknown",
        )
    except LetsBeError as error:
        kind = kind_of(visit)
        return page(
            "password", error.status, visit=None, kind=kind, error=error, sent=False
        )
    return elsewhere("/sign-in")
