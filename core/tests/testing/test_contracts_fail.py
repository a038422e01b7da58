"""Every test of every contract fails on a plugin that is wrong in just that way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from letsbe.contract_guard import MARK
from letsbe.discovery.records import Kind
from letsbe.testing import (
    BillingBackendContract,
    ExecutorContract,
    NotifierContract,
    RedactionLayerContract,
    ToolAdapterContract,
)

HERE = Path(__file__).parent / "wrong_plugins"
CONTRACTS = {
    "tool": ToolAdapterContract,
    "executor": ExecutorContract,
    "redactor": RedactionLayerContract,
    "billing": BillingBackendContract,
    "notifier": NotifierContract,
}


def run(folder: Path, *arguments: str) -> tuple[dict[str, str], str]:
    """Run pytest in a folder; return the outcome of each test, parameters left out."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"),
            *("--rootdir", str(folder), "-c", os.devnull, *arguments),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "CI": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, str] = {}
    for outcome, name in re.findall(
        r"^(PASSED|FAILED|ERROR|XFAIL) \S*?::(\S+?)(?:\[.*?\])?(?: - .*)?$",
        ran.stdout,
        re.MULTILINE,
    ):
        if found.get(name) not in {"FAILED", "ERROR"}:
            found[name] = outcome
    return found, ran.stdout + ran.stderr


def prepared(kind: str, tmp_path: Path) -> Path:
    """Copy the wrong plugins of a kind and of any, and install the good's metadata."""
    for path in (*HERE.glob(f"{kind}_*.py"), *HERE.glob("any_*.py")):
        name = path.name.replace("any_", f"{kind}_")
        (tmp_path / name).write_text(path.read_text())
    info = tmp_path / "good_plugin-1.0.dist-info"
    info.mkdir()
    requires = "Requires-Dist: letsbe-core>=0.1,<0.2\n"
    (info / "METADATA").write_text(f"Name: good-plugin\nVersion: 1.0\n{requires}")
    modules = [p.stem for p in tmp_path.glob(f"{kind}_*.py") if "listed" not in p.stem]
    points = "".join(f"{name} = {name}\n" for name in modules)
    (info / "entry_points.txt").write_text(f"[{Kind(kind).group}]\n{points}")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("kind", CONTRACTS)
def test_each_test_fails_on_a_plugin_that_is_wrong_so(
    kind: str, tmp_path: Path
) -> None:
    folder = prepared(kind, tmp_path)
    table = folder / f"{kind}_wrong.py"
    # `# test_name` above a class says which test that class must fail.
    aimed = re.findall(
        r"^# fails: (test_\w+)\nclass (\w+)", table.read_text(), re.MULTILINE
    )
    assert {test for test, _ in aimed} == getattr(CONTRACTS[kind], MARK)
    names = [f"{table.name}::{name}::{test}" for test, name in aimed]
    found, printed = run(folder, *names, f"{table.name}::TestGood")
    for test, name in aimed:
        assert found.get(f"{name}::{test}") in {"FAILED", "ERROR"}, (
            f"{name} passes {test}\n{printed}"
        )
    good = {n: o for n, o in found.items() if n.startswith("TestGood")}
    assert len(good) == len(getattr(CONTRACTS[kind], MARK))
    assert set(good.values()) == {"PASSED"}, printed


WEAK = {
    "replaced": "def test_operations_say_what_they_are(self): pass",
    "left out": "test_operations_say_what_they_are = None",
    "xfail without reason": """
        @pytest.mark.xfail
        def test_operations_say_what_they_are(self): assert False
    """,
    "skipped": """
        @pytest.fixture(autouse=True)
        def skip_all(self): pytest.skip("not today")
    """,
    "marked": "pytestmark = pytest.mark.skip(reason='not today')",
}


@pytest.mark.parametrize("how", WEAK)
def test_a_contract_cannot_be_weakened(how: str, tmp_path: Path) -> None:
    folder = prepared("tool", tmp_path)
    body = textwrap.indent(textwrap.dedent(WEAK[how]).strip(), "    ")
    (folder / "test_weak.py").write_text(
        "import pytest\nfrom tool_wrong import TestGood as Good\n"
        f"class TestWeak(Good):\n{body}\n"
    )
    only = "test_weak.py::TestWeak::test_operations_say_what_they_are"
    found, printed = run(folder, only)
    assert "PASSED" not in found.values(), printed
    assert re.search("replaces a test of|is not skipped", printed), printed


def test_an_expected_failure_with_a_reason_is_let_through(tmp_path: Path) -> None:
    folder = prepared("tool", tmp_path)
    (folder / "test_weak.py").write_text(
        "import pytest\nfrom tool_wrong import TestGood as Good\n"
        "class TestWeak(Good):\n"
        "    @pytest.mark.xfail(reason='the tool names nothing', strict=True)\n"
        "    def test_operations_say_what_they_are(self): assert False\n"
    )
    only = "test_weak.py::TestWeak::test_operations_say_what_they_are"
    found, printed = run(folder, only)
    assert list(found.values()) == ["XFAIL"], printed
