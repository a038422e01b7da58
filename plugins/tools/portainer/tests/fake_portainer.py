"""A fake of Portainer 2.31: stacks it keeps itself, Docker it passes on to an Engine.

Stacks are kept and never run. What goes to ``/endpoints/1/docker`` is answered by a
real Docker Engine, where a test gives one; Portainer does no more than that, either.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "ptr_5f0c9a1e77b2c4d6"
_ALL = ["GET", "POST", "PUT", "DELETE"]


class FakePortainer:
    """One environment.

    Args:
        socket: The Docker Engine's socket; ``None`` if Docker is down.
    """

    def __init__(self, socket: str | None = None) -> None:
        self.socket = socket
        self.ids = itertools.count(1)
        self.stacks: dict[int, dict[str, Any]] = {}
        self.files: dict[int, str] = {}
        self.redeployed: list[int] = []
        one = "/api/stacks/{id:int}"
        self.app = Starlette(
            routes=[
                Route("/api/system/status", self.status),
                Route("/api/endpoints", self.environments),
                Route("/api/endpoints/{id:int}", self.environment),
                Route("/api/endpoints/1/docker/{rest:path}", self.docker, methods=_ALL),
                Route("/api/users", self.people),
                Route("/api/teams", self.people),
                Route("/api/stacks", self.list),
                Route(
                    "/api/stacks/create/standalone/string",
                    self.create,
                    methods=["POST"],
                ),
                Route(one, self.stack, methods=["GET", "PUT", "DELETE"]),
                Route(f"{one}/file", self.file),
                Route(f"{one}/git/redeploy", self.redeploy, methods=["PUT"]),
                Route(f"{one}/{{act}}", self.act, methods=["POST"]),
            ]
        )

    async def status(self, request: Request) -> Response:
        return JSONResponse({"Version": "2.31.2", "InstanceID": "x"})

    async def environments(self, request: Request) -> Response:
        return _told(request, [{"Id": 1, "Name": "local", "Type": 1, "Status": 1}])

    async def environment(self, request: Request) -> Response:
        if request.path_params["id"] != 1:
            return _error(404, "Unable to find an environment", "object not found")
        return _told(request, {"Id": 1, "Name": "local", "Type": 1, "Status": 1})

    async def people(self, request: Request) -> Response:
        return _told(request, [{"Id": 1, "Username": "admin", "Role": 1}])

    async def docker(self, request: Request) -> Response:
        if request.headers.get("x-api-key") != TOKEN:
            return _error(401, "Unauthorized", "A valid authorisation token is missing")
        if self.socket is None:
            return _error(502, "Unable to query the environment", "socket is gone")
        transport = httpx.AsyncHTTPTransport(uds=self.socket)
        async with httpx.AsyncClient(transport=transport, timeout=60) as client:
            answer = await client.request(
                request.method,
                f"http://docker/{request.path_params['rest']}",
                params=request.query_params,
                content=await request.body(),
                headers={"content-type": request.headers.get("content-type", "")},
            )
        kind = answer.headers.get("content-type")
        return Response(answer.content, answer.status_code, media_type=kind)

    async def list(self, request: Request) -> Response:
        wanted = json.loads(request.query_params["filters"])["EndpointID"]
        found = [s for s in self.stacks.values() if s["EndpointId"] == wanted]
        if not found:
            return Response(status_code=204)
        return _told(request, found)

    async def create(self, request: Request) -> Response:
        sent = await request.json()
        if any(s["Name"] == sent["name"] for s in self.stacks.values()):
            told = f"A stack with the normalized name '{sent['name']}' already exists"
            return _error(409, told, told)
        number = next(self.ids)
        self.files[number] = sent["stackFileContent"]
        self.stacks[number] = {
            "Id": number,
            "Name": sent["name"],
            "EndpointId": int(request.query_params["endpointId"]),
            "Status": 1,
            "Env": sent.get("env") or [],
        }
        return _told(request, self.stacks[number])

    async def stack(self, request: Request) -> Response:
        number = request.path_params["id"]
        found = self.stacks.get(number)
        if found is None:
            return _error(404, "Unable to find a stack", "object not found in database")
        if request.method == "PUT":  # replaces everything
            sent = await request.json()
            self.files[number] = sent["stackFileContent"]
            found["Env"] = sent.get("env") or []
        if request.method == "DELETE":
            del self.stacks[number], self.files[number]
            return Response(status_code=204)
        return _told(request, found)

    async def file(self, request: Request) -> Response:
        return _told(
            request, {"StackFileContent": self.files[request.path_params["id"]]}
        )

    async def redeploy(self, request: Request) -> Response:
        self.redeployed.append(request.path_params["id"])
        return _told(request, self.stacks[request.path_params["id"]])

    async def act(self, request: Request) -> Response:
        found = self.stacks[request.path_params["id"]]
        found["Status"] = 1 if request.path_params["act"] == "start" else 2
        return _told(request, found)


def _told(request: Request, answer: object) -> Response:
    if request.headers.get("x-api-key") != TOKEN:
        return _error(401, "Unauthorized", "A valid authorisation token is missing")
    return JSONResponse(answer)


def _error(status: int, message: str, details: str) -> Response:
    return JSONResponse({"message": message, "details": details}, status)
