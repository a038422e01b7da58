"""The Hub as an operator starts it, with the plugins of the workspace."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx


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
