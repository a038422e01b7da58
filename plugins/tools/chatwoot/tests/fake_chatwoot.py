"""A fake of Chatwoot 4: stateful, small, after the API document and its controllers."""

from __future__ import annotations

import itertools
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "cw-token-5f0c9a1e77"
ACCOUNT = "/api/v1/accounts/7"
PAGE = 25


class FakeChatwoot:
    """One account; whoever shows the token is its administrator."""

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.contacts: dict[int, dict[str, Any]] = {}
        self.conversations: dict[int, dict[str, Any]] = {}
        self.messages: dict[int, list[dict[str, Any]]] = {}
        self.things: dict[str, dict[int, dict[str, Any]]] = {
            "canned_responses": {},
            "teams": {},
            "webhooks": {},
            "agents": {90: {"id": 90, "name": "Grace", "role": "administrator"}},
        }
        self.app = Starlette(routes=self._routes())

    def _routes(self) -> list[Route]:
        one = f"{ACCOUNT}/conversations/{{id:int}}"
        person = f"{ACCOUNT}/contacts/{{id:int}}"
        both, changing = ["GET", "POST"], ["GET", "PATCH", "DELETE"]
        return [
            Route("/api", self.version),
            Route("/api/v1/profile", self.profile),
            Route(f"{ACCOUNT}/inboxes", self.inboxes),
            Route(f"{ACCOUNT}/conversations", self.list, methods=["GET"]),
            Route(f"{ACCOUNT}/conversations", self.start, methods=["POST"]),
            Route(f"{ACCOUNT}/conversations/meta", self.count),
            Route(f"{ACCOUNT}/conversations/filter", self.list, methods=["POST"]),
            Route(one, self.read),
            Route(f"{one}/messages", self.read_messages, methods=["GET"]),
            Route(f"{one}/messages", self.write, methods=["POST"]),
            Route(f"{one}/messages/{{message:int}}", self.unsay, methods=["DELETE"]),
            Route(f"{one}/labels", self.labels, methods=both),
            Route(f"{one}/toggle_status", self.status, methods=["POST"]),
            Route(f"{one}/toggle_priority", self.priority, methods=["POST"]),
            Route(f"{one}/assignments", self.assign, methods=["POST"]),
            Route(f"{one}/custom_attributes", self.attributes, methods=["POST"]),
            Route(f"{ACCOUNT}/contacts", self.people, methods=["GET"]),
            Route(f"{ACCOUNT}/contacts", self.add_person, methods=["POST"]),
            Route(f"{ACCOUNT}/contacts/search", self.people),
            Route(f"{ACCOUNT}/contacts/filter", self.people, methods=["POST"]),
            Route(person, self.person, methods=["GET", "PUT", "DELETE"]),
            Route(f"{person}/conversations", self.their_conversations),
            Route(f"{person}/labels", self.person_labels, methods=both),
            Route(f"{ACCOUNT}/{{kind}}", self.many, methods=both),
            Route(f"{ACCOUNT}/{{kind}}/{{id:int}}", self.one, methods=changing),
            Route("/api/v2/accounts/7/reports", self.report),
            Route("/api/v2/accounts/7/reports/summary", self.report),
        ]

    async def version(self, request: Request) -> Response:
        return JSONResponse({"version": "4.2.0", "queue_services": "ok"})

    async def profile(self, request: Request) -> Response:
        told = {"id": 1, "name": "Grace", "role": "administrator"}
        secret = {"access_token": TOKEN, "pubsub_token": "p"}
        return self._told(request, {**told, "accounts": [{"id": 7}], **secret})

    async def inboxes(self, request: Request) -> Response:
        return self._told(request, {"payload": [{"id": 1, "name": "Website"}]})

    async def list(self, request: Request) -> Response:
        status = request.query_params.get("status", "open")
        wanted = set(request.query_params.getlist("labels[]"))
        found = [
            each
            for each in self.conversations.values()
            if status in {"all", each["status"]} and wanted <= set(each["labels"])
        ]
        page = int(request.query_params.get("page", 1))
        shown = found[(page - 1) * PAGE : page * PAGE]
        told = {"meta": {"all_count": len(found)}, "payload": shown}
        return self._told(request, {"data": told} if request.method == "GET" else told)

    async def count(self, request: Request) -> Response:
        return self._told(request, {"meta": {"all_count": len(self.conversations)}})

    async def start(self, request: Request) -> Response:
        sent = await request.json()
        number = next(self.ids)
        made: dict[str, Any] = {"id": number, "status": sent["status"], "labels": []}
        made["contact_id"] = int(sent["contact_id"])
        self.conversations[number] = made
        content = sent["message"]["content"]
        first = {"id": next(self.ids), "content": content, "private": False}
        self.messages[number] = [first]
        return self._told(request, made)

    async def read(self, request: Request) -> Response:
        return self._told(request, self.conversations.get(self._id(request)))

    async def read_messages(self, request: Request) -> Response:
        found = self.messages.get(self._id(request))
        return self._told(request, None if found is None else {"payload": found[-20:]})

    async def write(self, request: Request) -> Response:
        found = self.messages.get(self._id(request))
        if found is None:
            return self._told(request, None)
        message = {"id": next(self.ids), **(await request.json())}
        found.append(message)
        return self._told(request, message)

    async def unsay(self, request: Request) -> Response:
        found = self.messages[self._id(request)]
        found[:] = [m for m in found if m["id"] != request.path_params["message"]]
        return self._told(request, {})

    async def labels(self, request: Request) -> Response:
        found = self.conversations[self._id(request)]
        if request.method == "POST":  # replaces the set
            found["labels"] = (await request.json())["labels"]
        return self._told(request, {"payload": found["labels"]})

    async def status(self, request: Request) -> Response:
        found = self.conversations[self._id(request)]
        found["status"] = (await request.json())["status"]
        told = {"success": True, "current_status": found["status"]}
        return self._told(request, {"meta": {}, "payload": told})

    async def priority(self, request: Request) -> Response:
        found = self.conversations[self._id(request)]
        found["priority"] = (await request.json())["priority"]
        return Response(status_code=200)  # it has no body

    async def assign(self, request: Request) -> Response:
        sent = await request.json()
        self.conversations[self._id(request)]["assignee_id"] = sent.get("assignee_id")
        return self._told(request, {"id": sent.get("assignee_id"), "name": "Grace"})

    async def attributes(self, request: Request) -> Response:
        sent = await request.json()
        self.conversations[self._id(request)].update(sent)
        return self._told(request, sent)

    async def people(self, request: Request) -> Response:
        text = request.query_params.get("q", "")
        found = [c for c in self.contacts.values() if text in str(c)]
        told = {"meta": {"count": len(found), "current_page": 1}, "payload": found}
        return self._told(request, told)

    async def add_person(self, request: Request) -> Response:
        sent = await request.json()
        if any(sent.get("email") == c.get("email") for c in self.contacts.values()):
            wrong = {"message": "Email has already been taken", "attributes": ["email"]}
            return JSONResponse(wrong, status_code=422)
        number = next(self.ids)
        self.contacts[number] = {"id": number, "labels": [], **sent}
        return self._told(request, {"payload": {"contact": self.contacts[number]}})

    async def person(self, request: Request) -> Response:
        number = self._id(request)
        if number not in self.contacts:
            return self._told(request, None)
        if request.method == "PUT":
            self.contacts[number].update(await request.json())
        if request.method == "DELETE":
            del self.contacts[number]
            return Response(status_code=200)
        return self._told(request, {"payload": self.contacts[number]})

    async def their_conversations(self, request: Request) -> Response:
        number = self._id(request)
        found = [c for c in self.conversations.values() if c["contact_id"] == number]
        return self._told(request, {"payload": found})

    async def person_labels(self, request: Request) -> Response:
        found = self.contacts[self._id(request)]
        if request.method == "POST":
            found["labels"] = (await request.json())["labels"]
        return self._told(request, {"payload": found["labels"]})

    async def many(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        kept = self.things[kind]
        told: Any = list(kept.values())
        if request.method == "POST":
            number = next(self.ids)
            kept[number] = told = {"id": number, **(await request.json())}
        if kind == "webhooks":
            name = "webhook" if request.method == "POST" else "webhooks"
            told = {"payload": {name: told}}
        return self._told(request, told)

    async def one(self, request: Request) -> Response:
        kept = self.things[request.path_params["kind"]]
        number = self._id(request)
        if number not in kept:
            return self._told(request, None)
        if request.method == "DELETE":
            del kept[number]
            return Response(status_code=200)
        kept[number].update(await request.json())
        return self._told(request, kept[number])

    async def report(self, request: Request) -> Response:
        return self._told(request, [{"value": 3, "timestamp": 1790000000}])

    def _id(self, request: Request) -> int:
        return int(request.path_params["id"])

    def _told(self, request: Request, answer: object) -> Response:
        if request.headers.get("api_access_token") != TOKEN:
            return JSONResponse({"error": "Invalid Access Token"}, status_code=401)
        if answer is None:
            missing = {"error": "Resource could not be found"}
            return JSONResponse(missing, status_code=404)
        return JSONResponse(answer)
