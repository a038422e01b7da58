"""A fake of Stalwart 0.16: objects over JMAP, after its reference and RFC 8620."""

from __future__ import annotations

import itertools
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "API_5f0c9a1e77b2"
KINDS = ("Account", "Domain", "MailingList", "QueuedMessage")


class FakeJmap:
    """A server that takes one API key."""

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.kept: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
        self.kept["QueuedMessage"]["q1"] = {
            "id": "q1",
            "returnPath": "ada@example.com",
            "nextRetry": "2026-12-28T10:00:00Z",
        }
        self.app = Starlette(
            routes=[
                Route("/jmap/session", self.denied),
                Route("/api/schema", self.schema),
                Route("/jmap", self.jmap, methods=["POST"]),
            ]
        )

    async def denied(self, request: Request) -> Response:
        return _denied()

    async def schema(self, request: Request) -> Response:
        shown = request.headers.get("authorization")
        return JSONResponse({}) if shown == f"Bearer {TOKEN}" else _denied()

    async def jmap(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _denied()
        sent = await request.json()
        if "urn:stalwart:jmap" not in sent["using"]:
            return JSONResponse({"type": "urn:ietf:params:jmap:error:unknown"}, 400)
        answers = []
        for name, arguments, call in sent["methodCalls"]:
            kind, _, method = name.removeprefix("x:").partition("/")
            if kind not in KINDS:
                answers.append(["error", {"type": "unknownMethod"}, call])
                continue
            found = getattr(self, f"_{method}")(kind, arguments)
            answers.append([name, found, call])
        return JSONResponse({"methodResponses": answers, "sessionState": "s"})

    def _query(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            number
            for number, item in self.kept[kind].items()
            if all(_matches(item, name, v) for name, v in asked["filter"].items())
        ]
        start = asked.get("position", 0)
        return {"ids": found[start:][: asked.get("limit")], "total": len(found)}

    def _get(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        kept = self.kept[kind]
        return {
            "list": [self._whole(kind, kept[i]) for i in asked["ids"] if i in kept],
            "notFound": [i for i in asked["ids"] if i not in kept],
        }

    def _whole(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        if kind not in {"Account", "MailingList"}:
            return item
        domain = self.kept["Domain"][item["domainId"]]["name"]
        return {**item, "emailAddress": f"{item['name']}@{domain}"}

    def _set(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {"created": {}, "notCreated": {}, "notUpdated": {}}
        kept = self.kept[kind]
        for key, new in asked.get("create", {}).items():
            if any(_same(new, old) for old in kept.values()):
                wrong = {"type": "primaryKeyViolation", "properties": ["name"]}
                told["notCreated"][key] = wrong
                continue
            number = f"{kind[0].lower()}{next(self.ids)}"
            kept[number] = {"id": number, **new}
            if kind == "Domain":
                kept[number]["dnsZoneFile"] = f"{new['name']}. MX 10 mx."
            told["created"][key] = {"id": number}
        for number, change in asked.get("update", {}).items():
            if number not in kept:
                told["notUpdated"][number] = {"type": "notFound"}
                continue
            for path, value in change.items():
                _patch(kept[number], path.split("/"), value)
        for number in asked.get("destroy", ()):
            if kept.pop(number, None) is None:
                told["notDestroyed"] = {number: {"type": "notFound"}}
        return told


def _matches(item: dict[str, Any], name: str, value: str) -> bool:
    if name == "text":
        return value in str(item)
    return str(value) in str(item.get(name))  # a text filter finds parts, too


def _same(new: dict[str, Any], old: dict[str, Any]) -> bool:
    return (new["name"], new.get("domainId")) == (old["name"], old.get("domainId"))


def _patch(target: dict[str, Any], path: list[str], value: object) -> None:
    for part in path[:-1]:
        target = target.setdefault(part, {})
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value


def _denied() -> Response:
    body = {"type": "about:blank", "status": 401, "title": "Unauthorized"}
    told = JSONResponse(body, 401, media_type="application/problem+json")
    told.headers["www-authenticate"] = 'Bearer realm="Stalwart Server"'
    return told
