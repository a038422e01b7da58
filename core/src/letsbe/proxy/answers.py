"""The proxy's own answers: errors in the form that clients of all the APIs read."""

from __future__ import annotations

import json

from starlette.responses import Response

from letsbe.errors import Forbidden, LetsBeError, OutputWithheld, Unauthenticated

POLICY_STATUS = 400
WITHHELD_STATUS = 422
_SHOWN = frozenset({400, 404, 405, 408, 413, 422, 502, 504})


class UpstreamFailed(LetsBeError):
    """The upstream could not be reached, or answered with something that is no HTTP."""

    code = "upstream_failed"
    status = 502


class UpstreamTimeout(LetsBeError):
    """The upstream took too long."""

    code = "upstream_timeout"
    status = 504


class BodyTimeout(LetsBeError):
    """The client stopped in the middle of its request."""

    code = "request_timeout"
    status = 408


class MethodNotAllowed(LetsBeError):
    """The method is none that is forwarded."""

    code = "method_not_allowed"
    status = 405


def status_of(error: LetsBeError) -> int:
    """Return the status that answers with an error.

    401 and 403 make OpenClaw switch a provider off for a minute, 429 and 503 make it
    try again for more than one; 400 and 422 end the turn and show the message.
    """
    if isinstance(error, OutputWithheld):
        return WITHHELD_STATUS
    if isinstance(error, Forbidden | Unauthenticated):
        return POLICY_STATUS
    return error.status if error.status in _SHOWN else 500


def answer(error: LetsBeError) -> Response:
    """Answer with an error, in a form that is OpenAI's and Anthropic's at once."""
    body = {
        "type": "error",
        "error": {
            "message": f"Secrets Proxy: {error.message}",
            "type": _TYPES.get(status_of(error), "invalid_request_error"),
            "code": error.code,
            "param": None,
        },
    }
    return Response(
        json.dumps(body),
        status_of(error),
        {"cache-control": "no-store", "x-letsbe-error": error.code},
        "application/json",
    )


def unexpected() -> Response:
    """Answer to a request that an unforeseen error ended, without its text."""
    return answer(LetsBeError("the request failed unexpectedly; the log says where"))


_TYPES = {
    404: "not_found_error",
    500: "api_error",
    502: "upstream_error",
    504: "upstream_error",
}
