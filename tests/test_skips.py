"""A test that is skipped in CI fails, unless it has leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPED = {
    "skip": 'def test_x():\n    pytest.skip("no server here")\n',
    "mark": '@pytest.mark.skip("no server here")\ndef test_x():\n    pass\n',
    "fixture": '@pytest.fixture\ndef server():\n    pytest.skip("no server here")\n\n'
    "def test_x(server):\n    pass\n",
    "module": 'pytest.skip("no server here", allow_module_level=True)\n',
    "import": 'pytest.importorskip("no_such_module", reason="no server here")\n',
}
each_way = pytest.mark.parametrize("way", SKIPPED)


def run(folder: Path, test: str, *, ci: str) -> tuple[int, str]:
    """Run a test module under the workspace's conftest; return exit code and output."""
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (folder / "test_it.py").write_text(f"import pytest\n\n{test}")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = may_skip(reason): x\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


@each_way
def test_a_skip_fails_in_ci(way: str, tmp_path: Path) -> None:
    code, output = run(tmp_path, SKIPPED[way], ci="true")
    assert code != 0
    assert "was skipped, which CI forbids: " in output
    assert "no server here" in output


@each_way
def test_a_skip_is_a_skip_elsewhere(way: str, tmp_path: Path) -> None:
    code, output = run(tmp_path, SKIPPED[way], ci="")
    assert code in {0, 5}  # 5: the module that skipped itself left no test
    assert "1 skipped" in output


def test_a_marked_test_may_skip_in_ci(tmp_path: Path) -> None:
    mark = '@pytest.mark.may_skip("root may do everything")\n'
    code, output = run(tmp_path, mark + SKIPPED["mark"], ci="true")
    assert code == 0
    assert "1 skipped" in output


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    test = '@pytest.mark.xfail(reason="known")\ndef test_x():\n    assert 0\n'
    code, output = run(tmp_path, test, ci="true")
    assert code == 0
    assert "1 xfailed" in output
