"""Who looks at a page: the session in a cookie, and the proof that a form is ours."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from letsbe_hub.accounts.sessions import CUSTOMER, DOORS, Door, Opened
from letsbe_hub.api.endpoints import read
from letsbe_hub.api.principals import Audience, Principal
from letsbe_hub.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated

if TYPE_CHECKING:
    from letsbe_hub.opening import Hub

MOST_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a page.

    Args:
        request: The request; with a session, it bears its token.
        hub: The Hub.
        person: Who looks; None where that need not be known.
        form: What was filled in.
        proof: What the forms of this person's pages must carry.
    """

    request: Request
    hub: Hub
    person: Principal | None
    form: Mapping[str, str]
    proof: str = ""

    @property
    def viewer(self) -> Principal:
        """Who looks, where they must have signed in."""
        assert self.person is not None
        return self.person

    @property
    def door(self) -> Door:
        """The kind of session that they have."""
        staff = self.viewer.audience is Audience.ADMIN
        return DOORS["staff" if staff else "customer"]

    def part(self) -> str:
        """Return the id in the path.

        Raises:
            NotFound: No id is like that.
        """
        part = str(self.request.path_params["id"])
        if not part.isprintable() or len(part) > 200:
            raise NotFound("there is nothing here")
        return part

    def cursor(self) -> str | None:
        """Return where the page of a list begins; the first one begins nowhere.

        Raises:
            InvalidRequest: It is none that a page gave.
        """
        cursor = self.request.query_params.get("cursor")
        if cursor is not None and (len(cursor) > 400 or "\0" in cursor):
            raise InvalidRequest("there is no such page: go back to the first one")
        return cursor or None

    def field(self, name: str, most: int = 2000) -> str:
        """Return what was filled in, without the spaces around it.

        Raises:
            InvalidRequest: It is too long, or holds a NUL.
        """
        text = self.form.get(name, "").strip()
        if len(text) > most or "\0" in text:
            raise InvalidRequest(f"{name}: at most {most} characters, none of them NUL")
        return text


async def visit(request: Request, hub: Hub, *, signed_in: bool) -> Visit:
    """Find out who looks, and read the form.

    Raises:
        Unauthenticated: They must have signed in, and have not.
        Forbidden: The form is not from a page of ours.
        RateLimited: They sent too many.
    """
    token = request.cookies.get(_name(hub), "")
    person, proof = None, ""
    if signed_in:
        door = next((d for d in DOORS.values() if token.startswith(d.token)), None)
        if door is None:
            raise Unauthenticated("sign in first")
        request = _bearing(request, token)
        person = await hub.admission.admit(door.audience, request)
        proof = _proof(token)
    elif request.method == "POST":
        await hub.admission.admit(Audience.PUBLIC, request)
    form = await _form(request) if request.method == "POST" else {}
    if request.method == "POST":
        _check(request, form, proof)
    return Visit(request, hub, person, form, proof)


def _check(request: Request, form: Mapping[str, str], proof: str) -> None:
    # The guard has let in an origin of ours, or none; a browser always says which.
    said = request.headers.get("origin") is not None
    given = form.get("proof", "").encode()
    if not said or not hmac.compare_digest(given, proof.encode()):
        raise Forbidden("the form is not from this page: open the page again")


async def _form(request: Request) -> dict[str, str]:
    try:
        text = (await read(request)).decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise InvalidRequest("the form cannot be read: open the page again") from None


def _bearing(request: Request, token: str) -> Request:
    """Make the request that the API's own door lets in."""
    if not token.isascii():
        raise Unauthenticated("sign in first")
    scope = {**request.scope, "headers": list(request.scope["headers"])}
    MutableHeaders(scope=scope)["authorization"] = f"Bearer {token}"
    return Request(scope, request.receive)


def _proof(token: str) -> str:
    """Return what only a page of this session can know: its token is in no page."""
    return hmac.new(token.encode(), b"letsbe-hub form", hashlib.sha256).hexdigest()


def remember(answer: Response, hub: Hub, opened: Opened) -> Response:
    """Give the browser a session to keep; a customer's outlives the window."""
    lasts = opened.token.startswith(CUSTOMER.token)
    answer.set_cookie(
        _name(hub),
        opened.token,
        max_age=int(opened.expires_at - time.time()) if lasts else None,
        secure=_secure(hub),
        httponly=True,
        # Not strict: a link in a letter is to find them signed in. Forms need a proof.
        samesite="lax",
    )
    return answer


def forget(answer: Response, hub: Hub) -> Response:
    """Take the session away from the browser."""
    answer.delete_cookie(_name(hub), secure=_secure(hub), httponly=True, samesite="lax")
    return answer


def _secure(hub: Hub) -> bool:
    return hub.settings.notices.portal.startswith("https://")


def _name(hub: Hub) -> str:
    # With this prefix, no other host of the domain can set it: RFC 6265bis, 4.1.3.2.
    return "__Host-letsbe" if _secure(hub) else "letsbe"
