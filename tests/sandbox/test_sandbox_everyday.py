"""Everyday commands work in the sandbox as they do without one."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from letsbe.plugin import DeadlineExceeded, ToolFailed
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_shell.executor import SHELL, ShellExecutor

COMMANDS = Path(__file__).with_name("everyday.txt")
LINES = [
    line.split(" ", 1)
    for line in COMMANDS.read_text().splitlines()
    if line and not line.startswith("#")
]
FEWEST = 80
"""The fewest commands that must have been run, of those whose program is installed."""


def make_workspace(folder: Path) -> Path:
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "b.txt").write_text("one\n")
    (folder / "a.json").write_text('{"a": 1}\n')
    (folder / "a.patch").write_text(
        "--- a.txt\n+++ a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"
    )
    (folder / "one/empty").mkdir(parents=True)
    for command in (
        "git init -q",
        "git config user.name Anna",
        "git config user.email anna@example.com",
        "git add a.txt",
        "git commit -q -m one",
        "tar -cf a.tar b.txt",
        "gzip -k a.txt",
    ):
        subprocess.run(shlex.split(command), cwd=folder, check=True)
    if shutil.which("sqlite3"):
        subprocess.run(
            ["sqlite3", "app.db", "create table t(a)"], cwd=folder, check=True
        )
    return folder


def run(executor: ShellExecutor, line: str) -> tuple[str, dict[str, Any]]:
    call = make_call(SHELL, {"command": line, "timeout": 20})
    verdict = executor.classify(call)

    async def execute() -> dict[str, Any]:
        result = await executor.execute(call, verdict, FakeExecution(deadline=30.0))
        return cast(dict[str, Any], result.output)

    return str(verdict.tier), anyio.run(execute)


def test_everyday_commands_work(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    site = make_site(
        make_workspace(tmp_path / "ws"),
        forbidden=(closed,),
        settings={"sandbox": "required"},
    )
    executor = ShellExecutor(site)
    failures, ran = [], 0
    for tier, line in LINES:
        if not shutil.which(shlex.split(line)[0]):
            continue
        ran += 1
        judged, output = run(executor, line)
        if judged != tier or output["exit_code"] != 0:
            failures.append((line, judged, output["exit_code"], output["stderr"]))
    assert not failures, "\n".join(map(str, failures))
    assert ran >= FEWEST


@pytest.fixture
def executor(tmp_path: Path) -> ShellExecutor:
    (tmp_path / "ws").mkdir()
    site = make_site(tmp_path / "ws", settings={"sandbox": "required"})
    return ShellExecutor(site)


def test_a_write_outside_the_roots_fails(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    tier, output = run(executor, f"touch {tmp_path}/outside")
    assert tier == "YELLOW"
    assert output["exit_code"] != 0
    assert not (tmp_path / "outside").exists()


def test_temporary_files_are_gone_afterwards(executor: ShellExecutor) -> None:
    _, output = run(executor, "mktemp")
    made = Path(output["stdout"].strip())
    assert made.parent.name.startswith("letsbe-")
    assert not made.parent.exists()


def test_each_command_of_a_line_has_its_own_access(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    # The line is YELLOW because of touch; what cat's own words say is GREEN.
    line = "touch a && cat /proc/self/status"
    _, output = run(executor, line)
    kept = next(x for x in output["stdout"].splitlines() if x.startswith("CapEff"))
    assert int(kept.split()[1], 16) == (4 if os.geteuid() == 0 else 0)
    assert (tmp_path / "ws/a").exists()


def test_the_health_check_names_the_mechanism(executor: ShellExecutor) -> None:
    health = anyio.run(executor.check)
    assert health.healthy
    assert "Landlock" in health.message


def test_a_sandbox_that_is_off_says_so(tmp_path: Path) -> None:
    executor = ShellExecutor(make_site(tmp_path, settings={"sandbox": "off"}))
    health = anyio.run(executor.check)
    assert "no sandbox" in health.message


def test_limits_hold(tmp_path: Path) -> None:
    site = make_site(tmp_path, settings={"limits": {"file_size": 1_000_000}})
    _, output = run(ShellExecutor(site), "dd if=/dev/zero of=big bs=1M count=2")
    assert output["exit_code"] != 0
    assert (tmp_path / "big").stat().st_size <= 1_000_000


def test_a_program_that_does_not_exist_is_not_started(executor: ShellExecutor) -> None:
    with pytest.raises((ToolFailed, DeadlineExceeded)):
        run(executor, "letsbe-no-such-program")
