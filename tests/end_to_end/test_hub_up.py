"""The Hub as an operator starts it, with the plugins of the workspace."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
from click.testing import CliRunner

from letsbe_hub.cli import main


def test_up_answers_and_stops(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "letsbe_hub", "up", "--port", "0", "--json"]
    argv += ["--home", str(tmp_path / "hub")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            text = ""
            while not text.endswith("}\n"):
                line = process.stdout.readline()
                assert line, "the Hub ended before it was ready"
                text += line
            facts = json.loads(text)
            assert "redactor/patterns" in " ".join(facts["plugins"])
            ready = httpx.get(f"{facts['hub']}/readyz").json()
            assert ready["checks"]["database"] == "ok"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) in (0, -signal.SIGTERM)
        finally:
            process.kill()


def test_a_start_without_its_bus_says_why_and_shows_no_trace(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "letsbe_hub", "up", "--home", str(tmp_path / "hub")]
    argv += ["--port", "0", "--bus", "nats://127.0.0.1:1"]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "error: no NATS server answers" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "hub"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = CliRunner().invoke(main, ["up", *home, "--port", port])
    assert (ran.exit_code, "set server.port in hub.toml" in ran.output) == (1, True)
    ran = CliRunner().invoke(main, ["up", *home, "--port", "0", "--bus", "redis://x"])
    assert (ran.exit_code, "nats://HOST:PORT" in ran.output) == (1, True)
