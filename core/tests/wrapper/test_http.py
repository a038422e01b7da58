from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from letsbe.errors import StorageError
from letsbe.openclaw.document import TenantDocument
from letsbe.wrapper.http import health
from letsbe.wrapper.http.app import ENDPOINTS, make_app
from letsbe.wrapper.tokens import Tokens, read_token

pytestmark = pytest.mark.anyio

EXECUTE = "/api/v1/tools/execute"
CANARY = "canary-of-a-request"


@contextlib.asynccontextmanager
async def served(bench: Any, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(bench.wrapper, Tokens(bench.home))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    base = "http://127.0.0.1:8200"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=base, **settings) as client,
    ):
        yield client


def bearer(bench: Any, who: str) -> dict[str, str]:
    paths = {
        "operator": bench.home.operator_token,
        "runtime": bench.home.runtime_token,
        "main": bench.home.agent_tokens / "main",
        "marketing": bench.home.agent_tokens / "marketing",
    }
    return {"authorization": f"Bearer {read_token(paths[who])}"}


def body(**arguments: Any) -> dict[str, Any]:
    return {"session_id": "s1", "tool_name": "deed", "tool_args": arguments}


class TestWhoMayCall:
    async def test_the_token_says_who_calls_and_not_the_body(self, bench: Any) -> None:
        async with served(bench) as client:
            asked = {**body(), "agent_id": "marketing"}
            await client.post(EXECUTE, json=asked, headers=bearer(bench, "main"))
        assert bench.wrapper.audit.query()[0].agent_id == "main"

    async def test_the_runtime_names_the_agent(self, bench: Any) -> None:
        async with served(bench) as client:
            headers = bearer(bench, "runtime")
            asked = {**body(), "agent_id": "marketing"}
            right = await client.post(EXECUTE, json=asked, headers=headers)
            nobody = await client.post(EXECUTE, json=body(), headers=headers)
        assert right.json()["status"] == "ok"
        assert bench.wrapper.audit.query()[0].agent_id == "marketing"
        assert nobody.status_code == 400
        assert "agent_id" in nobody.json()["error"]["message"]

    async def test_every_endpoint_refuses_every_wrong_token(self, bench: Any) -> None:
        secret = "sk-not-a-token-of-ours-0123456789abcdef"
        wrong = ["", "Bearer", f"Bearer {secret}", f"Basic {secret}", secret]
        async with served(bench) as client:
            for endpoint in ENDPOINTS:
                path = endpoint.path.replace("{id}", "x")
                for value in wrong:
                    answer = await client.request(
                        endpoint.method, path, headers={"authorization": value}
                    )
                    open_to_all = not endpoint.roles
                    assert (answer.status_code == 401) is not open_to_all, path
                    assert secret not in answer.text

    async def test_an_agents_token_cannot_stand_in_for_the_operators(
        self, bench: Any
    ) -> None:
        bench.provide()
        async with served(bench) as client:
            for who in ("main", "runtime"):
                for endpoint in ENDPOINTS:
                    if "operator" not in {role.value for role in endpoint.roles}:
                        continue
                    if len(endpoint.roles) > 1:
                        continue
                    path = endpoint.path.replace("{id}", "token")
                    answer = await client.request(
                        endpoint.method, path, headers=bearer(bench, who)
                    )
                    assert answer.status_code == 403, path
                    assert bench.canary not in answer.text

    async def test_the_operator_is_no_agent(self, bench: Any) -> None:
        async with served(bench) as client:
            for path in (EXECUTE, "/mcp"):
                answer = await client.post(
                    path, json=body(), headers=bearer(bench, "operator")
                )
                assert answer.status_code == 403
        assert bench.executor.done == []

    async def test_an_agent_added_later_is_known_at_once(self, bench: Any) -> None:
        from letsbe.wrapper.tokens import create_agent_token  # noqa: PLC0415 - as the command does

        async with served(bench) as client:
            path = create_agent_token(bench.home, "sales")
            headers = {"authorization": f"Bearer {read_token(path)}"}
            answer = await client.post(EXECUTE, json=body(), headers=headers)
        assert answer.status_code == 200


class TestWhereFrom:
    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil:1", "["]
    )
    async def test_a_foreign_host_is_refused(self, bench: Any, host: str) -> None:
        async with served(bench) as client:
            headers = {**bearer(bench, "main"), "host": host}
            answer = await client.post(EXECUTE, json=body(), headers=headers)
        assert answer.status_code == 403
        assert bench.executor.done == []

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "http://127.0.0.1.evil.example"]
    )
    async def test_a_foreign_origin_is_refused(self, bench: Any, origin: str) -> None:
        async with served(bench) as client:
            for path in (EXECUTE, "/mcp", "/healthz"):
                headers = {**bearer(bench, "main"), "origin": origin}
                answer = await client.post(path, json=body(), headers=headers)
                assert answer.status_code == 403
        assert bench.executor.done == []

    @pytest.mark.parametrize("host", ["localhost:8200", "127.0.0.1", "[::1]:8200"])
    async def test_our_own_names_pass(self, bench: Any, host: str) -> None:
        async with served(bench) as client:
            headers = {"host": host, "origin": f"http://{host}"}
            assert (await client.get("/healthz", headers=headers)).status_code == 200


BAD_BODIES = [
    (b"", ""),
    (b"{}", "session_id"),
    (b"{", ""),
    (b"[]", ""),
    (b"\xff\xfe{}", ""),
    (b'{"session_id": "s", "tool_name": "deed", "nonsense": 1}', "nonsense"),
    (b'{"session_id": 5, "tool_name": "deed"}', "session_id"),
    (b'{"session_id": "", "tool_name": "deed"}', "session_id"),
    (b'{"session_id": "s\\u0000", "tool_name": "deed"}', "session_id"),
    (b'{"session_id": "s", "tool_name": "deed", "tool_args": []}', "tool_args"),
    (b'{"session_id": "s", "tool_name": "deed", "tool_args": {"x": NaN}}', ""),
    (b'{"session_id": "s", "tool_name": "deed", "context": {"y": 1}}', "context.y"),
    (b'{"session_id": "s", "tool_name": "deed", "tool_args": {"text": "\\ud800"}}', ""),
    (b'{"a":' * 2000, ""),
]


class TestBadInput:
    @pytest.mark.parametrize(("sent", "field"), BAD_BODIES)
    async def test_a_wrong_body_is_a_named_error(
        self, bench: Any, sent: bytes, field: str
    ) -> None:
        async with served(bench) as client:
            answer = await client.post(
                EXECUTE, content=sent, headers=bearer(bench, "main")
            )
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["code"] == "invalid_request"
        assert error["details"]
        assert field in {detail["field"] for detail in error["details"]} or not field
        assert bench.executor.done == []

    @pytest.mark.parametrize(
        "sent",
        [
            {**body(), CANARY: 1},
            {**body(), "session_id": {CANARY: CANARY}},
            {**body(), "context": {CANARY: 1}},
            {**body(), "tool_name": CANARY},
            body(count=CANARY),
            body(**{CANARY: 1}),
            body(env_refs={CANARY: 5}),
        ],
    )
    async def test_a_secret_that_was_sent_is_not_sent_back(
        self, bench: Any, sent: Any
    ) -> None:
        bench.provide(value=CANARY)
        async with served(bench) as client:
            headers = bearer(bench, "main")
            answer = await client.post(EXECUTE, json=sent, headers=headers)
        assert answer.status_code in {400, 404}
        assert CANARY not in answer.text
        assert CANARY.encode() not in bench.everything_stored()

    async def test_a_secret_in_a_query_or_a_path_is_not_sent_back(
        self, bench: Any
    ) -> None:
        bench.provide(value=CANARY)
        async with served(bench, headers=bearer(bench, "operator")) as client:
            query = await client.get("/api/v1/audit", params={CANARY: 1})
            path = await client.post(f"/api/v1/secrets/{CANARY}/rotate", json={})
        assert (query.status_code, path.status_code) == (400, 422)
        assert CANARY not in query.text + path.text

    async def test_a_secret_in_an_id_is_not_kept(self, bench: Any) -> None:
        bench.provide(value=CANARY)
        ids = ("conversation_id", "parent_tool_call_id", "tool_call_id")
        sent = {**body(), "session_id": f"s {CANARY}"}
        sent["context"] = {name: f"{name} {CANARY}" for name in ids}
        async with served(bench) as client:
            headers = bearer(bench, "main")
            first = await client.post(EXECUTE, json=sent, headers=headers)
            again = await client.post(EXECUTE, json=sent, headers=headers)
            asked = {**sent, **body(tier="RED"), "session_id": f"s {CANARY}"}
            asked["context"] = {"conversation_id": CANARY}
            await client.post(EXECUTE, json=asked, headers=headers)
        assert first.json()["status"] == "ok"
        assert again.json() == first.json()
        assert bench.wrapper.audit.query()[1].session_id == "s SECRET_REF(token)"
        assert CANARY.encode() not in bench.everything_stored()

    async def test_a_body_that_does_not_come_is_not_waited_for(
        self, bench: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("letsbe.wrapper.http.guard.BODY_SECONDS", 0.2)

        async def slow() -> AsyncIterator[bytes]:
            yield b"{"
            await anyio.sleep(30)

        async with served(bench) as client:
            with anyio.fail_after(5):
                answer = await client.post(
                    EXECUTE, content=slow(), headers=bearer(bench, "main")
                )
        assert answer.status_code == 400
        assert "did not arrive" in answer.json()["error"]["message"]

    async def test_an_id_that_only_looks_random_is_kept(self, bench: Any) -> None:
        session = "agent:main:9f86d081884c7d659a2feaa0c55ad015Zq7Lx2"
        async with served(bench) as client:
            headers = bearer(bench, "main")
            sent = {**body(), "session_id": session}
            await client.post(EXECUTE, json=sent, headers=headers)
        assert bench.wrapper.audit.query()[0].session_id == session

    async def test_an_unknown_tool_is_404(self, bench: Any) -> None:
        async with served(bench) as client:
            sent = {**body(), "tool_name": "nope"}
            answer = await client.post(
                EXECUTE, json=sent, headers=bearer(bench, "main")
            )
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            404,
            "unknown_tool",
        )

    @pytest.mark.parametrize("path", [EXECUTE, "/mcp", "/api/v1/secrets"])
    async def test_a_body_over_the_limit_is_refused(
        self, make_bench: Any, path: str
    ) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b" " * 1000

        with make_bench(body_limit=20_000) as bench:
            who = "operator" if "secrets" in path else "main"
            async with served(bench) as client:
                whole = await client.post(
                    path, content=b" " * 40_000, headers=bearer(bench, who)
                )
                chunked = await client.post(
                    path, content=pieces(), headers=bearer(bench, who)
                )
        assert [whole.status_code, chunked.status_code] == [413, 413]

    async def test_wrong_paths_and_methods_have_the_same_form(self, bench: Any) -> None:
        async with served(bench) as client:
            missing = await client.get("/nothing/here")
            method = await client.get(EXECUTE)
        assert (missing.status_code, method.status_code) == (404, 405)
        assert missing.json()["error"]["code"] == "not_found"
        assert method.json()["error"]["code"] == "method_not_allowed"
        assert method.headers["allow"] == "POST"


class TestOperator:
    async def test_an_approval_from_list_to_outcome(self, bench: Any) -> None:
        async with served(bench, headers=bearer(bench, "operator")) as client:
            waiting = await bench.call(tier="RED", text="boom")
            listed = (await client.get("/api/v1/approvals?state=pending")).json()
            (found,) = listed["approvals"]
            assert found["id"] == waiting.approval_id
            path = f"/api/v1/approvals/{found['id']}"
            assert (await client.get(path)).json()["plan"] == {"argv": ["deed"]}
            answer = await client.post(f"{path}/approve", json={"reason": "fine"})
            assert answer.json()["status"] == "ok"
            again = await client.post(f"{path}/approve")
        assert (again.status_code, again.json()["error"]["code"]) == (
            409,
            "approval_closed",
        )
        assert bench.executor.done == ["boom"]

    async def test_a_secret_from_provide_to_delete(self, bench: Any) -> None:
        path = "/api/v1/secrets"
        async with served(bench, headers=bearer(bench, "operator")) as client:
            made = await client.post(
                path, json={"name": "token", "value": bench.canary, "tools": ["deed"]}
            )
            assert made.status_code == 201
            assert made.json()["tools"] == ["deed"]
            listed = await client.get(path)
            assert bench.canary not in made.text + listed.text
            shown = await client.post(f"{path}/token/reveal")
            assert shown.json()["value"] == bench.canary
            assert shown.headers["cache-control"] == "no-store"
            rotated = await client.post(f"{path}/token/rotate", json={})
            assert rotated.json()["version"] == 2
            other = await client.post(
                f"{path}/generate", json={"name": "other", "length": 40}
            )
            assert other.status_code == 201
            assert (await client.delete(f"{path}/token")).status_code == 204
            gone = await client.post(f"{path}/token/reveal")
            assert gone.json()["error"]["code"] == "unknown_secret"
        decisions = [row.decision for row in bench.wrapper.audit.query(kind="secret")]
        assert decisions == ["provided", "revealed", "rotated", "provided", "deleted"]

    async def test_a_wrong_secret_is_named_without_its_value(self, bench: Any) -> None:
        async with served(bench, headers=bearer(bench, "operator")) as client:
            for sent in (
                {"name": "token", "value": bench.canary, "nonsense": 1},
                {"name": "not a name", "value": bench.canary},
                {"name": "token", "value": bench.canary, "tools": []},
                {"name": "token", "value": [bench.canary]},
            ):
                answer = await client.post("/api/v1/secrets", json=sent)
                assert answer.status_code == 400
                assert bench.canary not in answer.text

    async def test_the_audit_log_can_be_read_and_verified(self, bench: Any) -> None:
        await bench.call(text="x")
        async with served(bench, headers=bearer(bench, "operator")) as client:
            rows = (await client.get("/api/v1/audit?kind=intent")).json()["rows"]
            found = (await client.get("/api/v1/audit/verify")).json()["verification"]
            wrong = await client.get("/api/v1/audit?limit=many")
        assert [row["kind"] for row in rows] == ["intent"]
        assert (found["rows"], found["broken_seq"]) == (2, None)
        assert wrong.status_code == 400


class TestWatching:
    async def test_health_readiness_and_metrics(self, bench: Any) -> None:
        await bench.call(text="x")
        async with served(bench) as client:
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            assert (await client.get("/readyz")).json()["ready"] is True
            metrics = (await client.get("/metrics")).text
            bench.home.agents.write_text("{", encoding="utf-8")
            broken = await client.get("/readyz")
        labels = 'status="ok",tier="GREEN",tool="deed"'
        assert f"letsbe_tool_calls_total{{{labels}}} 1.0" in metrics
        assert broken.status_code == 503
        assert "agents.json" in broken.json()["checks"]["policy"]

    async def test_a_full_disk_is_not_ready(
        self, bench: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing() -> None:
            raise StorageError("the disk is full")

        async with served(bench) as client:
            monkeypatch.setattr(health, "LEAST_FREE", 1 << 62)
            full = await client.get("/readyz")
            monkeypatch.undo()
            monkeypatch.setattr(bench.wrapper.audit, "probe", failing)
            broken = await client.get("/readyz")
        assert full.status_code == broken.status_code == 503
        assert "make room" in full.json()["checks"]["disk"]
        assert broken.json()["checks"]["database"] == "the disk is full"

    async def test_openclaw_that_has_moved_is_noticed(
        self, bench: Any, tmp_path: Path
    ) -> None:
        async with served(bench) as client:
            place = str(tmp_path / "elsewhere")
            TenantDocument(bench.home.tenant).set_single("runtime", state=place)
            moved = await client.get("/readyz")
        assert moved.status_code == 503
        assert "restart it" in moved.json()["checks"]["openclaw"]

    async def test_tools_are_listed_in_one_order_with_schemas(self, bench: Any) -> None:
        async with served(bench, headers=bearer(bench, "main")) as client:
            first = await client.get("/api/v1/tools")
            second = await client.get("/api/v1/tools")
        assert first.content == second.content
        tools = {tool["name"]: tool for tool in first.json()["tools"]}
        assert list(tools) == ["deed", "helping", "undeclared"]
        assert tools["undeclared"]["tier"] == "RED"
        assert "text" in tools["deed"]["arguments"]["properties"]

    async def test_openapi_describes_every_endpoint(self, bench: Any) -> None:
        async with served(bench) as client:
            document = (await client.get("/api/v1/openapi.json")).json()
        described = {
            (method.upper(), path)
            for path, methods in document["paths"].items()
            for method in methods
        }
        assert described == {(row.method, row.path) for row in ENDPOINTS}
        text = str(document)
        schemas = document["components"]["schemas"]
        used = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
        assert used <= set(schemas)


async def test_an_unforeseen_error_shows_no_text(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError(bench.canary)

    monkeypatch.setattr(bench.wrapper.dispatcher, "call", explode)
    async with served(bench) as client:
        answer = await client.post(EXECUTE, json=body(), headers=bearer(bench, "main"))
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "error"
    assert bench.canary not in answer.text
