"""Bad input gets the same named error by HTTP, by MCP and on the command line."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

Arguments = dict[str, Any]

CASES: list[tuple[str, str, Arguments]] = [
    ("unknown_tool", "nope", {}),
    ("unknown_tool", "shell\u200b", {}),
    ("invalid_request", "shell", {}),
    ("invalid_request", "shell", {"command": 5}),
    ("invalid_request", "shell", {"command": "pwd", "nonsense": True}),
    ("invalid_request", "shell", {"command": "pwd", "timeout": "soon"}),
    ("invalid_request", "shell", {"command": "echo SECRET_REF(a"}),
    ("invalid_request", "file_read", {"path": ["a"]}),
    ("unknown_secret", "shell", {"command": "echo SECRET_REF(nope)"}),
    ("unknown_secret", "shell", {"command": "pwd", "env_refs": {"X": "nope"}}),
    ("secret_out_of_scope", "shell", {"command": "echo SECRET_REF(elsewhere)"}),
    ("masked_value", "shell", {"command": "curl -H 'Authorization: Bearer ***' x.y"}),
    ("masked_value", "file_write", {"path": "x", "content": "[REDACTED:token]"}),
    ("path_refused", "file_read", {"path": "/etc/hostname"}),
    ("path_refused", "file_read", {"path": "../home/vault.key"}),
    ("path_refused", "file_read", {"path": "a\u0000b"}),
    ("path_refused", "file_write", {"path": "", "content": "x"}),
    ("refused", "shell", {"command": "cat $(ls)"}),
    ("refused", "shell", {"command": "sleep 1 &"}),
    ("refused", "shell", {"command": "cat <<E\nx\nE"}),
    ("refused", "shell", {"command": "echo a\u0000b"}),
    ("refused", "shell", {"command": "ls " + "x" * 5000}),
    ("refused", "shell", {"command": "echo 'unended"}),
]


def prepared(server: Any) -> None:
    server.tenant.letsbe(
        "secrets",
        "provide",
        "elsewhere",
        "--tool",
        "other",
        stdin=server.tenant.canary,
    )


def told(answer: dict[str, Any]) -> tuple[str, str]:
    """The code and the text, of an answer or of an error."""
    found = answer.get("error") or answer
    return str(found["code"]), str(found.get("message") or found.get("reason"))


def by_http(server: Any) -> list[tuple[str, str]]:
    return [told(server.call(tool, **arguments)) for _, tool, arguments in CASES]


def by_command(server: Any) -> list[tuple[str, str]]:
    lines = [
        json.dumps({"id": str(n), "tool_name": tool, "tool_args": arguments})
        for n, (_, tool, arguments) in enumerate(CASES)
    ]
    ended = server.tenant.letsbe("call", "--jsonl", stdin="\n".join(lines))
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [str(n) for n in range(len(CASES))]
    return [told(answer) for answer in answers]


def by_mcp(server: Any) -> list[tuple[str, str]]:
    async def ask() -> list[tuple[str, str]]:
        headers = {"authorization": f"Bearer {server.tenant.token('agents/main')}"}
        async with (
            create_mcp_http_client(headers=headers) as client,
            streamable_http_client(f"{server.address}/mcp", http_client=client) as pipe,
            ClientSession(pipe[0], pipe[1]) as session,
        ):
            await session.initialize()
            answers = []
            for _, tool, arguments in CASES:
                result = await session.call_tool(tool, arguments)
                assert result.is_error
                (content,) = result.content
                assert content.type == "text"
                answers.append(told(json.loads(content.text)))
            return answers

    return anyio.run(ask)


def test_every_way_says_the_same(server: Any) -> None:
    prepared(server)
    expected = [code for code, _, _ in CASES]
    answers = by_http(server)
    assert [code for code, _ in answers] == expected
    assert by_command(server) == answers
    assert by_mcp(server) == answers
    for code, text in answers:
        assert len(text) > 15, code
        assert server.tenant.canary not in text


def test_nothing_was_executed(server: Any) -> None:
    prepared(server)
    by_http(server)
    assert list(server.tenant.workspace.iterdir()) == []
    rows = server.tenant.letsbe("audit", "export").stdout.splitlines()
    assert not [row for row in rows if json.loads(row)["kind"] == "intent"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\xff\xfe", "invalid_request"),
        (b'{"id": "x"}', "invalid_request"),
        (b'{"id": "x", "tool_name": "shell", "nonsense": 1}', "invalid_request"),
        (b'{"id": "x", "tool_name": "shell", "tool_args": 3}', "invalid_request"),
        (b"[" * 5000, "invalid_request"),
    ],
)
def test_a_bad_line_is_answered_and_the_next_one_too(
    tenant: Any, sent: bytes, code: str
) -> None:
    good = b'{"id": "y", "tool_name": "shell", "tool_args": {"command": "pwd"}}'
    ended = tenant.letsbe("call", "--jsonl", stdin=sent + b"\n" + good + b"\n")
    first, second = (json.loads(line) for line in ended.stdout.splitlines())
    assert first["error"]["code"] == code
    assert (second["id"], second["status"]) == ("y", "ok")


def test_the_command_line_ends_with_a_code_that_means_something(tenant: Any) -> None:
    assert tenant.call("shell", command="pwd")["status"] == "ok"
    assert tenant.call("shell", command="cat $(ls)", check=3)["status"] == "denied"
    asked = tenant.call("shell", command="rm x", check=4)
    assert asked["status"] == "pending_approval"
    tenant.letsbe("call", "nope", "{}", check=1)
    tenant.letsbe("call", "shell", "{", check=1)
    tenant.letsbe("call", check=2)
    tenant.letsbe("approvals", "deny", asked["approval_id"], "--reason", "no")
    tenant.letsbe("approvals", "approve", asked["approval_id"], check=1)


def test_a_wrong_token_is_told_so(server: Any) -> None:
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        answer = client.post("/api/v1/tools/execute", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        401,
        "unauthenticated",
    )


def test_a_home_that_is_not_whole_says_what_to_do(tenant: Any) -> None:
    (tenant.home / "vault.key").chmod(0o644)
    said = tenant.letsbe("call", "shell", "{}", check=1).stderr
    assert "chmod 600" in said
    (tenant.home / "vault.key").chmod(0o600)
    (tenant.home / "letsbe.toml").write_text("[wrapper]\nprot = 5\n")
    said = tenant.letsbe("up", check=1).stderr
    assert "wrapper.prot" in said
    (tenant.home / "letsbe.toml").unlink()
    assert "letsbe init" in tenant.letsbe("up", check=1).stderr
