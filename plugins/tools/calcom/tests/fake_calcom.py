"""A fake of Cal.com's API v2: stateful, small, after its document and source."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "cal_live_5f0c9a1e77b2"
VERSIONS = {
    "bookings": "2024-08-13",
    "event-types": "2024-06-14",
    "schedules": "2024-06-11",
    "slots": "2024-09-04",
}

Handler = Callable[[Request], Awaitable[Any]]


class FakeCalcom:
    """One host. A family's route without its version answers in the old form."""

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.bookings: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, dict[str, dict[str, Any]]] = {
            "event-types": {},
            "schedules": {},
            "webhooks": {},
        }
        self.mailed: list[str] = []
        self.limited = False
        both, changing = ["GET", "POST"], ["GET", "PATCH", "DELETE"]
        self.app = Starlette(
            routes=[
                Route("/v2/me", self._answering(self.me)),
                Route("/v2/slots", self._answering(self.slots)),
                Route(
                    "/v2/slots/reservations",
                    self._answering(self.reserve),
                    methods=["POST"],
                ),
                Route("/v2/calendars/busy-times", self._answering(self.busy)),
                Route("/v2/bookings", self._answering(self.many), methods=both),
                Route("/v2/bookings/{uid}", self._answering(self.one)),
                Route(
                    "/v2/bookings/{uid}/{act}",
                    self._answering(self.act),
                    methods=["POST"],
                ),
                Route(
                    "/v2/bookings/{uid}/{act}/{who}",
                    self._answering(self.act),
                    methods=["POST"],
                ),
                Route("/v2/schedules/default", self._answering(self.default)),
                Route("/v2/{kind}", self._answering(self.things), methods=both),
                Route("/v2/{kind}/{id}", self._answering(self.thing), methods=changing),
            ]
        )

    def _answering(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {KEY}":
                return _error(401, "UNAUTHORIZED", "Invalid API key")
            if self.limited:
                self.limited = False
                told = _error(429, "TOO_MANY_REQUESTS", "Too many requests")
                told.headers["retry-after"] = "0"
                return told
            family = request.url.path.split("/")[2]
            version = VERSIONS.get(family)
            if version and request.headers.get("cal-api-version") != version:
                return JSONResponse({"old": "form"})
            found = await handler(request)
            if isinstance(found, Response):
                return found
            status = 201 if request.method == "POST" else 200
            return JSONResponse({"status": "success", "data": found}, status)

        return answer

    async def me(self, request: Request) -> Any:
        return {"id": 1, "username": "grace", "email": "grace@example.com"}

    async def slots(self, request: Request) -> Any:
        day = request.query_params["start"][:10]
        return {day: [{"start": f"{day}T09:00:00.000Z"}]}

    async def reserve(self, request: Request) -> Any:
        return {"reservationUid": "rs_1", **(await request.json())}

    async def busy(self, request: Request) -> Any:
        return [{"start": "2026-12-28T10:00:00Z", "end": "2026-12-28T11:00:00Z"}]

    async def many(self, request: Request) -> Any:
        if request.method == "POST":
            return self._book(await request.json())
        wanted = request.query_params.get("status")
        found = [
            b
            for b in self.bookings.values()
            if wanted is None or b["status"] in _states(wanted)
        ]
        skip = int(request.query_params.get("skip", 0))
        return found[skip : skip + int(request.query_params.get("take", 100))]

    def _book(self, sent: dict[str, Any]) -> dict[str, Any]:
        uid = f"bk_{next(self.ids)}"
        made = {"uid": uid, "status": "accepted", "guests": [], **sent}
        self.bookings[uid] = made
        self.mailed.append(sent["attendee"]["email"])
        return made

    async def one(self, request: Request) -> Any:
        found = self.bookings.get(request.path_params["uid"])
        return found or _error(404, "NOT_FOUND", "Booking not found")

    async def act(self, request: Request) -> Any:
        found = self.bookings.get(request.path_params["uid"])
        if found is None:
            return _error(404, "NOT_FOUND", "Booking not found")
        sent = await request.json() if await request.body() else {}
        act = request.path_params["act"]
        if act == "reschedule":  # the old booking ends, another begins
            found["status"] = "cancelled"
            attendee = found["attendee"]
            return self._book({"start": sent["start"], "attendee": attendee})
        if act == "cancel" and found["status"] == "cancelled":
            return _error(400, "BAD_REQUEST", "Booking is already cancelled")
        states = {"cancel": "cancelled", "decline": "rejected", "confirm": "accepted"}
        found["status"] = states.get(act, found["status"])
        if act == "guests":
            found["guests"] += [guest["email"] for guest in sent["guests"]]
        if act == "reassign":
            found["host"] = request.path_params.get("who", "next")
        if act == "mark-absent":
            found["absent"] = sent
        return found

    async def default(self, request: Request) -> Any:
        return next(
            (s for s in self.kept["schedules"].values() if s["isDefault"]), None
        )

    async def things(self, request: Request) -> Any:
        kept = self.kept[request.path_params["kind"]]
        if request.method == "GET":
            return list(kept.values())
        number = next(self.ids)
        kept[str(number)] = {"id": number, **(await request.json())}
        return kept[str(number)]

    async def thing(self, request: Request) -> Any:
        kept = self.kept[request.path_params["kind"]]
        found = kept.get(request.path_params["id"])
        if found is None:
            return _error(404, "NOT_FOUND", "Not found")
        if request.method == "DELETE":
            return kept.pop(request.path_params["id"])
        if request.method == "PATCH":
            found.update(await request.json())
        return found


def _states(wanted: str) -> set[str]:
    names = {"cancelled": {"cancelled", "rejected"}, "upcoming": {"accepted"}}
    return set().union(*(names.get(name, {name}) for name in wanted.split(",")))


def _error(status: int, code: str, message: str) -> JSONResponse:
    error = {"code": code, "message": message, "details": {}}
    body = {"status": "error", "timestamp": "t", "path": "p", "error": error}
    return JSONResponse(body, status)
