"""Explanations, blast radius and allowed classes, through server and command line."""

from __future__ import annotations

import json
from typing import Any

import pytest


def shown(server: Any, approval_id: str) -> Any:
    with server.client("operator") as operator:
        return operator.get(f"/api/v1/approvals/{approval_id}").json()


def folders(server: Any, *names: str) -> None:
    for name in names:
        folder = server.tenant.workspace / name
        folder.mkdir()
        (folder / "file").write_text("12345")


def approve(server: Any, approval_id: str, **body: Any) -> Any:
    with server.client("operator", timeout=60) as operator:
        path = f"/api/v1/approvals/{approval_id}/approve"
        return operator.post(path, json=body)


def test_an_approval_shows_rules_levels_and_blast_radius(server: Any) -> None:
    folders(server, "old")
    asked = server.call("shell", command="ls | sort; rm -r old")
    approval = shown(server, asked["approval_id"])
    rules = {row["rule"]: row for row in approval["explanation"]["rules"]}
    assert set(rules) == {"ls", "sort", "rm", "rm.remove"}
    assert [name for name, row in rules.items() if row.get("decided")] == ["rm"]
    assert approval["explanation"]["paths"]["old"] == "workspace"
    assert approval["explanation"]["levels"]["3"]["locked"] == "run"
    assert approval["preview"]["summary"] == "removes 1 file, 1 folder, 5 bytes"
    text = server.tenant.letsbe("approvals", "show", asked["approval_id"]).stdout
    for said in ("* RED  rm ", "removes 1 file", "old  workspace", "3  run"):
        assert said in text


def test_the_difference_of_a_write_holds_no_secret(server: Any) -> None:
    server.tenant.provide()
    canary = server.tenant.canary
    (server.tenant.workspace / "a.ini").write_text(f"key={canary}\nb=1\n")
    server.tenant.letsbe("agents", "level", "1")
    asked = server.call("file_write", path="a.ini", content="key=SECRET_REF(token)\n")
    preview = shown(server, asked["approval_id"])["preview"]
    assert preview["detail"]["lines_removed"] == 1
    assert " key=SECRET_REF(token)\n-b=1\n" in preview["difference"]
    assert canary.encode() not in server.tenant.everything_stored()
    text = server.tenant.letsbe("approvals", "show", asked["approval_id"]).stdout
    assert "-b=1" in text
    assert canary not in text


def test_a_class_is_allowed_used_listed_and_revoked_by_http(server: Any) -> None:
    folders(server, "one", "two", "three")
    asked = server.call("shell", command="rm -r one")
    text = shown(server, asked["approval_id"])["explanation"]["class"]
    wrong = approve(server, asked["approval_id"], allow_class={"text": text})
    assert wrong.status_code == 400
    wish = {"text": "shell: anything", "hours": 1}
    unseen = approve(server, asked["approval_id"], allow_class=wish)
    assert (unseen.status_code, unseen.json()["error"]["code"]) == (
        409,
        "approval_changed",
    )
    wish = {"text": text, "hours": 1}
    done = approve(server, asked["approval_id"], allow_class=wish)
    assert done.json()["status"] == "ok"
    assert server.call("shell", command="rm -r two")["status"] == "ok"
    waits = server.call("shell", command="rm -rf three")
    assert waits["status"] == "pending_approval"
    with server.client("operator") as operator:
        (listed,) = operator.get("/api/v1/classes").json()["classes"]
        assert (listed["text"], listed["uses"]) == (text, 1)
        path = f"/api/v1/classes/{listed['id']}"
        assert operator.delete(path).json()["revoked_by"] == "operator"
        assert operator.get("/api/v1/classes").json()["classes"] == []
        ended = operator.get("/api/v1/classes", params={"ended": "true"}).json()
        assert len(ended["classes"]) == 1
        verified = operator.get("/api/v1/audit/verify").json()["verification"]
        assert verified["broken_seq"] is None
        acts = operator.get("/api/v1/audit", params={"kind": "class"}).json()["rows"]
        assert [act["decision"] for act in acts] == ["allowed", "revoked"]
    assert server.call("shell", command="rm -r three")["status"] == "pending_approval"


def test_agents_see_no_classes(server: Any) -> None:
    for who in ("agents/main", "runtime"):
        with server.client(who) as agent:
            assert agent.get("/api/v1/classes").status_code == 403
            assert agent.delete("/api/v1/classes/cls_x").status_code == 403


def test_a_class_by_the_command_line_survives_a_restart(
    tenant: Any, start: Any
) -> None:
    with start(tenant) as server:
        folders(server, "one", "two")
        asked = server.call("shell", command="rm -r one")["approval_id"]
        dry = tenant.letsbe("approvals", "approve", asked, "--dry-run").stdout
        assert "rm -r on paths in the workspace" in dry
        tenant.letsbe("approvals", "approve", asked, "--allow-class", check=2)
        choice = ("approvals", "approve", asked, "--allow-class", "--session")
        refused = tenant.letsbe(*choice, stdin="n\n", check=1)
        assert dry.strip() in refused.stderr
        assert (tenant.workspace / "one").exists()
        tenant.letsbe(*choice, stdin="y\n")
        assert not (tenant.workspace / "one").exists()
    with start(tenant) as server:
        assert server.call("shell", command="rm -r two")["status"] == "ok"
        (listed,) = json.loads(
            tenant.letsbe("approvals", "classes", "list", "--json").stdout
        )
        assert listed["session_id"] == "e2e"
        tenant.letsbe("approvals", "classes", "revoke", listed["id"])
        folders(server, "two")
        waits = server.call("shell", command="rm -r two")
        assert waits["status"] == "pending_approval"
    assert tenant.letsbe("approvals", "classes", "list").stdout.count("\n") == 1


def test_an_interpreter_is_never_a_class(server: Any) -> None:
    asked = server.call("shell", command="python3 -c 'print(1)'")
    approval = shown(server, asked["approval_id"])
    assert "runs code" in approval["explanation"]["no_class"]
    wish = {"text": "any", "hours": 1}
    answer = approve(server, asked["approval_id"], allow_class=wish)
    assert answer.json()["error"]["code"] == "no_class"
    assert shown(server, asked["approval_id"])["state"] == "pending"


def test_explain_tells_all_and_does_nothing(tenant: Any) -> None:
    (tenant.workspace / "old").mkdir()
    arguments = json.dumps({"command": "git push && rm -r old"})
    told = json.loads(tenant.letsbe("explain", "shell", arguments, "--json").stdout)
    assert (told["tier"], told["external"]) == ("RED", True)
    argv = [
        stage["argv"]
        for pipeline in told["plan"]["pipelines"]
        for stage in pipeline["stages"]
    ]
    assert argv[-1] == ["rm", "-r", "old"]
    assert told["explanation"]["levels"] == {
        "1": {"locked": "ask", "unlocked": "ask"},
        "2": {"locked": "ask", "unlocked": "ask"},
        "3": {"locked": "ask", "unlocked": "run"},
    }
    assert {"git.push", "rm.remove"} <= {
        r["rule"] for r in told["explanation"]["rules"]
    }
    text = tenant.letsbe("explain", "shell", arguments).stdout
    assert "ask; run if unlocked" in text
    assert (tenant.workspace / "old").exists()
    assert json.loads(tenant.letsbe("approvals", "list", "--json").stdout) == []
    assert json.loads(tenant.letsbe("audit", "verify", "--json").stdout)["rows"] == 0


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "said"),
    [
        ("shell", {"command": "ls $HOME"}, 0, "grammar.expansion"),
        ("shell", {}, 1, "command"),
        ("file_read", {"path": "/etc/shadow"}, 1, "outside"),
        ("nothing", {}, 1, "no active plugin"),
    ],
)
def test_explain_says_why_a_call_cannot_be(
    tenant: Any, tool: str, arguments: dict[str, Any], code: int, said: str
) -> None:
    ended = tenant.letsbe("explain", tool, json.dumps(arguments), check=code)
    assert said in ended.stdout + ended.stderr
