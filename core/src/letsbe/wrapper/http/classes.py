"""The classes that people allowed: listing them, taking one back. For the operator."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.responses import Response

from letsbe.wrapper.allowances import AllowedClass
from letsbe.wrapper.http.approvals import OPERATOR, PERSON
from letsbe.wrapper.http.endpoints import Body, Endpoint, Exchange, answered, queried


class ClassQuery(Body):
    """Which classes to list."""

    ended: bool = False
    """Whether to list those that have ended too."""


class ClassList(BaseModel):
    """Allowed classes, newest first."""

    classes: list[AllowedClass]


async def list_classes(exchange: Exchange) -> Response:
    """List allowed classes."""
    query = queried(exchange.request, ClassQuery)
    found = exchange.wrapper.allowances.list(live=not query.ended)
    return answered(ClassList(classes=found))


async def revoke_class(exchange: Exchange) -> Response:
    """Take an allowed class back, from the next call on."""
    return answered(exchange.wrapper.allowances.revoke(exchange.id, PERSON))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/classes",
        list_classes,
        OPERATOR,
        "List allowed classes",
        query=ClassQuery,
        answer=ClassList,
    ),
    Endpoint(
        "DELETE",
        "/api/v1/classes/{id}",
        revoke_class,
        OPERATOR,
        "Revoke an allowed class",
        answer=AllowedClass,
    ),
)
