"""For everyone: signing in, and setting a password by a link."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from letsbe_hub.accounts.signing_in import Attempt
from letsbe_hub.api.bodies import Body, Instant, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience

Kind = Literal["staff", "customer"]
Email = Annotated[str, Field(min_length=3, max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=256)]


class SignInBody(Body):
    """What somebody signs in with."""

    kind: Kind
    """Which of the two they are here."""
    email: Email
    """The address."""
    password: Password
    """The password."""
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None
    """The second factor's code, if they have one."""


class SessionView(View):
    """A session; its token is shown this once."""

    token: str
    """For later requests, as a bearer token."""
    expires_at: Instant
    """When it ends at the latest; sooner if it is not used."""


class LinkBody(Body):
    """Who forgot their password."""

    kind: Kind
    """Which of the two they are here."""
    email: Email
    """The address."""


class PasswordBody(Body):
    """A new password, by a link."""

    token: Annotated[str, Field(min_length=20, max_length=100)]
    """What stands behind the # of the link."""
    password: Password
    """The new password."""


def address_of(exchange: Exchange) -> str:
    """Return the address that a request came from."""
    client = exchange.request.client
    return client.host if client else "unknown"


async def sign_in(exchange: Exchange) -> Reply:
    """Sign somebody in."""
    body = await exchange.body(SignInBody)
    attempt = Attempt(
        body.kind, body.email, body.password, body.code, address_of(exchange)
    )
    opened = await exchange.hub.sign_in.sign_in(attempt)
    view = SessionView(token=opened.token, expires_at=opened.expires_at)
    return Reply(view, status=201)


async def send_link(exchange: Exchange) -> Reply:
    """Send a link to set a password; the answer is the same for people unknown."""
    body = await exchange.body(LinkBody)
    rooms = exchange.hub.sign_in
    await exchange.hub.store.write_async(
        lambda c: rooms.ask_for_password(c, body.kind, body.email)
    )
    return Reply(None, status=202)


async def set_password(exchange: Exchange) -> Reply:
    """Set a password by a link's token."""
    body = await exchange.body(PasswordBody)
    await exchange.hub.sign_in.set_password(
        body.token, body.password, address_of(exchange)
    )
    return Reply(None)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/public/sign-in",
        sign_in,
        Audience.PUBLIC,
        "Sign in",
        body=SignInBody,
        answer=SessionView,
        shown_once=True,
    ),
    Endpoint(
        "POST",
        "/api/v1/public/password-link",
        send_link,
        Audience.PUBLIC,
        "Send a link to set a password",
        body=LinkBody,
    ),
    Endpoint(
        "POST",
        "/api/v1/public/password",
        set_password,
        Audience.PUBLIC,
        "Set a password by a link",
        body=PasswordBody,
    ),
)
