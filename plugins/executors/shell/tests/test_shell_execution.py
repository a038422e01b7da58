"""Running what was judged: pipes, limits, deadlines, and nothing left behind."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from letsbe.plugin import (
    DeadlineExceeded,
    PathRefused,
    Tier,
    ToolFailed,
    find_program,
)
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_shell import judging
from letsbe_executor_shell.executor import SHELL, ShellExecutor

pytestmark = pytest.mark.anyio


@pytest.fixture
def executor(tmp_path: Path) -> ShellExecutor:
    return ShellExecutor(make_site(tmp_path, output_limit=4096))


async def run(
    executor: ShellExecutor,
    command: str | list[str],
    run: FakeExecution | None = None,
    **more: Any,
) -> dict[str, Any]:
    arguments = {"command" if isinstance(command, str) else "argv": command, **more}
    call = make_call(SHELL, arguments)
    verdict = executor.classify(call)
    assert not verdict.refused, verdict.reason
    result = await executor.execute(call, verdict, run or FakeExecution())
    output: dict[str, Any] = result.output
    return output


def left(mark: str) -> list[str]:
    """Return the processes with a mark that are still there a moment after SIGKILL."""
    for _ in range(100):
        found = [pid for pid in _processes() if mark in _command_line(pid)]
        if not found:
            return []
        time.sleep(0.02)
    return found


def _processes() -> list[str]:
    return [folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _command_line(pid: str) -> str:
    try:
        return Path("/proc", pid, "cmdline").read_text(errors="replace")
    except OSError:
        return ""


async def test_output_and_exit_codes(executor: ShellExecutor) -> None:
    output = await run(executor, "echo hello | tr a-z A-Z | cat")
    assert output["stdout"] == "HELLO\n"
    assert output["exit_code"] == 0
    assert [s["program"] for s in output["stages"]] == ["echo", "tr", "cat"]
    assert not output["stdout_truncated"]
    assert not output["timed_out"]


async def test_and_or_and_then(executor: ShellExecutor) -> None:
    output = await run(executor, "false && echo a || echo b ; echo c ; false")
    assert output["stdout"] == "b\nc\n"
    assert output["exit_code"] == 1
    assert [s["exit_code"] for s in output["stages"]] == [1, None, 0, 0, 1]


async def test_streams(executor: ShellExecutor) -> None:
    output = await run(executor, "ls /nonexistent-a")
    assert "nonexistent-a" in output["stderr"]
    assert output["stdout"] == ""
    output = await run(executor, "ls /nonexistent-a 2>&1 | wc -l")
    assert output["stdout"].strip() == "1"
    output = await run(executor, "ls /nonexistent-a 2>/dev/null")
    assert output["stderr"] == ""
    output = await run(executor, "echo x >/dev/null; echo y >&2")
    assert (output["stdout"], output["stderr"]) == ("", "y\n")


async def test_input_files_and_an_empty_stdin(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    (tmp_path / "in").write_text("b\na\n")
    assert (await run(executor, "sort <in"))["stdout"] == "a\nb\n"
    assert (await run(executor, "cat"))["stdout"] == ""
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "missing"):
        with pytest.raises(ToolFailed, match="can be read"):
            await run(executor, f"sort <{name}")


async def test_words_are_never_read_again(executor: ShellExecutor) -> None:
    words = ["$(id)", "`id`", "; id", "&& id", "| id", "a  b", "*", "'", "\n"]
    output = await run(executor, ["printf", "%s,", *words])
    assert output["stdout"] == ",".join([*words, ""])


async def test_a_secret_is_one_word_whatever_it_holds(executor: ShellExecutor) -> None:
    execution = FakeExecution(secrets={"token": "a b; id `id` $(id) '"})
    output = await run(executor, "printf '%s|' x=SECRET_REF(token) y", execution)
    assert output["stdout"] == "x=SECRET_REF(token)|y|"
    assert execution.filled.count("x=SECRET_REF(token)") == 1


async def test_a_secret_cannot_become_a_flag(executor: ShellExecutor) -> None:
    execution = FakeExecution(secrets={"token": "--help"})
    with pytest.raises(ToolFailed, match="dash"):
        await run(executor, "ls SECRET_REF(token)", execution)


async def test_a_secret_is_taken_out_before_the_output_is_cut(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    secret = "canary-value-" * 20
    kept = 4096 * 3 // 4
    (tmp_path / "big").write_text("x" * (kept - 50) + secret + "y" * 9000)
    execution = FakeExecution(secrets={"token": secret})
    output = await run(executor, "cat big", execution)
    assert "canary" not in str(output)
    assert output["stdout_truncated"]


async def test_the_environment_is_clean(
    executor: ShellExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LETSBE_CANARY", "canary")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/canary")
    execution = FakeExecution(environment={"API_TOKEN": "abcdef", "PATH": "/evil"})
    output = await run(executor, "env", execution)
    variables = dict(line.split("=", 1) for line in output["stdout"].splitlines())
    assert "canary" not in output["stdout"]
    assert variables["API_TOKEN"] == "abcdef"
    assert variables["PATH"].startswith("/usr/local/sbin:")
    assert set(variables) <= {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TERM", "TZ", "API_TOKEN"),
        *("PWD", "SHLVL", "_", "LETSBE_RUN"),
        *("TMPDIR", "XDG_CACHE_HOME", "npm_config_cache"),  # the sandbox's
    }


async def test_output_is_capped_and_says_so(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    (tmp_path / "big").write_bytes("ü".encode() * 500_000)
    output = await run(executor, "cat big")
    assert output["stdout_truncated"]
    assert not output["stderr_truncated"]
    assert not output["binary"]
    assert len(output["stdout"].encode()) <= 4096 * 3 // 4
    assert set(output["stdout"]) == {"ü"}
    assert output["exit_code"] == 0


async def test_binary_output_is_shown_as_escapes(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    (tmp_path / "bin").write_bytes(b"ab\xff\xfe\x00c")
    output = await run(executor, "cat bin")
    assert output["binary"]
    assert output["stdout"] == "ab\\xff\\xfe\x00c"


async def test_globs_are_expanded_where_a_path_is_due(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    for name in ("b.txt", "a.txt", ".hidden.txt", "-l.txt", "c d.txt"):
        (tmp_path / name).write_text(name)
    output = await run(executor, "ls -1 *.txt")
    assert output["stdout"].split("\n")[:-1] == [
        "./-l.txt",
        "a.txt",
        "b.txt",
        "c d.txt",
    ]
    assert (await run(executor, "grep -cF a.t* a.txt"))["stdout"] == "0\n"
    assert "*.none" in (await run(executor, "ls *.none"))["stderr"]


async def test_a_glob_may_not_reach_a_secret(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "link").symlink_to("/etc/shadow")
    with pytest.raises(PathRefused):
        await run(executor, "cat *")


async def test_a_program_that_is_not_installed(executor: ShellExecutor) -> None:
    with pytest.raises(ToolFailed, match="frobnicate is not installed"):
        await run(executor, "frobnicate x")


async def test_a_folder_that_cannot_be_entered_ends_the_line(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    with pytest.raises(ToolFailed, match="cd"):
        await run(executor, "cd missing ; touch here")
    assert not (tmp_path / "here").exists()


async def test_cd_sets_the_folder(executor: ShellExecutor, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    output = await run(executor, "pwd ; cd sub && pwd")
    assert output["stdout"].split() == [str(tmp_path), f"{tmp_path}/sub"]


async def test_its_own_timeout_returns_what_was_printed(
    executor: ShellExecutor,
) -> None:
    began = time.monotonic()
    output = await run(executor, "echo before ; sleep 54.98760", timeout=0.3)
    assert time.monotonic() - began < 30
    assert output["timed_out"]
    assert output["stdout"] == "before\n"
    assert output["exit_code"] == 128 + signal.SIGTERM
    assert left("54.98760") == []


async def test_the_calls_deadline_is_an_error(executor: ShellExecutor) -> None:
    with pytest.raises(DeadlineExceeded):
        await run(executor, "sleep 54.98761", FakeExecution(deadline=0.2))
    assert left("54.98761") == []


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let programs be found in a folder too."""

    def found(name: str) -> str | None:
        path = folder / name
        return str(path) if path.exists() else find_program(name)

    monkeypatch.setattr(judging, "find_program", found)


@pytest.fixture
def stubborn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program that ignores SIGTERM and leaves a child that holds the pipe."""
    program = tmp_path / "stubborn"
    program.write_text(
        "#!/bin/sh\ntrap '' TERM HUP INT\n(trap '' TERM HUP; sleep 54.98762) &\n"
        "echo started\nsleep 54.98762\nsleep 54.98762\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    install(tmp_path, monkeypatch)
    return "stubborn"


async def test_a_stubborn_program_ends_with_its_children(
    executor: ShellExecutor, stubborn: str
) -> None:
    began = time.monotonic()
    output = await run(executor, f"{stubborn} | cat", timeout=0.5)
    assert time.monotonic() - began < 30
    assert output["stdout"] == "started\n"
    assert left("54.98762") == []


async def test_cancelling_ends_everything_first(
    executor: ShellExecutor, stubborn: str
) -> None:
    began = time.monotonic()
    with anyio.move_on_after(0.5) as scope:
        await run(executor, f"{stubborn} | cat")
    assert scope.cancelled_caught
    assert time.monotonic() - began < 30
    assert left("54.98762") == []


async def test_what_a_program_leaves_behind_does_not_keep_the_call(
    executor: ShellExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "leaver"
    program.write_text("#!/bin/sh\nsleep 54.98763 &\necho gone\n")
    program.chmod(0o755)
    install(tmp_path, monkeypatch)
    began = time.monotonic()
    output = await run(executor, "leaver")
    assert time.monotonic() - began < 30
    assert (output["stdout"], output["exit_code"]) == ("gone\n", 0)
    assert not output["timed_out"]
    assert left("54.98763") == []


@pytest.mark.parametrize(
    "body",
    [
        "setsid sleep 54.98764 & wait",
        "setsid sh -c 'trap \"\" TERM HUP; sleep 54.98764' >/dev/null 2>&1 & sleep 50",
        # Its parents are gone before the deadline comes.
        "(setsid sh -c 'setsid sleep 54.98764 &' &) ; sleep 50",
        # It hides the mark, but its parent lives.
        "env -i /usr/bin/setsid /bin/sleep 54.98764 & wait",
    ],
)
async def test_nothing_outlives_a_deadline_in_a_session_of_its_own(
    executor: ShellExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
) -> None:
    program = tmp_path / "leaver"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    install(tmp_path, monkeypatch)
    output = await run(executor, "leaver", timeout=0.7)
    assert output["timed_out"]
    assert left("54.98764") == []


async def test_a_service_that_was_started_may_stay(
    executor: ShellExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "starter"
    program.write_text("#!/bin/sh\nsetsid sleep 54.98765 >/dev/null 2>&1 &\nsleep 1\n")
    program.chmod(0o755)
    install(tmp_path, monkeypatch)
    assert (await run(executor, "starter"))["exit_code"] == 0
    found = [pid for pid in _processes() if "54.98765" in _command_line(pid)]
    for pid in found:
        os.kill(int(pid), signal.SIGKILL)
    assert found


async def test_a_link_that_is_swapped_after_the_judgement_is_noticed(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    (tmp_path / "shown").write_text("harmless\n")
    call = make_call(SHELL, {"command": "cat shown"})
    verdict = executor.classify(call)
    assert verdict.tier is Tier.GREEN
    (tmp_path / "shown").unlink()
    (tmp_path / "shown").symlink_to("/etc/shadow")
    with pytest.raises(ToolFailed, match="has changed since"):
        await executor.execute(call, verdict, FakeExecution())


async def test_a_link_that_the_line_itself_makes_is_noticed(
    executor: ShellExecutor, tmp_path: Path
) -> None:
    (tmp_path / "shown").symlink_to("a.txt")
    call = make_call(SHELL, {"command": "ln -sfn /root/.ssh shown && cat shown/config"})
    verdict = executor.classify(call)
    with pytest.raises(ToolFailed, match="has changed since"):
        await executor.execute(call, verdict, FakeExecution())


def children() -> set[str]:
    """The processes that any thread of this one has started and not reaped."""
    lists = Path("/proc/self/task").glob("*/children")
    return {pid for path in lists for pid in path.read_text().split()}


async def test_many_at_once_leave_nothing(executor: ShellExecutor) -> None:
    await run(executor, "true")
    before, threads = children(), threading.active_count()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    results: list[str] = []

    async def one(number: int) -> None:
        output = await run(executor, f"echo {number} | cat")
        results.append(output["stdout"])

    async with anyio.create_task_group() as tasks:
        for number in range(200):
            tasks.start_soon(one, number)
    assert sorted(map(int, results)) == list(range(200))
    assert threading.active_count() < threads + 80
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors + 2
    assert children() <= before
