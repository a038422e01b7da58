"""What an endpoint is: a row of a table, from which routes and OpenAPI are made."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from letsbe.wrapper.requests import field_errors
from letsbe_hub.api.counting import ENDPOINT
from letsbe_hub.api.directory import Answer
from letsbe_hub.api.envelope import Reply, answered, failed, refused
from letsbe_hub.api.idempotency import key_of
from letsbe_hub.api.principals import Audience, Principal
from letsbe_hub.errors import Conflict, InvalidRequest, LetsBeError

if TYPE_CHECKING:
    from letsbe_hub.opening import Hub

Model = TypeVar("Model", bound=BaseModel)

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""NUL as JSON writes it. PostgreSQL takes no text with one, and where many requests
share a statement (heartbeats, usage) one would take the others with it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as an endpoint sees it.

    Args:
        request: The request.
        hub: The Hub.
        principal: Who sends it; None where that need not be known.
    """

    request: Request
    hub: Hub
    principal: Principal | None

    @property
    def caller(self) -> Principal:
        """Who sends it, where the endpoint is not for everyone."""
        assert self.principal is not None
        return self.principal

    def path(self, name: str = "id") -> str:
        """Return a part of the path.

        Raises:
            InvalidRequest: It holds a NUL.
        """
        part = str(self.request.path_params[name])
        if "\0" in part:
            raise _with_nul("the path")
        return part

    async def body(self, model: type[Model]) -> Model:
        """Read the body and check it; an empty one counts as ``{}``.

        Raises:
            InvalidRequest: It does not fit; the error names each field.
        """
        content = await read(self.request)
        # Nearly never there, and seen much sooner than by the expression.
        if b"\\u0000" in content and _NUL.search(content):
            raise _with_nul("the body")
        try:
            return model.model_validate_json(content or b"{}")
        except ValidationError as error:
            raise _invalid("the request's form is wrong", error) from None

    def query(self, model: type[Model]) -> Model:
        """Check the query string.

        Raises:
            InvalidRequest: A parameter is unknown or wrong.
        """
        given = dict(self.request.query_params)
        if any("\0" in text for text in given.values()):
            raise _with_nul("the query")
        try:
            return model.model_validate_strings(given)
        except ValidationError as error:
            raise _invalid("the query is wrong", error) from None


def _with_nul(place: str) -> InvalidRequest:
    return InvalidRequest(f"{place} holds a NUL character (U+0000): take it out")


Handler = Callable[[Exchange], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the API.

    Args:
        method: The HTTP method.
        path: The path; ``{id}`` stands for an id or a name.
        handler: Answers it.
        audience: Whose tokens are let in; ``PUBLIC`` lets everyone in.
        summary: One line for the OpenAPI document.
        permission: What staff need besides a token.
        body: The model of the body, if it has one.
        query: The model of the query, if it has one.
        answer: The model of ``data``; of its elements, if it is a list.
        many: Whether ``data`` is a list.
        hot: Whether it is called all the time and safe to repeat by itself, so that
            no ``Idempotency-Key`` is asked for.
        checks_token: Whether the token is checked by what stores the request.
        shown_once: Whether the answer holds a token, and so is never kept.
        token: What the OpenAPI document calls a token that the handler checks itself.
        repeatable: Whether it may as well run twice, so that it need not be noted with
            what it changes that it was done.
    """

    method: str
    path: str
    handler: Handler
    audience: Audience
    summary: str
    permission: str | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    many: bool = False
    hot: bool = False
    checks_token: bool = False
    shown_once: bool = False
    repeatable: bool = False
    token: str | None = None

    @property
    def open(self) -> bool:
        """Whether no token is needed."""
        return self.audience in (Audience.PUBLIC, Audience.WEBHOOKS)

    def route(self, answer: Answer) -> Route:
        """Make the route by which Starlette finds it."""
        return Route(self.path, answer, methods=[self.method], name=self.summary)

    def answering(self, hub: Hub) -> Answer:
        """Make what answers it, the token checked before anything else is read."""
        name = f"{self.method} {self.path}"

        async def answer(request: Request) -> Response:
            request.scope[ENDPOINT] = name
            principal = await hub.admission.admit(
                self.audience, request, hot=self.checks_token
            )
            if self.permission is not None and principal is not None:
                principal.require(self.permission)
            exchange = Exchange(request, hub, principal)
            key = None if self.hot or self.method == "GET" else key_of(request)
            if key is None or principal is None:
                return answered(await self.handler(exchange))
            return await self._once(exchange, principal, key)

        return answer

    async def _once(
        self, exchange: Exchange, principal: Principal, key: str
    ) -> Response:
        remembered = exchange.hub.remembered
        body = await read(exchange.request)
        held = await remembered.reserve(principal, key, exchange.request, body)
        if isinstance(held, Response):
            return held
        noting = nullcontext() if self.repeatable else remembered.noting(held)
        try:
            with noting:
                answer = answered(await self.handler(exchange))
        except LetsBeError as error:
            answer = refused(error, exchange.hub.pipeline)
        except BaseException:
            await remembered.settle(held, Response(status_code=500))
            raise
        kept = answer
        if self.shown_once and answer.status_code < 400:
            kept = failed(Conflict("this was done; its answer is shown only once"))
        await remembered.settle(held, kept)
        return answer


async def read(request: Request) -> bytes:
    """Read a body whole; the guard has limited it.

    Raises:
        InvalidRequest: The client went away in the middle.
    """
    try:
        return await request.body()
    except ClientDisconnect:
        raise InvalidRequest("the body ended before its announced length") from None


def _invalid(message: str, error: ValidationError) -> InvalidRequest:
    return InvalidRequest(message, details=field_errors(error))
