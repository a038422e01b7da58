from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from letsbe.configuration import load_configuration
from letsbe.errors import ConfigurationError, Unauthenticated
from letsbe.openclaw.writing import private_state, read_private, write_private
from letsbe.wrapper.agents import AgentPolicies
from letsbe.wrapper.opening import read_listed, site_of
from letsbe.wrapper.tokens import Tokens, create_token, read_token


def contents(folder: Path) -> dict[Path, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if ".db" not in path.name}


def test_the_difference_is_shown_before_anything_is_written(business: Any) -> None:
    before = contents(business.home.folder)
    printed = business.configure(stdin="n\n")
    assert contents(business.home.folder) == before
    assert "LETSBE_TOKEN_SALES (not shown)" in printed
    assert '+ gateway.bind = "loopback"' in printed
    assert "+ sales may use file_*" in printed
    assert "nothing was written" in printed
    assert not business.state.exists()
    assert "written" in business.configure(stdin="y\n")
    assert business.settings["gateway"]["bind"] == "loopback"


def test_a_second_run_changes_nothing(business: Any) -> None:
    business.configure("--yes")
    before = {p: p.stat().st_mtime_ns for p in business.state.rglob("*")}
    assert "nothing to change" in business.configure()
    assert {p: p.stat().st_mtime_ns for p in business.state.rglob("*")} == before


def test_everything_is_private(business: Any) -> None:
    business.state.mkdir(mode=0o755)
    business.configure("--yes")
    for path in (business.state, *business.state.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_file_that_was_opened_to_others_is_closed_again(business: Any) -> None:
    business.configure("--yes")
    (business.state / "openclaw.json").chmod(0o644)
    business.configure("--yes")
    assert stat.S_IMODE((business.state / "openclaw.json").stat().st_mode) == 0o600


def test_each_agent_gets_a_token_which_is_shown_nowhere(business: Any) -> None:
    printed = business.configure("--yes")
    variables = (business.state / ".env").read_text(encoding="utf-8").splitlines()
    tokens = dict(line.split("=", 1) for line in variables)
    assert set(tokens) == {
        "OPENCLAW_GATEWAY_TOKEN",
        *(
            f"LETSBE_TOKEN_{name}"
            for name in ("DISPATCHER", "IT_ADMIN", "MARKETING", "SECRETARY", "SALES")
        ),
    }
    assert len(set(tokens.values())) == 6
    configuration = (business.state / "openclaw.json").read_text(encoding="utf-8")
    for token in tokens.values():
        assert token not in printed
        assert token not in configuration
    kept = business.home.agent_tokens / "it-admin"
    assert tokens["LETSBE_TOKEN_IT_ADMIN"] == kept.read_text().strip()


def test_variables_that_a_person_added_stay(business: Any) -> None:
    business.configure("--yes")
    file = business.state / ".env"
    file.write_text("DISCORD_BOT_TOKEN=abc\n" + file.read_text("utf-8"), "utf-8")
    business.run("openclaw", "agent", "add", "books", "--name", "Books")
    business.configure("--yes")
    text = file.read_text("utf-8")
    assert text.startswith("DISCORD_BOT_TOKEN=abc\n")
    assert "LETSBE_TOKEN_BOOKS=" in text


def test_what_tampering_changed_is_shown_and_put_right(business: Any) -> None:
    business.configure("--yes")
    settings = business.settings
    settings["tools"]["allow"] = ["*"]
    settings["mcp"]["servers"]["evil"] = {"command": "sh", "env": {"TOKEN": "abc123"}}
    settings["ui"] = {"seamColor": "#ff0000"}
    (business.state / "openclaw.json").write_text(json.dumps(settings), "utf-8")
    printed = business.configure("--yes")
    assert '- mcp.servers.evil.command = "sh"' in printed
    assert "tools.allow" in printed
    assert "abc123" not in printed
    assert "evil" not in business.settings["mcp"]["servers"]
    assert business.settings["ui"] == {"seamColor": "#ff0000"}


@pytest.mark.parametrize("text", ["{ // mine\n}", "[]", "{'a': 1}"])
def test_a_configuration_that_would_be_lost_is_left_alone(
    business: Any, text: str
) -> None:
    business.state.mkdir()
    file = business.state / "openclaw.json"
    file.write_text(text)
    business.configure("--yes", code=1)
    assert file.read_text() == text


def test_scopes_are_given_once_and_then_a_persons_own(business: Any) -> None:
    business.configure("--yes")
    business.run("agents", "scope", "sales", "file_read")
    business.configure("--yes")
    policies = AgentPolicies(business.home.agents)
    assert policies.get("sales").tools == ("file_read",)
    assert policies.get("it-admin").tools == ("*",)


def test_openclaws_places_and_port_are_closed_to_executors(
    business: Any, tmp_path: Path
) -> None:
    bridge = tmp_path / "bridge"
    bridge.mkdir()
    (bridge / "openclaw.plugin.json").write_text("{}")
    options = ["--bridge", str(bridge), "--gateway-port", "19001"]
    business.run("openclaw", "tenant", *options)
    business.configure("--yes")
    site = site_of(business.home, load_configuration(business.home), "shell", {})
    assert {business.state, bridge} <= set(site.forbidden)
    assert site.closed_ports == {8100, 8200, 18789, 19001}


def test_the_package_is_closed_and_its_version_is_asked(
    business: Any, tmp_path: Path
) -> None:
    package = tmp_path / "openclaw"
    package.mkdir()
    program = package / "openclaw.mjs"
    program.write_text('#!/bin/sh\necho \'{"valid": true, "warnings": []}\'\n')
    program.chmod(0o755)
    told = {"name": "openclaw", "version": "2026.2.26"}
    (package / "package.json").write_text(json.dumps(told))
    option = ["--yes", "--openclaw", str(program)]
    assert "LetsBe works with 2026.9.6" in business.configure(*option, code=1)
    (package / "package.json").write_text(json.dumps({**told, "version": "2026.9.6"}))
    assert "checked by OpenClaw" in business.configure(*option)
    site = site_of(business.home, load_configuration(business.home), "shell", {})
    assert package in site.forbidden


def test_the_bridges_list_follows_the_plugin_set(business: Any, tmp_path: Path) -> None:
    bridge = tmp_path / "bridge"
    bridge.mkdir()
    manifest = {"id": "letsbe-bridge", "contracts": {"trustedToolPolicies": ["x"]}}
    (bridge / "openclaw.plugin.json").write_text(json.dumps(manifest))
    business.run("openclaw", "tenant", "--bridge", str(bridge))
    printed = business.configure(stdin="n\n")
    assert "+ letsbe_approval_status" in printed
    assert not (bridge / "tools.json").exists()
    printed = business.configure("--yes")
    assert "restart the gateway: OpenClaw reads its tokens" in printed
    listed = json.loads((bridge / "tools.json").read_text())["tools"]
    offered = [tool.name for tool in read_listed(business.home)]
    assert [tool["name"] for tool in listed] == offered
    written = json.loads((bridge / "openclaw.plugin.json").read_text())
    names = [f"letsbe_{name}" for name in offered]
    assert written["contracts"] == {"trustedToolPolicies": ["x"], "tools": names}
    assert "nothing to change" in business.configure("--yes")
    (bridge / "tools.json").write_text('{"tools": [{"name": "gone"}]}')
    printed = business.configure("--yes")
    assert "- letsbe_gone" in printed
    (bridge / "tools.json").write_text("{")
    assert "install the bridge again" in business.configure("--yes", code=1)


def test_a_running_wrapper_that_has_to_be_restarted_is_named(
    business: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"openclaw": "it keeps agents from the places before: restart it"}

    def answer(url: str, **_: Any) -> httpx.Response:
        assert url == "http://127.0.0.1:8200/readyz"
        return httpx.Response(503, json={"ready": False, "checks": told})

    monkeypatch.setattr(httpx, "get", answer)
    printed = business.configure("--yes")
    assert "restart LetsBe: it keeps agents from the places before" in printed
    assert "restart the gateway" in printed
    told["openclaw"] = "ok"
    business.run("openclaw", "tenant", "--owner", "Bo Berg")
    printed = business.configure("--yes")
    assert "written" in printed
    assert "restart" not in printed


def test_a_token_that_is_made_or_taken_away_counts_at_once(business: Any) -> None:
    business.configure("--yes")
    tokens = Tokens(business.home)
    file = business.home.agent_tokens / "sales"
    old = read_token(file)
    assert tokens.caller(f"Bearer {old}").agent_id == "sales"
    file.unlink()
    with pytest.raises(Unauthenticated):
        tokens.caller(f"Bearer {old}")
    new = create_token(file)
    assert tokens.caller(f"Bearer {new}").agent_id == "sales"


def test_what_openclaw_refuses_is_not_written(business: Any, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(
        '{"name": "openclaw", "version": "2026.9.6"}'
    )
    program = tmp_path / "openclaw.mjs"
    problem = {"path": "tools.allow", "message": "is not good"}
    answer = json.dumps({"valid": False, "issues": [problem]})
    program.write_text(f"#!/bin/sh\necho '{answer}'\nexit 1\n")
    program.chmod(0o755)
    printed = business.configure("--yes", "--openclaw", str(program), code=1)
    assert "tools.allow: is not good" in printed
    assert list(business.state.iterdir()) == []


@pytest.mark.parametrize("place", ["home", "home/state", ""])
def test_state_and_home_stay_apart(business: Any, tmp_path: Path, place: str) -> None:
    command = ["openclaw", "configure", "--state", str(tmp_path / place), "--yes"]
    assert "choose another" in business.run(*command, code=1)


def test_no_link_leads_a_write_out_of_the_state(tmp_path: Path) -> None:
    state, outside = tmp_path / "state", tmp_path / "outside"
    outside.mkdir()
    owner = private_state(state)
    (state / "agents").symlink_to(outside)
    with pytest.raises(ConfigurationError, match="outside"):
        write_private(state, state / "agents" / "x" / "SOUL.md", "text", owner)
    assert list(outside.iterdir()) == []
    with pytest.raises(ConfigurationError):
        read_private(state, state / "agents" / "x")


@pytest.mark.may_skip("only root may give files away")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_files_belong_to_the_account_whose_state_it_is(business: Any) -> None:
    business.state.mkdir()
    os.chown(business.state, 12345, 12346)
    business.configure("--yes")
    for path in (business.state, *business.state.rglob("*")):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346), path


def test_json_needs_leave_and_tells_sizes(business: Any) -> None:
    assert "--yes" in business.configure("--json", code=2)
    told = json.loads(business.configure("--json", "--yes"))
    assert told["checked"] is False
    assert str(business.state / "openclaw.json") in told["written"]
    sizes = told["agents"]["sales"]["tokens"]
    assert set(sizes) == {"SOUL.md", "AGENTS.md", "IDENTITY.md"}
    assert min(sizes.values()) > 0


def test_a_state_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(ConfigurationError, match="not a folder"):
        private_state(tmp_path / "state")
