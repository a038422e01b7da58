"""What an endpoint is: a row of a table, from which routes and OpenAPI are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typing_extensions import override

from letsbe.errors import Forbidden, InvalidRequest
from letsbe.wrapper.opening import Wrapper
from letsbe.wrapper.requests import field_errors, invalid
from letsbe.wrapper.tokens import Caller, Role, Tokens


class Body(BaseModel):
    """The base of request bodies and queries: nothing unknown, nothing converted."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class Nothing(Body):
    """A body that may be left out, and holds nothing."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as an endpoint sees it.

    Args:
        request: The request.
        wrapper: The Safety Wrapper.
        caller: Whose token it bears; ``None`` where no token is needed.
    """

    request: Request
    wrapper: Wrapper
    caller: Caller | None

    @property
    def id(self) -> str:
        """The path's id or name."""
        return str(self.request.path_params["id"])

    def agent(self, named: str | None) -> str:
        """Return whose call it is: the token's agent, else the one that is named.

        Raises:
            InvalidRequest: Neither says.
        """
        agent_id = (self.caller.agent_id if self.caller else None) or named
        if agent_id is None:
            message = "agent_id is missing: this token does not belong to one agent"
            raise InvalidRequest(message)
        return agent_id


Handler = Callable[[Exchange], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the API.

    Args:
        method: The HTTP method.
        path: The path; ``{id}`` stands for an id or a name.
        handler: Answers it.
        roles: Whose tokens are let in; empty lets everyone in.
        summary: One line for the OpenAPI document.
        body: The model of the body, if it has one.
        query: The model of the query, if it has one.
        answer: The model of the answer, if it is JSON.
    """

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role]
    summary: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None

    def route(self, wrapper: Wrapper, tokens: Tokens) -> Route:
        """Make the route, with the token checked before anything else is read."""

        async def answer(request: Request) -> Response:
            caller = self._admit(request, tokens)
            return await self.handler(Exchange(request, wrapper, caller))

        return Route(self.path, answer, methods=[self.method], name=self.summary)

    def _admit(self, request: Request, tokens: Tokens) -> Caller | None:
        if not self.roles:
            return None
        caller = tokens.caller(request.headers.get("authorization"))
        if caller.role not in self.roles:
            needed = " or ".join(sorted(role.value for role in self.roles))
            message = f"this needs the token of: {needed}"
            raise Forbidden(message)
        return caller


class ModelResponse(JSONResponse):
    """A model as JSON, never kept by a cache."""

    @override
    def render(self, content: Any) -> bytes:
        return content.model_dump_json().encode()  # type: ignore[no-any-return] # content is a model


def answered(model: BaseModel, status: int = 200) -> Response:
    """Answer with a model."""
    return ModelResponse(model, status, headers={"cache-control": "no-store"})


async def read_body(request: Request) -> bytes:
    """Read a body whole; the guard has limited it.

    Raises:
        InvalidRequest: The client went away in the middle.
    """
    try:
        return await request.body()
    except ClientDisconnect:
        raise InvalidRequest("the body ended before its announced length") from None


async def parsed(request: Request, model: type[Model]) -> Model:
    """Read a body and check it; an empty one counts as ``{}``.

    Raises:
        InvalidRequest: It does not fit the model; the error names each field.
    """
    body = await read_body(request)
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise invalid("the request's form is wrong", field_errors(error)) from None


def queried(request: Request, model: type[Model]) -> Model:
    """Check a query string.

    Raises:
        InvalidRequest: A parameter is unknown or wrong.
    """
    try:
        return model.model_validate_strings(dict(request.query_params))
    except ValidationError as error:
        raise invalid("the query is wrong", field_errors(error)) from None
