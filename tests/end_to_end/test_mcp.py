"""The same calls by MCP, with the official client."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def session(
    server: Any, who: str = "agents/main"
) -> AsyncIterator[ClientSession]:
    headers = {"authorization": f"Bearer {server.tenant.token(who)}"}
    async with (
        create_mcp_http_client(headers=headers) as client,
        streamable_http_client(f"{server.address}/mcp", http_client=client) as streams,
        ClientSession(streams[0], streams[1]) as opened,
    ):
        await opened.initialize()
        yield opened


async def call(opened: ClientSession, tool: str, **arguments: Any) -> Any:
    result = await opened.call_tool(tool, arguments)
    (content,) = result.content
    assert content.type == "text"
    return result.is_error, json.loads(content.text)


async def test_tools_are_listed_fast_and_in_one_order(server: Any) -> None:
    async with session(server) as opened:
        began = time.monotonic()
        first = await opened.list_tools()
        assert time.monotonic() - began < 0.5
        second = await opened.list_tools()
    names = [tool.name for tool in first.tools]
    assert names == sorted(names) == [tool.name for tool in second.tools]
    assert {"shell", "file_read", "file_write", "env_update"} <= set(names)
    for tool in first.tools:
        assert tool.description
        assert tool.input_schema["type"] == "object"


async def test_a_read_a_denial_a_pending_one_and_an_error_are_results(
    server: Any,
) -> None:
    async with session(server) as opened:
        wrong, read = await call(opened, "shell", command="pwd")
        assert (wrong, read["status"]) == (False, "ok")
        wrong, denied = await call(opened, "shell", command="cat $(ls)")
        assert (wrong, denied["status"]) == (True, "denied")
        assert denied["reason"]
        wrong, waits = await call(opened, "shell", command="rm x")
        assert (wrong, waits["status"]) == (False, "pending_approval")
        assert waits["approval_id"]
        wrong, unknown = await call(opened, "nope")
        assert (wrong, unknown["code"]) == (True, "unknown_tool")
        wrong, bad = await call(opened, "shell", command=5, nonsense=1)
        assert (wrong, bad["code"]) == (True, "invalid_request")
        fields = {detail["field"] for detail in bad["details"]}
        assert fields == {"tool_args.command", "tool_args.nonsense"}


async def test_the_token_says_which_agent_calls(server: Any) -> None:
    server.tenant.letsbe("agents", "add", "marketing")
    async with session(server, "agents/marketing") as opened:
        await call(opened, "shell", command="pwd")
    rows = server.tenant.letsbe("audit", "export").stdout.splitlines()
    assert {json.loads(row)["agent_id"] for row in rows} == {"marketing"}


async def test_a_secret_comes_back_as_its_reference(server: Any) -> None:
    server.tenant.provide()
    async with session(server) as opened:
        _, answer = await call(opened, "shell", command="echo SECRET_REF(token)")
    assert answer["output"]["stdout"] == "SECRET_REF(token)\n"


async def test_many_sessions_at_once(server: Any) -> None:
    seen: list[str] = []

    async def one(number: int) -> None:
        async with session(server) as opened:
            for _ in range(3):
                _, answer = await call(opened, "shell", command=f"echo n{number}")
                seen.append(answer["output"]["stdout"].strip())

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(one, number)
    assert sorted(seen) == sorted(f"n{n}" for n in range(10) for _ in range(3))


@pytest.mark.parametrize("who", ["operator", "runtime"])
def test_only_an_agents_own_token_opens_it(server: Any, who: str) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream"}
    with server.client(who) as client:
        assert client.post("/mcp", json=message, headers=accept).status_code == 403
    with httpx.Client(base_url=server.address, trust_env=False) as nobody:
        assert nobody.post("/mcp", json=message, headers=accept).status_code == 401
