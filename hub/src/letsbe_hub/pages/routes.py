"""The table of pages, and what becomes of an error on one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from letsbe.wrapper.answers import showable
from letsbe_hub.api.counting import ENDPOINT
from letsbe_hub.errors import (
    LetsBeError,
    RateLimited,
    StorageUnavailable,
    Unauthenticated,
)
from letsbe_hub.pages import (
    approvals,
    money,
    notices,
    people,
    signing,
    statements,
    tenants,
)
from letsbe_hub.pages.rendering import STATIC, elsewhere, page, static
from letsbe_hub.pages.visits import Visit, forget, visit

if TYPE_CHECKING:
    from letsbe_hub.opening import Hub


@dataclass(frozen=True, slots=True)
class Page:
    """One row of the table.

    Args:
        method: ``GET``, which changes nothing, or ``POST``, a form of ours.
        path: The path.
        handler: Makes the answer.
        signed_in: Whether one must have signed in.
    """

    method: str
    path: str
    handler: Callable[[Visit], Awaitable[Response]]
    signed_in: bool = True


PAGES = (
    Page("GET", "/", approvals.list_page),
    Page("GET", "/approvals", approvals.list_page),
    Page("GET", "/approvals/{id}", approvals.show_page),
    Page("POST", "/approvals/{id}", approvals.decide),
    Page("GET", "/billing", money.billing_page),
    Page("POST", "/billing/limit", money.choose_limit),
    Page("POST", "/billing/payment", money.payment_page),
    Page("GET", "/billing/statements/{id}", statements.statement_page),
    Page("GET", "/billing/statements/{id}/csv", statements.statement_table),
    Page("GET", "/tenants", tenants.list_page),
    Page("GET", "/tenants/{id}", tenants.show_page),
    Page("GET", "/operations", money.operations_page),
    Page("GET", "/account", people.account_page),
    Page("GET", "/account/notices", notices.notices_page),
    Page("POST", "/account/notices", notices.choose_notices),
    Page("POST", "/account/addresses/{id}/remove", notices.remove_address),
    Page("POST", "/account/second-factor", people.begin_second_factor),
    Page("POST", "/account/second-factor/confirm", people.confirm_second_factor),
    Page("POST", "/account/end-sessions", people.end_everything),
    Page("POST", "/sign-out", signing.sign_out),
    Page("GET", "/sign-in", signing.sign_in_page, signed_in=False),
    Page("POST", "/sign-in", signing.sign_in, signed_in=False),
    Page("GET", "/password", signing.password_page, signed_in=False),
    Page("POST", "/password", signing.set_password, signed_in=False),
    Page("POST", "/password/link", signing.ask_for_link, signed_in=False),
)


def routes(hub: Hub) -> list[BaseRoute]:
    """Make the routes of every page, and of the files that they use."""

    def file(name: str) -> Callable[[Request], Awaitable[Response]]:
        async def give(_: Request) -> Response:
            return static(name)

        return give

    files = [Route(f"/{name}", file(name), methods=["GET"]) for name in STATIC]
    return [*files, *(_route(row, hub) for row in PAGES)]


def _route(row: Page, hub: Hub) -> Route:
    async def answer(request: Request) -> Response:
        request.scope[ENDPOINT] = f"{row.method} {row.path}"
        here = request.url.path if row.method == "GET" else "/"
        seen = None
        try:
            seen = await visit(request, hub, signed_in=row.signed_in)
            return await row.handler(seen)
        except Unauthenticated:
            # A cookie that is of no use any more would be counted as a wrong token.
            return forget(elsewhere(signing.sign_in_path(here)), hub)
        except LetsBeError as error:
            return _failed(hub, seen, error)

    return Route(row.path, answer, methods=[row.method])


def for_person(request: Request) -> bool:
    """Say whether whoever asked is to get a page: a browser, outside of the API."""
    asked = request.headers.get("accept", "")
    return "text/html" in asked and not request.url.path.startswith("/api/")


def nothing_here(status: int) -> Response:
    """Make the page for what no page answers, or could not."""
    failed = status >= 500
    error = LetsBeError(
        "something failed here, and the Hub's log says what: try again in a moment"
        if failed
        else "there is no such page: go back, or begin at the first one"
    )
    return page("error", status, visit=None, error=error)


def _failed(hub: Hub, seen: Visit | None, error: LetsBeError) -> Response:
    shown = error
    if isinstance(error, StorageUnavailable):
        shown = StorageUnavailable.told()
    elif not isinstance(error, RateLimited):
        shown = showable(error, hub.pipeline)
    visitor = seen if seen is not None and seen.person is not None else None
    answer = page("error", max(400, shown.status), visit=visitor, error=shown)
    if isinstance(error, RateLimited):
        answer.headers["retry-after"] = str(error.seconds)
    return answer
