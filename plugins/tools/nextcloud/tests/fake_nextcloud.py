"""A fake of Nextcloud 34: OCS beside the DAV of ``fake_dav``, after measurements."""

from __future__ import annotations

import base64
import itertools
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plugins.tools.nextcloud.tests.fake_dav import FakeDav

APP_PASSWORD = "nc-app-5f0c9a1e77"
HASH = "3|$argon2id$v=19$m=65536,t=4,p=1$c2FsdA$aGFzaA"
"""What Nextcloud gives back in place of a link's password."""
REAL_PASSWORD = "nc-real-8812aa90cc"
DAV = "/remote.php/dav/{rest:path}"
OCS = "/ocs/v2.php"
_SHARES = f"{OCS}/apps/files_sharing/api/v1/shares"
_STATUS = f"{OCS}/apps/user_status/api/v1/user_status"
_DAV_METHODS = [
    *("GET", "PUT", "DELETE", "PROPFIND", "MKCOL", "MOVE", "COPY", "SEARCH", "REPORT"),
]


class FakeNextcloud:
    """One user, ``ada``, with an app password; and ``root``, who governs."""

    def __init__(self) -> None:
        self.dav = FakeDav()
        self.ids = itertools.count(1)
        self.users: dict[str, dict[str, Any]] = {"ada": {"id": "ada", "groups": []}}
        self.groups: dict[str, set[str]] = {"admin": {"root"}}
        self.shares: dict[str, dict[str, Any]] = {}
        self.notifications = {
            8: {"notification_id": 8, "subject": "An update is there"}
        }
        self.status: dict[str, Any] = {}
        self.maintenance = False
        self.has_font = True
        user, change = f"{OCS}/cloud/users/{{id}}", ["GET", "PUT", "DELETE"]
        two = ["GET", "POST"]
        self.app = Starlette(
            routes=[
                Route("/status.php", self.state),
                Route(DAV, self.files, methods=_DAV_METHODS),
                Route(f"{OCS}/cloud/user", self.me),
                Route(f"{OCS}/cloud/capabilities", self.capabilities),
                Route(f"{OCS}/cloud/users", self.people, methods=two),
                Route(user, self.person, methods=change),
                Route(f"{user}/groups", self.memberships, methods=["POST", "DELETE"]),
                Route(f"{user}/{{act}}", self.lock, methods=["PUT"]),
                Route(f"{OCS}/cloud/groups", self.all_groups, methods=two),
                Route(f"{OCS}/cloud/groups/{{id}}", self.group, methods=["DELETE"]),
                Route(f"{OCS}/cloud/groups/{{id}}/users", self.members),
                Route(_SHARES, self.all_shares, methods=two),
                Route(f"{_SHARES}/{{id}}", self.share, methods=["PUT", "DELETE"]),
                Route(
                    f"{OCS}/apps/notifications/api/v2/notifications",
                    self.told,
                ),
                Route(
                    f"{OCS}/apps/notifications/api/v2/notifications/{{id:int}}",
                    self.dismiss,
                    methods=["DELETE"],
                ),
                Route(f"{OCS}/search/providers", self.providers),
                Route(f"{OCS}/search/providers/{{provider}}/search", self.found),
                Route(f"{OCS}/apps/serverinfo/api/v1/info", self.capabilities),
                Route(f"{_STATUS}/status", self.set_status, methods=["PUT"]),
                Route(f"{_STATUS}/message/custom", self.set_status, methods=["PUT"]),
            ]
        )

    async def state(self, request: Request) -> Response:
        told = {"installed": True, "maintenance": self.maintenance}
        return JSONResponse({**told, "versionstring": "34.0.1"})

    async def files(self, request: Request) -> Response:
        if _who(request) != "ada":
            return Response(status_code=401)
        return await self.dav.answer(request)

    async def me(self, request: Request) -> Response:
        return self._ocs(request, {"id": "ada", "quota": {"free": 5}})

    async def capabilities(self, request: Request) -> Response:
        return self._ocs(request, {"version": {"string": "34.0.1"}})

    async def people(self, request: Request) -> Response:
        if request.method == "GET":
            text = request.query_params.get("search", "")
            found = [name for name in self.users if text in name]
            return self._governed(request, {"users": found})
        sent = await request.json()
        if sent["userid"] in self.users:
            return _meta(400, 102, "User already exists")
        if any(group not in self.groups for group in sent.get("groups", ())):
            return _meta(400, 104, "Group does not exist")
        answered = self._governed(request, {"id": sent["userid"]})
        if answered.status_code == 200:
            known = {"id": sent["userid"], "password": sent.get("password")}
            made = self.users[sent["userid"]] = {**known, "enabled": True, "groups": []}
            if not self.has_font:  # it is made, the picture fails, the rest is left out
                return _failed()
            made["groups"] = sent.get("groups", [])
            made["displayname"] = sent.get("displayName", sent["userid"])
            made["email"] = sent.get("email")
            made["quota"] = {"quota": sent.get("quota", -3)}
        return answered

    async def person(self, request: Request) -> Response:
        name = request.path_params["id"]
        if name not in self.users:
            return _meta(404, 998, "")
        answered = self._governed(request, self.users[name])
        if answered.status_code == 200 and request.method == "PUT":
            sent = await request.json()
            self.users[name][sent["key"]] = sent["value"]
            if not self.has_font:
                return _failed()
        if answered.status_code == 200 and request.method == "DELETE":
            del self.users[name]
        return answered

    async def lock(self, request: Request) -> Response:
        enabled = request.path_params["act"] == "enable"
        if request.path_params["id"] not in self.users:
            return _meta(400, 101, "")
        self.users[request.path_params["id"]]["enabled"] = enabled
        if enabled and not self.has_font:
            return _failed()
        return self._governed(request, [])

    async def memberships(self, request: Request) -> Response:
        name, adds = request.path_params["id"], request.method == "POST"
        sent = await request.json() if adds else request.query_params
        members = self.groups.get(sent["groupid"])
        if members is None or name not in self.users:
            return _meta(400, 102 if members is None else 103, "")
        (members.add if adds else members.discard)(name)
        return self._governed(request, [])

    async def all_groups(self, request: Request) -> Response:
        answered = self._governed(request, {"groups": sorted(self.groups)})
        if request.method == "POST" and answered.status_code == 200:
            name = (await request.json())["groupid"]
            if name in self.groups:
                return _meta(400, 102, "Gruppe existiert")  # in its user's language
            self.groups[name] = set()
        return answered

    async def group(self, request: Request) -> Response:
        name = request.path_params["id"]
        if name not in self.groups or name == "admin":
            return _meta(400, 102 if name == "admin" else 101, "")
        del self.groups[name]
        return self._governed(request, [])

    async def members(self, request: Request) -> Response:
        found = sorted(self.groups[request.path_params["id"]])
        return self._governed(request, {"users": found})

    async def all_shares(self, request: Request) -> Response:
        if request.method == "GET":
            return self._ocs(request, list(self.shares.values()))
        sent = await request.json()
        number = str(next(self.ids))
        made = {
            "id": number,
            "path": f"/{sent['path']}",
            "share_type": sent["shareType"],
            "share_with": sent.get("shareWith"),
            "permissions": sent["permissions"],
            "url": f"https://cloud.example/s/{number}",
        }
        if sent["shareType"] == 3 and "password" in sent:  # a link shows it twice
            made |= dict.fromkeys(("share_with", "password"), HASH)
        self.shares[number] = made
        return self._ocs(request, made)

    async def share(self, request: Request) -> Response:
        found = self.shares.get(request.path_params["id"])
        if found is None:
            return _meta(404, 404, "Wrong share ID, share does not exist")
        if request.method == "DELETE":
            del self.shares[request.path_params["id"]]
            return self._ocs(request, [])
        found["expiration"] = (await request.json()).get("expireDate")
        return self._ocs(request, found)

    async def told(self, request: Request) -> Response:
        return self._ocs(request, list(self.notifications.values()))

    async def dismiss(self, request: Request) -> Response:
        del self.notifications[request.path_params["id"]]
        return self._ocs(request, [])

    async def providers(self, request: Request) -> Response:
        return self._ocs(request, [{"id": "files", "name": "Files", "icon": "x"}])

    async def found(self, request: Request) -> Response:
        if request.path_params["provider"] != "files":
            return _failed()
        found = {"entries": [{"title": request.query_params["term"]}], "cursor": None}
        return self._ocs(request, found)

    async def set_status(self, request: Request) -> Response:
        self.status.update(await request.json())
        return self._ocs(request, self.status)

    def _ocs(self, request: Request, answer: object) -> Response:
        if request.headers.get("ocs-apirequest") != "true":
            return JSONResponse({"message": "CSRF check failed"}, 412)
        if _who(request) is None:
            return _meta(401, 997, "Current user is not logged in")
        meta = {"status": "ok", "statuscode": 200, "message": "OK"}
        return JSONResponse({"ocs": {"meta": meta, "data": answer}})

    def _governed(self, request: Request, answer: object) -> Response:
        who = _who(request)
        if who == "ada" and request.method != "GET":
            return _meta(403, 403, "Password confirmation is required")
        return self._ocs(request, answer)


def _failed() -> Response:
    return Response("Internal Server Error", 500, media_type="text/plain")


def _who(request: Request) -> str | None:
    _, _, encoded = request.headers.get("authorization", "").partition(" ")
    pair = base64.b64decode(encoded).decode()
    known = {f"ada:{APP_PASSWORD}": "ada", f"root:{REAL_PASSWORD}": "root"}
    return known.get(pair)


def _meta(status: int, code: int, message: str) -> Response:
    meta = {"status": "failure", "statuscode": code, "message": message}
    return JSONResponse({"ocs": {"meta": meta, "data": []}}, status)
