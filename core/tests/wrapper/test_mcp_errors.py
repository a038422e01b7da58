from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from letsbe.wrapper.http.app import make_app
from letsbe.wrapper.tokens import Tokens, read_token

pytestmark = pytest.mark.anyio

CANARY = "canary-of-a-request"


@contextlib.asynccontextmanager
async def client_of(bench: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(bench.wrapper, Tokens(bench.home))
    token = read_token(bench.home.agent_tokens / "main")
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
    }
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://127.0.0.1:8200",
            headers=headers,
        ) as client,
    ):
        yield client


def rpc(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def calling(name: str, **arguments: Any) -> dict[str, Any]:
    return rpc("tools/call", name=name, arguments=arguments)


@pytest.mark.parametrize(
    "sent",
    [
        [calling("deed", text=CANARY)],
        {"text": CANARY},
        rpc(CANARY),
        rpc("tools/call", name=CANARY, arguments=CANARY),
        calling(CANARY),
        calling("deed", **{CANARY: 1}),
        calling("deed", count=CANARY),
        calling("deed", env_refs={CANARY: 1}),
        calling("deed", text=f"[REDACTED {CANARY}"),
    ],
)
async def test_no_error_sends_back_what_was_sent(bench: Any, sent: Any) -> None:
    bench.provide(value=CANARY)
    async with client_of(bench) as client:
        answer = await client.post("/mcp", json=sent)
    assert '"error":' in answer.text or '"isError":true' in answer.text
    assert "pydantic" not in answer.text
    assert CANARY not in answer.text
    assert bench.executor.done == []


async def test_an_error_stays_an_answer_to_its_request(bench: Any) -> None:
    async with client_of(bench) as client:
        answer = await client.post("/mcp", json=rpc("no/such/method"))
    assert answer.json()["id"] == 7
    assert answer.json()["error"]["code"] == -32601


@pytest.mark.parametrize("name", ["", "n" * 300, "a\nb"])
async def test_a_name_that_no_tool_can_have_is_a_result(bench: Any, name: str) -> None:
    async with client_of(bench) as client:
        answer = await client.post("/mcp", json=calling(name))
    result = answer.json()["result"]
    assert result["isError"]
    assert '"code":"invalid_request"' in result["content"][0]["text"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
async def test_only_posts_are_answered(bench: Any, method: str) -> None:
    async with client_of(bench) as client:
        answer = await client.request(method, "/mcp", timeout=5)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def cancelling(request_id: object) -> dict[str, Any]:
    params = {"requestId": request_id}
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}


async def session_of(client: httpx.AsyncClient) -> dict[str, str]:
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    answer = await client.post("/mcp", json=rpc("initialize", **hello))
    return {"mcp-session-id": answer.headers["mcp-session-id"]}


async def test_a_notification_ends_the_call_of_its_own_session(bench: Any) -> None:
    answers: list[Any] = []
    async with client_of(bench) as client:
        mine, other = await session_of(client), await session_of(client)
        assert mine != other

        async def call() -> None:
            sent = calling("deed", seconds=60, text="late")
            answer = await client.post("/mcp", json=sent, headers=mine)
            answers.append(answer.json()["result"])

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            with anyio.fail_after(10):
                while not bench.executor.running:
                    await anyio.sleep(0.005)
            for headers, number in ((other, 7), (mine, 8), ({}, 7), (mine, [7])):
                await client.post("/mcp", json=cancelling(number), headers=headers)
            assert bench.executor.running == 1
            await client.post("/mcp", json=cancelling(7), headers=mine)
    assert '"code":"cancelled"' in answers[0]["content"][0]["text"]
    assert bench.executor.done == []


async def test_a_call_without_a_session_runs_to_its_end(bench: Any) -> None:
    async with client_of(bench) as client:
        answer = await client.post("/mcp", json=calling("deed", text="done"))
    assert not answer.json()["result"]["isError"]
    assert bench.executor.done == ["done"]
