"""A fake of Stalwart 0.15: principals and a queue, after its OpenAPI document."""

from __future__ import annotations

import itertools
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BASIC = "Basic YWRtaW46c3Rhbi1wYXNzLTVmMGM5YQ=="  # admin:stan-pass-5f0c9a


class FakeRest:
    """A server with the administrator ``admin``."""

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.principals: dict[str, dict[str, Any]] = {}
        self.keys: list[dict[str, Any]] = []
        self.queue: dict[str, dict[str, Any]] = {
            "217700302698266624": {
                "id": 217700302698266624,
                "return_path": "ada@example.com",
                "domains": [{"name": "example.org", "status": "scheduled"}],
            }
        }
        self.retried: list[str] = []
        changing = ["GET", "PATCH", "DELETE"]
        self.app = Starlette(
            routes=[
                Route("/jmap/session", self.session),
                Route("/api/principal", self.many, methods=["GET", "POST"]),
                Route("/api/principal/{name}", self.one, methods=changing),
                Route("/api/dkim", self.sign, methods=["POST"]),
                Route("/api/dns/records/{domain}", self.records),
                Route("/api/queue/messages", self.waiting),
                Route("/api/queue/messages/{id}", self.message, methods=changing),
                Route("/{rest:path}", self.nothing),
            ]
        )

    async def session(self, request: Request) -> Response:
        return _denied()

    async def nothing(self, request: Request) -> Response:
        return _problem(404, "Not Found")

    async def many(self, request: Request) -> Response:
        if request.headers.get("authorization") != BASIC:
            return _denied()
        if request.method == "POST":
            return self._create(await request.json())
        kind = request.query_params["types"]
        found = [p for p in self.principals.values() if p["type"] == kind]
        page, limit = (int(request.query_params[name]) for name in ("page", "limit"))
        items = found[(page - 1) * limit : page * limit]
        return _data({"items": items, "total": len(found)})

    def _create(self, sent: dict[str, Any]) -> Response:
        if sent["name"] in self.principals:
            error = {"error": "fieldAlreadyExists", "field": "name"}
            return JSONResponse({**error, "value": sent["name"]})
        domain = sent["name"].rpartition("@")[2]
        if "@" in sent["name"] and domain not in self.principals:
            return JSONResponse({"error": "notFound", "item": domain})
        number = next(self.ids)
        self.principals[sent["name"]] = {"id": number, **sent}
        return _data(number)

    async def one(self, request: Request) -> Response:
        if request.headers.get("authorization") != BASIC:
            return _denied()
        found = self.principals.get(request.path_params["name"])
        if found is None:
            return JSONResponse({"error": "notFound", "item": "principal"})
        if request.method == "DELETE":
            del self.principals[request.path_params["name"]]
            return _data(None)
        if request.method == "PATCH":
            for step in await request.json():
                self._change(found, step)
            return _data(None)
        return _data(found)

    def _change(self, found: dict[str, Any], step: dict[str, Any]) -> None:
        field, value = step["field"], step["value"]
        if step["action"] == "set":
            found[field] = value
        elif step["action"] == "addItem":
            found.setdefault(field, []).append(value)
        else:
            found[field].remove(value)

    async def sign(self, request: Request) -> Response:
        sent = await request.json()
        if sent["algorithm"] == "Rsa":
            told = {"error": "other", "details": "no randomness"}
            return JSONResponse(told)
        self.keys.append(sent)
        return _data(None)

    async def records(self, request: Request) -> Response:
        name = request.path_params["domain"]
        return _data([{"type": "MX", "name": f"{name}.", "content": "10 mx."}])

    async def waiting(self, request: Request) -> Response:
        items = list(self.queue.values())
        return _data({"items": items, "total": len(items), "status": True})

    async def message(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number not in self.queue:
            return _problem(404, "Not Found")
        if request.method == "DELETE":
            del self.queue[number]
            return _data(True)
        if request.method == "PATCH":
            self.retried.append(number)
            return _data(True)
        return _data(self.queue[number])


def _data(value: object) -> Response:
    return JSONResponse({"data": value})


def _denied() -> Response:
    told = _problem(401, "Unauthorized")
    told.headers["www-authenticate"] = 'Bearer realm="Stalwart Server"'
    return told


def _problem(status: int, title: str) -> Response:
    body = {"type": "about:blank", "status": status, "title": title, "detail": title}
    return JSONResponse(body, status, media_type="application/problem+json")
