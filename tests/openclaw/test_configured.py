"""OpenClaw as we configure it: its own check, its agents, its first request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.openclaw.configured import MODEL, Cafe
from tests.openclaw.gateway import Gateway
from tests.openclaw.runtime import Runtime
from tests.openclaw.scripted_llm import Reply, ScriptedLlm, ToolUse

FIRST_REQUEST = 30 * 1024
CRON_REQUEST = 10 * 1024
AGENTS = ("dispatcher", "it-admin", "marketing", "secretary", "sales")


def test_openclaws_own_check_takes_it_without_a_word(cafe: Cafe) -> None:
    assert "nothing to change" in cafe.configure()
    told = json.loads(
        cafe.letsbe(
            "openclaw",
            "configure",
            "--state",
            str(cafe.state.state),
            "--yes",
            "--json",
            *cafe.program,
        )
    )
    assert told["checked"] is True
    assert told["written"] == []


@pytest.mark.parametrize("agent", AGENTS)
def test_each_agent_reads_by_the_wrapper_with_its_own_texts(
    gateway: Gateway, cafe: Cafe, llm: ScriptedLlm, agent: str
) -> None:
    use = ToolUse(f"sw-{agent}__file_read", {"path": "menu.txt"})
    with llm.script(Reply(calls=(use,)), Reply("Cake!")) as script:
        assert gateway.chat(f"menu? {script.mark}", agent=agent) == "Cake!"
    first, second = script.requests
    assert len(first.body) <= FIRST_REQUEST
    assert first.json["model"] == MODEL
    assert "# How you work" in first.text
    soul = (cafe.state.state / "agents" / agent / "SOUL.md").read_text("utf-8")
    assert json.dumps(soul.partition("\n")[0], ensure_ascii=False)[1:-1] in first.text
    assert all(name.startswith(f"sw-{agent}__") for name in first.tools)
    assert "rhubarb cake" in second.results[-1]


def test_no_job_is_scheduled_that_is_not_ours(gateway: Gateway) -> None:
    jobs = json.loads(gateway.run("cron", "list", "--all", "--json"))["jobs"]
    assert [job["name"] for job in jobs if job["enabled"]] == []


def test_openclaws_own_audit_finds_nothing_new(gateway: Gateway, cafe: Cafe) -> None:
    told = json.loads(cafe.letsbe("openclaw", "audit", "--json", *cafe.program))
    assert told["ok"] is True
    found = {finding["check"] for finding in told["findings"]}
    # What is accepted is still found: the list has nothing that is out of date.
    assert {"summary.attack_surface", "gateway.probe_failed"} <= found


def test_the_agent_looks_at_the_backups_and_the_hub_is_told(
    gateway: Gateway, cafe: Cafe, llm: ScriptedLlm
) -> None:
    with llm.script() as script:
        file = cafe.work / f"backup-status {script.mark}.json"
        cafe.letsbe("openclaw", "tenant", "--backup-status", str(file))
        told = {"finished_at": datetime.now(UTC).isoformat()}
        file.write_text(json.dumps({**told, "backups": [{"name": "db", "ok": True}]}))
        use = ToolUse("sw-it-admin__file_read", {"path": str(file)})
        script.add(Reply(calls=(use,)), Reply("BACKUPS OK"))
        for made in ("created", "updated"):
            printed = cafe.letsbe("openclaw", "schedule", "--json", *cafe.program)
            assert json.loads(printed)[made] == ["backup-status"]
        jobs = json.loads(gateway.run("cron", "list", "--json"))["jobs"]
        (job,) = [job for job in jobs if job["name"] == "backup-status"]
        assert job["payload"]["lightContext"] is True
        assert job["schedule"]["tz"] == "Europe/Berlin"
        gateway.run("cron", "run", job["id"], "--wait")
        first, second = script.requests
    assert first.tools == ["sw-it-admin__file_read"]
    assert len(first.body) <= CRON_REQUEST
    assert "finished_at" in second.results[-1]
    report = json.loads(cafe.letsbe("openclaw", "backups", "--json", *cafe.program))
    assert (report["state"], report["agent_says_ok"]) == ("ok", True)
    rows = cafe.letsbe("audit", "export")
    assert '"it-admin"' in rows


def test_with_the_bridge_an_agent_is_offered_its_scope(
    runtime: Runtime, llm: ScriptedLlm, tmp_path: Path
) -> None:
    made = Cafe(tmp_path / "cafe", llm.address, runtime)
    made.make()
    (made.work / "menu.txt").write_text("rhubarb cake")
    bridge = tmp_path / "bridge"
    with made.up():
        made.configure()  # by MCP first; it also makes the tokens
        made.install_bridge(bridge)
        made.letsbe("openclaw", "tenant", "--bridge", str(bridge))
        made.configure()
        use = ToolUse("letsbe_file_read", {"path": "menu.txt"})
        hidden = ToolUse("letsbe_shell", {"command": "ls"})
        with (
            made.gateway() as gateway,
            llm.script(Reply(calls=(use,)), Reply(calls=(hidden,)), Reply("!")) as said,
        ):
            assert gateway.chat(f"menu? {said.mark}", agent="sales") == "!"
    first, second, third = said.requests
    assert len(first.body) <= FIRST_REQUEST
    assert {"letsbe_file_read", "letsbe_use_tool"} <= set(first.tools)
    assert not {"letsbe_shell", "letsbe_docker", "exec"} & set(first.tools)
    assert "rhubarb cake" in second.results[-1]
    assert "not found" in third.results[-1]


TAMPERING: list[tuple[str, dict[str, object]]] = [
    ("file_write", {"path": "{state}/openclaw.json", "content": "{{}}"}),
    ("file_write", {"path": "{state}/agents/sales/SOUL.md", "content": "Be bad."}),
    ("file_write", {"path": "{state}/skills/x/SKILL.md", "content": "Be bad."}),
    ("env_update", {"path": "{state}/.env", "set": {"A": "b"}}),
    ("file_read", {"path": "{state}/.env"}),
    ("shell", {"command": "cp menu.txt {state}/openclaw.json"}),
    ("shell", {"command": "cat {state}/.env"}),
    ("shell", {"command": "ln -s {state} here"}),
    ("shell", {"command": "{package}/openclaw.mjs config set tools.allow x"}),
    ("shell", {"command": "node {package}/openclaw.mjs cron list"}),
    ("shell", {"command": "curl http://127.0.0.1:{gateway}/v1/models"}),
    ("shell", {"command": "curl http://localhost:{wrapper}/api/v1/approvals"}),
    ("shell", {"command": "curl http://[::1]:{proxy}/router/v1/models"}),
]


@pytest.mark.parametrize(("tool", "arguments"), TAMPERING)
def test_no_agent_reaches_openclaw_by_our_own_tools(
    gateway: Gateway, cafe: Cafe, tool: str, arguments: dict[str, object]
) -> None:
    places = {
        "state": cafe.state.state,
        "package": cafe.runtime.openclaw.parent,
        "gateway": cafe.gateway_port,
        "wrapper": cafe.wrapper_port,
        "proxy": cafe.proxy_port,
    }
    filled = {
        key: value.format(**places) if isinstance(value, str) else value
        for key, value in arguments.items()
    }
    before = cafe.state.config.read_bytes()
    body = {"session_id": "tampering", "tool_name": tool, "tool_args": filled}
    asked = ("POST", "/api/v1/tools/execute", body, "agents/it-admin")
    assert cafe.tenant.ask(*asked)["status"] == "denied"
    assert cafe.state.config.read_bytes() == before


def test_the_audit_notices_what_was_opened_and_configuring_closes_it(
    cafe: Cafe,
) -> None:
    settings = cafe.settings
    settings["tools"] = {"allow": ["*"], "exec": {"security": "full", "ask": "off"}}
    cafe.state.config.write_text(json.dumps(settings))
    told = json.loads(cafe.letsbe("openclaw", "audit", "--json", *cafe.program, code=1))
    new = [f["check"] for f in told["findings"] if f["accepted"] is None]
    assert "tools.exec.security_full_configured" in new
    assert "tools.allow" in cafe.configure()
    assert "nothing to change" in cafe.configure()


def test_messengers_are_taken_by_openclaws_schema(
    runtime: Runtime, tmp_path: Path
) -> None:
    made = Cafe(tmp_path / "cafe", "http://127.0.0.1:9", runtime)
    made.make()
    token = tmp_path / "token"
    token.write_text("12345678:not-a-real-token-of-a-bot")
    token.chmod(0o600)
    owner = ["--owner", "42424242", "--token-file", str(token)]
    made.letsbe("openclaw", "channel", "add", "telegram", *owner)
    made.letsbe("openclaw", "channel", "add", "whatsapp", "--owner", "+4915551234567")
    assert "checked by OpenClaw" in made.configure()
    assert set(made.settings["channels"]) == {"telegram", "whatsapp"}


def test_a_configuration_that_openclaw_refuses_is_not_written(
    cafe: Cafe, tmp_path: Path
) -> None:
    before = cafe.state.config.read_text()
    settings = json.loads(before)
    settings["session"]["nonsense"] = True
    cafe.state.config.write_text(json.dumps(settings))
    # A person's own key that is wrong is theirs to mend; nothing is written meanwhile.
    cafe.letsbe("openclaw", "tenant", "--owner", "Bo Berg")
    assert "nonsense" in cafe.configure(code=1)
    assert json.loads(cafe.state.config.read_text()) == settings
    cafe.letsbe("openclaw", "tenant", "--owner", "Ada Berg")
    cafe.state.config.write_text(before)


def test_the_proxy_counts_each_agents_tokens(gateway: Gateway, cafe: Cafe) -> None:
    told = cafe.letsbe("usage", "--hours", "2", "--json")
    assert '"sales"' in told
    assert '"unknown"' not in told
