"""Ways around the wrapper that are known, tried on a real OpenClaw; none has an effect.

The table in docs/security-model.md says which test closes which.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.openclaw import tenant as tenants
from tests.openclaw.gateway import APIS
from tests.openclaw.scripted_llm import Reply, ToolUse
from tests.openclaw.stage import DONE, Stage


class TestNothingAround:
    @pytest.mark.parametrize(
        ("tool", "arguments"),
        [
            ("exec", {"command": "touch {canary}"}),
            ("write", {"path": "{canary}", "content": "x"}),
            ("file_write", {"path": "{canary}", "content": "x"}),
            ("gateway", {"action": "config.apply", "raw": "{{}}"}),
            ("cron", {"action": "add", "job": {"command": "touch {canary}"}}),
        ],
    )
    def test_a_native_tool_does_not_run(
        self, stage: Stage, tmp_path: Path, tool: str, arguments: dict[str, object]
    ) -> None:
        canary = tmp_path / "canary"
        text = json.dumps(arguments).replace("{canary}", str(canary))
        answer = stage.call(tool, **json.loads(text))
        assert "not found" in answer or "not routed" in answer
        assert not canary.exists()
        with stage.gateway.client() as client:
            body = {"tool": tool, "args": json.loads(text)}
            assert client.post("/tools/invoke", json=body).status_code == 404
        assert not canary.exists()

    def test_only_the_wrappers_tools_are_offered(self, stage: Stage) -> None:
        script = stage.turn()
        assert script.requests[0].tools == [
            "letsbe_approval_status",
            "letsbe_ask_agent",
            "letsbe_describe_tool",
            "letsbe_docker",
            "letsbe_env_read",
            "letsbe_env_update",
            "letsbe_file_list",
            "letsbe_file_read",
            "letsbe_file_stat",
            "letsbe_file_write",
            "letsbe_shell",
            "letsbe_use_tool",
        ]

    def test_the_self_test_was_made(self, stage: Stage) -> None:
        assert "self-test passed, native tools are refused" in stage.gateway.said()

    def test_openclaws_own_folders_are_closed(self, stage: Stage) -> None:
        state = stage.gateway.state
        before = state.config.read_bytes()
        plugin = stage.tenant.home.parent / "bridge" / "index.js"
        for path in (
            state.config,
            plugin,
            state.workspace / "skills" / "x" / "SKILL.md",
        ):
            for tool, arguments in [
                ("letsbe_file_write", {"path": str(path), "content": "{}"}),
                ("letsbe_file_read", {"path": str(path)}),
                ("letsbe_shell", {"command": f"cp /etc/hostname {path}"}),
                ("letsbe_shell", {"command": f"cat {path}"}),
            ]:
                answer = json.loads(stage.call(tool, **arguments))
                assert answer["status"] == "denied", (tool, path, answer)
        assert state.config.read_bytes() == before

    def test_no_server_of_ours_can_be_reached_from_the_shell(
        self, stage: Stage
    ) -> None:
        """The harness's gateway is not at the usual port, so the usual one is tried."""
        addresses = (stage.tenant.wrapper, stage.tenant.proxy)
        for port in (18789, *(address.rpartition(":")[2] for address in addresses)):
            url = f"http://127.0.0.1:{port}/tools/invoke"
            answer = json.loads(stage.call("letsbe_shell", command=f"curl {url}"))
            assert answer["status"] == "denied", answer


class TestScheduledWork:
    def test_a_cron_job_has_the_wrappers_tools_alone(self, stage: Stage) -> None:
        status = stage.tenant.work / "backup-status.json"
        status.write_text('{"last": "2026-11-26", "ok": true}')
        uses = (
            ToolUse("exec", {"command": "id"}),
            ToolUse("letsbe_file_read", {"path": str(status)}),
        )
        with stage.llm.script(Reply(calls=uses), DONE) as script:
            said = f"Read backup-status.json. {script.mark}"
            stage.gateway.run(
                *("cron", "add", "--token", stage.gateway.state.token, "--json"),
                *("--name", "backup", "--at", "1s", "--agent", "main"),
                *("--session", "isolated", "--light-context", "--no-deliver"),
                *("--message", said),
            )
            last = script.wait_for(2, 60)
        refused, read = last.results
        assert "not found" in refused or "not routed" in refused
        assert "2026-11-26" in read
        assert len(script.requests[0].body) < 15_000


class TestTampering:
    """What stays shut when the configuration is not what it should be."""

    @pytest.fixture(autouse=True)
    def _put_back(self, stage: Stage) -> Iterator[None]:
        before = json.loads(stage.gateway.state.config.read_text())
        yield
        stage.gateway.reload(before)

    @staticmethod
    def _config(stage: Stage, *allowed: str) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(stage.gateway.state.config.read_text())
        config["tools"] = {"toolSearch": False}
        if allowed:
            config["tools"]["allow"] = list(allowed)
        return config

    @staticmethod
    def _turn(stage: Stage, canary: Path) -> list[str]:
        """Let the LLM try a native tool; return what it read, if it was asked."""
        write = ToolUse("write", {"path": str(canary), "content": "x"})
        run = ToolUse("exec", {"command": f"touch {canary}"})
        with (
            stage.llm.script(Reply(calls=(write, run)), DONE) as script,
            stage.gateway.client() as client,
        ):
            said = [{"role": "user", "content": f"Go. {script.mark}"}]
            body = {"model": "openclaw/main", "messages": said}
            client.post("/v1/chat/completions", json=body)
        assert not canary.exists()
        return script.requests[-1].results if script.requests else []

    def test_a_native_tool_runs_where_nothing_of_ours_is_in_place(
        self, stage: Stage
    ) -> None:
        """The control: what the other tests see refused would run without us."""
        note = stage.gateway.state.workspace / "note.txt"
        note.write_text("the kettle is on")
        config = self._config(stage, "read")
        config["plugins"]["entries"][tenants.BRIDGE]["enabled"] = False
        stage.gateway.reload(config)
        for api in APIS:
            use = Reply(calls=(ToolUse("read", {"path": "note.txt"}),))
            script = stage.turn(use, api=api)
            assert script.requests[0].tools == ["read"]
            assert "the kettle is on" in script.requests[1].results[-1]

    def test_without_the_allowlist_the_policy_alone_refuses(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        stage.gateway.reload(self._config(stage))
        results = self._turn(stage, tmp_path / "canary")
        assert len(results) == 2
        assert all("is not routed through the Safety Wrapper" in r for r in results)

    def test_with_the_wrapper_down_nothing_runs_and_the_reason_is_told(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        config = self._config(stage, tenants.BRIDGE)
        settings = config["plugins"]["entries"][tenants.BRIDGE]["config"]
        settings["wrapperUrl"] = "http://127.0.0.1:9"
        stage.gateway.reload(config)
        assert "cannot be reached" in stage.call("letsbe_shell", command="echo hi")
        assert all("not found" in r for r in self._turn(stage, tmp_path / "canary"))

    def test_with_the_plugin_off_no_tool_runs_at_all(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        config = self._config(stage, tenants.BRIDGE)
        config["plugins"]["entries"][tenants.BRIDGE]["enabled"] = False
        stage.gateway.reload(config)
        results = self._turn(stage, tmp_path / "canary")
        assert all("not found" in r for r in results)
