"""An adapter for a tool that answers what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import (
    Adapter,
    Arguments,
    Credential,
    Fault,
    FileToSave,
    FileToSend,
    Json,
    NoArguments,
    Outgoing,
    Response,
    RouteRule,
    Setting,
    Tier,
    ToolClient,
    ToolConflict,
    ToolSite,
    operation,
    route,
)
from letsbe.testing import ToolCaller, make_site
from letsbe.testing._wire import Received, Reply, WireServer

TOKEN = "canary-7Qx2Lm9Zr4Tk8Wv1"


class Thing(Arguments):
    """A thing."""

    id: str = "1"
    text: str | None = None


@operation(Tier.GREEN)
async def read(tool: ToolClient, args: Thing) -> Json:
    """Read a thing."""
    return await tool.get("/things/{id}", {"id": args.id}, text=args.text)


@operation(Tier.YELLOW)
async def change_both(tool: ToolClient, args: Thing) -> Json:
    """Change two things."""
    await tool.send("PUT", "/first", json={"text": args.text})
    response = await tool.send("PUT", "/second", json={"text": args.text})
    return response.json()["id"]


@operation(Tier.GREEN)
async def account(tool: ToolClient, args: NoArguments) -> Json:
    """Read the account."""
    return {"account": tool.setting("account_id"), "kind": tool.setting("kind")}


@operation(Tier.YELLOW)
async def carry(tool: ToolClient, args: Thing) -> Json:
    """Carry a thing."""
    there = tool.address("/of/{$kind}/{id}", {"id": args.id})
    await tool.send(
        "MOVE", "/things", content=args.text, headers={"destination": there}
    )
    return there


def authenticate(out: Outgoing) -> None:
    out.headers["authorization"] = f"Signed {out.secret('token')[::-1]}"


def read_fault(response: Response) -> Fault | None:
    body = response.json()
    if response.status == 200 and body and body.get("ok") is False:
        return Fault(ToolConflict, body["why"])
    return Fault(text=body["error"])


class Kept(Arguments):
    """A file."""

    file: FileToSend
    size: int = 8


class Fetched(Arguments):
    """A place for a file."""

    file: FileToSave
    overwrite: bool = False
    other: str | None = None


@operation(Tier.YELLOW)
async def keep(tool: ToolClient, args: Kept) -> Json:
    """Send a file in pieces, then say that it is whole."""
    async with tool.files.to_send(args.file) as file:
        async for piece in file.pieces(args.size):
            await tool.send("PUT", "/piece", content=piece, prepares=True)
        await tool.send("POST", "/whole", json={"name": file.name, "size": file.size})
    return {"path": file.path}


@operation(Tier.YELLOW)
async def fetch(tool: ToolClient, args: Fetched) -> Json:
    """Keep two answers in a file."""
    path = args.other or args.file
    async with tool.files.to_save(path, overwrite=args.overwrite) as file:
        for _ in range(2):
            await file.add((await tool.send("GET", "/piece")).content)
    return {"path": file.path, "size": file.size, "created": file.created}


TOOL = Adapter(
    name="tool",
    summary="Keeps things.",
    operations=(
        read,
        change_both,
        account,
        route("create", "Make a thing.", "POST /things", Thing, Tier.YELLOW),
        route(
            "search",
            "Search things.",
            "POST /accounts/{$account_id}/search",
            Thing,
            Tier.GREEN,
            in_query=("id",),
        ),
        route("wipe", "Wipe things.", "POST /wipe/{$kind}", NoArguments, Tier.RED),
        carry,
        keep,
        fetch,
        route("drop", "Drop a thing.", "DELETE /things/{id}", Thing, Tier.RED),
    ),
    routes=(RouteRule("GET", "/**", Tier.GREEN, "reads"),),
    authenticate=authenticate,
    credentials=(Credential("token", "a token"),),
    settings=(Setting("account_id", "a number"), Setting("kind", "x", default="big")),
    fault=read_fault,
)


Serve = Callable[..., tuple[WireServer, ToolCaller]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve answers, one after the other; the last one for ever."""
    running = []

    def start(*replies: Reply, **site: Any) -> tuple[WireServer, ToolCaller]:
        left = list(replies)

        def answer(_: Received) -> Reply:
            return left.pop(0) if len(left) > 1 else left[0]

        server = WireServer(answer)
        context = server.running()
        context.__enter__()
        running.append(context)
        return server, caller(tmp_path, server.url, **site)

    yield start
    for context in running:
        context.__exit__(None, None, None)


def caller(tmp_path: Path, url: str | None, **site: Any) -> ToolCaller:
    deadline = site.pop("deadline", 60.0)
    limit = site.pop("output_limit", 65536)
    tool = ToolSite("tool", url, **{"secrets": {"token": "tool_token"}, **site})
    made = make_site(tmp_path, tools=(tool,), output_limit=limit)
    (adapter,) = TOOL.for_site(made)
    return ToolCaller(
        adapter, {"tool_token": TOKEN, "other": "value-of-other"}, deadline
    )


@pytest.fixture
def call_at(tmp_path: Path) -> Callable[..., ToolCaller]:
    return lambda url, **site: caller(tmp_path, url, **site)
