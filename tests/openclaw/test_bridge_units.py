"""The bridge plugin's own tests, run by the pinned Node's test runner."""

from __future__ import annotations

import subprocess

from tests.openclaw.runtime import Runtime
from tests.openclaw.tenant import PLUGIN


def test_the_bridges_own_tests_pass(runtime: Runtime) -> None:
    ended = subprocess.run(
        [str(runtime.node), "--test", "test/*.test.js"],
        cwd=PLUGIN,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "# fail 0" in ended.stdout or "fail 0" in ended.stdout
