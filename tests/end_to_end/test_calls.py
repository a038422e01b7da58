"""Calls over HTTP to a real wrapper, with the executors that ship."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


def test_a_read_runs_and_is_audited(server: Any) -> None:
    (server.tenant.workspace / "names.txt").write_text("b\na\n")
    answer = server.call("shell", command="sort names.txt | head -n 1")
    assert (answer["status"], answer["tier"]) == ("ok", "GREEN")
    assert answer["output"]["stdout"] == "a\n"
    verified = server.tenant.letsbe("audit", "verify", "--json")
    assert json.loads(verified.stdout)["rows"] == 2


def test_a_write_runs_at_level_two_and_asks_at_level_one(server: Any) -> None:
    wrote = server.call("file_write", path="a.txt", content="hello")
    assert (wrote["status"], wrote["tier"]) == ("ok", "YELLOW")
    server.tenant.letsbe("agents", "level", "1")
    asked = server.call("file_write", path="b.txt", content="hello")
    assert asked["status"] == "pending_approval"
    assert not (server.tenant.workspace / "b.txt").exists()


def test_what_destroys_waits_for_a_person(server: Any) -> None:
    target = server.tenant.workspace / "old"
    target.mkdir()
    asked = server.call("shell", command="rm -r old")
    assert asked["status"] == "pending_approval"
    assert target.exists()
    with server.client("operator") as operator:
        path = f"/api/v1/approvals/{asked['approval_id']}"
        plan = json.dumps(operator.get(path).json()["plan"])
        assert '"rm", "-r", "old"' in plan
        answer = operator.post(f"{path}/approve", json={}).json()
    assert answer["status"] == "ok"
    assert not target.exists()


def test_an_approval_by_the_command_line_while_the_server_runs(server: Any) -> None:
    (server.tenant.workspace / "old").mkdir()
    asked = server.call("shell", command="rm -r old")
    listed = server.tenant.letsbe("approvals", "list", "--json").stdout
    assert asked["approval_id"] in listed
    server.tenant.letsbe("approvals", "approve", asked["approval_id"])
    assert not (server.tenant.workspace / "old").exists()
    with server.client("operator") as operator:
        stored = operator.get(f"/api/v1/approvals/{asked['approval_id']}").json()
        assert stored["state"] == "done"
        assert operator.get("/api/v1/audit/verify").json()["verification"]["rows"] == 3


def test_a_secret_is_used_and_never_seen(server: Any) -> None:
    server.tenant.provide()
    canary = server.tenant.canary
    wrote = server.call(
        "file_write", path="config.ini", content="key = SECRET_REF(token)\n"
    )
    assert wrote["status"] == "ok"
    stored = (server.tenant.workspace / "config.ini").read_text()
    assert stored == f"key = {canary}\n"
    echoed = server.call("shell", command="echo SECRET_REF(token)")
    assert echoed["output"]["stdout"] == "SECRET_REF(token)\n"
    read = server.call("file_read", path="config.ini")
    assert "SECRET_REF(token)" in json.dumps(read)
    encoded = base64.b64encode(canary.encode()).decode()
    (server.tenant.workspace / "encoded").write_text(
        f"{encoded} {canary.encode().hex()}"
    )
    hidden = server.call("shell", command="cat encoded")
    everything = json.dumps([wrote, echoed, read, hidden])
    for form in (canary, encoded.rstrip("=")[:-2], canary.encode().hex()):
        assert form not in everything
    assert canary.encode() not in server.tenant.everything_stored()


def test_a_secret_reaches_a_program_by_its_environment(server: Any) -> None:
    server.tenant.provide()
    answer = server.call("env_update", path=".env", set={"KEY": "SECRET_REF(token)"})
    assert answer["status"] == "ok"
    assert server.tenant.canary in (server.tenant.workspace / ".env").read_text()
    read = server.call("env_read", path=".env")
    assert server.tenant.canary not in json.dumps(read)
    assert "SECRET_REF(token)" in json.dumps(read)


def test_a_new_secret_is_redacted_at_once(server: Any) -> None:
    path = server.tenant.workspace / "leak.txt"
    path.write_text(server.tenant.canary)
    before = server.call("file_read", path="leak.txt")
    assert server.tenant.canary in json.dumps(before)
    server.tenant.provide()
    after = server.call("file_read", path="leak.txt")
    assert server.tenant.canary not in json.dumps(after)


def test_two_hundred_calls_at_once_are_neither_lost_nor_doubled(server: Any) -> None:
    def append(number: int) -> Any:
        body = {
            "session_id": "many",
            "tool_name": "file_write",
            "tool_args": {"path": f"n{number}", "content": str(number)},
            "context": {"tool_call_id": f"c{number}"},
        }
        return client.post("/api/v1/tools/execute", json=body).json()

    with server.client(timeout=120) as client, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(append, [*range(200), *range(50)]))
    assert {answer["status"] for answer in answers} == {"ok"}
    files = sorted(p.name for p in server.tenant.workspace.iterdir())
    assert files == sorted(f"n{number}" for number in range(200))
    with server.client("operator") as operator:
        found = operator.get("/api/v1/audit/verify").json()["verification"]
    assert (found["rows"], found["open_intents"]) == (400, [])


def test_a_deadline_ends_every_process_of_a_call(server: Any) -> None:
    answer = server.call("shell", command="sleep 61 | sleep 61", timeout=0.5)
    assert answer["output"]["timed_out"] is True
    left = subprocess.run(
        ["pgrep", "-f", "^sleep 61"], capture_output=True, check=False
    )
    assert left.stdout == b""


def test_sigterm_ends_the_server_cleanly(tenant: Any, start: Any) -> None:
    with start(tenant) as server:
        server.call("shell", command="pwd")
        server.process.terminate()
        assert server.process.wait(timeout=30) == 0
    assert json.loads(tenant.letsbe("audit", "verify", "--json").stdout)["ok"]


def test_a_tool_call_is_on_the_log_once_however_often_it_is_retried(
    server: Any,
) -> None:
    body = {
        "session_id": "s",
        "tool_name": "shell",
        "tool_args": {"command": "date +%N"},
        "context": {"tool_call_id": "same"},
    }
    with server.client() as client:
        answers = [
            client.post("/api/v1/tools/execute", json=body).json() for _ in range(3)
        ]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("after", [0.0, 0.05, 0.3])
def test_a_kill_leaves_a_log_that_verifies_and_shows_the_open_intent(
    tenant: Any, start: Any, after: float
) -> None:
    with start(tenant) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(_call_and_lose, server)
        _wait_for_intent(tenant)
        time.sleep(after)
        server.kill()
    found = json.loads(tenant.letsbe("audit", "verify", "--json").stdout)
    assert found["ok"]
    assert len(found["open_intents"]) == 1
    with start(tenant) as server:
        retried = server.call("shell", command="pwd")
    assert retried["status"] == "ok"


def _call_and_lose(server: Any) -> None:
    import httpx  # noqa: PLC0415 - only its error is of interest

    with pytest.raises(httpx.HTTPError):
        server.call("shell", command="sleep 20")


def _wait_for_intent(tenant: Any) -> None:
    for _ in range(100):
        if "intent" in tenant.letsbe("audit", "tail").stdout:
            return
        time.sleep(0.05)
    pytest.fail("the call never began")
