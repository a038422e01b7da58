"""Errors as HTTP answers; the one form that every endpoint shares."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from letsbe.errors import LetsBeError, Unauthenticated

log = logging.getLogger(__name__)


def body_of(error: LetsBeError) -> dict[str, object]:
    """Return an error as JSON: code, message, field details, another way."""
    return {
        "status": "error",
        "error": {
            "code": error.code,
            "message": error.message,
            "details": [
                {"field": d.field, "message": d.message} for d in error.details
            ],
            "alternative": error.alternative,
        },
    }


def failure(error: LetsBeError) -> Response:
    """Answer with an error."""
    headers = {"cache-control": "no-store"}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    status = error.status if error.status != 200 else 500
    return JSONResponse(body_of(error), status, headers)


async def on_http_error(_: Request, error: Exception) -> Response:
    """Answer a request that matches no route."""
    status = getattr(error, "status_code", 500)
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "error")
    message = "see /api/v1/openapi.json for the paths and methods there are"
    headers = getattr(error, "headers", None)
    return JSONResponse(_body(code, message), status, headers)


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Answer a request that an unforeseen error ended, without its text."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    message = "the request failed unexpectedly; the log says where"
    return JSONResponse(_body("error", message), 500)


def _body(code: str, message: str) -> dict[str, object]:
    nothing: list[object] = []
    error = {"code": code, "message": message, "details": nothing, "alternative": None}
    return {"status": "error", "error": error}
