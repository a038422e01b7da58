"""Every answer in a test is held against the OpenAPI document that is served."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from letsbe_hub.api.app import ENDPOINTS
from letsbe_hub.api.openapi import document

DESCRIBED = json.loads(json.dumps(document(ENDPOINTS)))
"""The document, as it goes over the wire."""
_PATHS = [
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations)
    for path, operations in DESCRIBED["paths"].items()
]


def hold(http: TestClient) -> None:
    """Compare every answer that a client gets; a difference fails its test."""
    http.event_hooks = {"response": [check]}


def check(answer: Any) -> None:
    """Compare an answer, and the request that it accepted, with the document.

    Args:
        answer: A response of httpx, or of the library that Starlette has in its place.
    """
    asked, path = answer.request, answer.request.url.path
    if not path.startswith("/api/v1/") or path == "/api/v1/openapi.json":
        return
    found = [each for shape, each in _PATHS if shape.fullmatch(path)]
    operation = next((f[m] for f in found if (m := asked.method.lower()) in f), None)
    if operation is None:
        assert answer.status_code in (404, 405), f"{asked.method} {path} is nowhere"
        return
    name, accepted = operation["operationId"], answer.status_code < 300
    told = json.loads(answer.read())
    _validator(name, "2XX" if accepted else "default").validate(told)
    body = asked.read()
    own = path.startswith("/api/v1/webhooks/")  # its service says what its body is
    if accepted and body and not own:
        _validator(name, "body").validate(json.loads(body))


@cache
def _validator(operation_id: str, part: str) -> Draft202012Validator:
    (operation,) = [
        each
        for operations in DESCRIBED["paths"].values()
        for each in operations.values()
        if each["operationId"] == operation_id
    ]
    place = operation["requestBody"] if part == "body" else operation["responses"][part]
    schema = place["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": DESCRIBED["components"]})
