"""A tool's stand-in: real requests over loopback, taken down and checked."""

from __future__ import annotations

import json

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from letsbe.testing import VendorDocument, serve_fake

DOCUMENT = VendorDocument(
    {
        "openapi": "3.0.0",
        "paths": {
            "/echo": {
                "post": {
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {"text": {"type": "string"}},
                                }
                            }
                        }
                    }
                }
            }
        },
    }
)


async def echo(request: Request) -> Response:
    return JSONResponse({"got": (await request.body()).decode()})


APP = Starlette(routes=[Route("/{any:path}", echo, methods=["GET", "POST"])])


def test_it_answers_and_takes_down_what_came() -> None:
    with serve_fake(APP) as fake:
        answer = httpx.post(f"{fake.url}/a%20b?x=1&x=&y=%C3%A9", content=b"z" * 200_000)
    assert len(answer.json()["got"]) == 200_000
    (request,) = fake.requests
    assert (request.method, request.path) == ("POST", "/a%20b")
    assert request.query == (("x", "1"), ("x", ""), ("y", "é"))
    assert fake.faults == []


def test_a_request_that_does_not_fit_is_a_fault_and_is_answered_all_the_same() -> None:
    with serve_fake(APP, [DOCUMENT], undocumented=["/dav"]) as fake:
        assert httpx.post(f"{fake.url}/echo", json={"text": "t"}).status_code == 200
        assert httpx.get(f"{fake.url}/dav/file").status_code == 200
        assert fake.faults == []
        answer = httpx.post(f"{fake.url}/echo", json={"text": 1})
        assert json.loads(answer.json()["got"]) == {"text": 1}
        httpx.get(f"{fake.url}/other")
    first, second = fake.faults
    assert "body.text: 1 is not of type 'string'" in first
    assert second == "GET /other: not in the vendor's document"
