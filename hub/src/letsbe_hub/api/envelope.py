"""The one form of every answer: ``data`` and ``meta``, or ``error``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from letsbe.redaction.pipeline import Pipeline
from letsbe.wrapper.answers import showable
from letsbe_hub.errors import (
    LetsBeError,
    Overloaded,
    RateLimited,
    StillRunning,
    StorageUnavailable,
    Unauthenticated,
)

log = logging.getLogger(__name__)

TIMED = (Overloaded, RateLimited, StillRunning)
"""Errors that say when to try again."""

_HEADERS = {"cache-control": "no-store"}
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers.

    Args:
        data: The answer, or a page of answers.
        meta: What is to be said about it: the next page's cursor.
        status: The HTTP status.
    """

    data: BaseModel | Sequence[BaseModel] | None
    meta: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


def answered(reply: Reply) -> Response:
    """Put an answer into its envelope."""
    data = to_json(reply.data, by_alias=True)
    meta = to_json(reply.meta) if reply.meta else b"{}"
    body = b'{"success":true,"data":%b,"meta":%b}' % (data, meta)
    return Response(body, reply.status, _HEADERS, _JSON)


def failed(error: LetsBeError) -> Response:
    """Put an error into its envelope."""
    headers = dict(_HEADERS)
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, TIMED):
        headers["retry-after"] = str(error.seconds)
    if isinstance(error, Overloaded):
        # Where there is a crowd, connections that wait for nothing are what it costs.
        headers["connection"] = "close"
    # A tool that failed is an answer to an agent; nothing here calls tools.
    status = error.status if error.status >= 400 else 500
    details = [{"field": d.field, "message": d.message} for d in error.details]
    body = _error(_code(error), error.message, details, error.alternative)
    return Response(body, status, headers, _JSON)


def refused(error: LetsBeError, pipeline: Pipeline) -> Response:
    """Put an error into its envelope, with whatever was sent in it taken out."""
    if isinstance(error, TIMED):
        return failed(error)  # they hold a number that is ours, which a copy would lose
    if isinstance(error, StorageUnavailable):
        error = StorageUnavailable.told()
    return failed(showable(error, pipeline))


async def on_http_error(_: Request, error: Exception) -> Response:
    """Answer a request that matches no route."""
    status = getattr(error, "status_code", 500)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(status, "ERROR")
    message = "see /api/v1/openapi.json for the paths and methods there are"
    headers = {**_HEADERS, **(getattr(error, "headers", None) or {})}
    return Response(_error(code, message), status, headers, _JSON)


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Answer a request that an unforeseen error ended, without its text."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    message = "the request failed unexpectedly; the Hub's log says where"
    return Response(_error("INTERNAL_ERROR", message), 500, _HEADERS, _JSON)


def _code(error: LetsBeError) -> str:
    return "VALIDATION_ERROR" if error.code == "invalid_request" else error.code.upper()


def _error(
    code: str,
    message: str,
    details: Sequence[Mapping[str, str]] = (),
    alternative: str | None = None,
) -> bytes:
    error: dict[str, Any] = {"code": code, "message": message, "details": details}
    if alternative:
        error["alternative"] = alternative
    return to_json({"success": False, "error": error})
