"""What a line would take, counted without doing it, and every rule that matched."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import Preview, RuleTables, Verdict
from letsbe.testing import make_call, make_site
from letsbe_executor_shell.executor import SHELL, ShellExecutor


@pytest.fixture
def root(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / "old" / "sub").mkdir(parents=True)
    for name in ("a.tmp", "b.tmp", "c.txt"):
        (work / "old" / name).write_text("12345")
    (work / "old" / "sub" / "d.tmp").write_text("12345")
    (work / "keep.txt").write_text("123")
    month = time.time() - 30 * 86_400
    os.utime(work / "old" / "a.tmp", (month, month))
    return work


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleTables:
    """Read the tables once: there are hundreds."""
    return make_site(tmp_path_factory.mktemp("rules")).rules


@pytest.fixture
def executor(root: Path, rules: RuleTables) -> ShellExecutor:
    return ShellExecutor(replace(make_site(root), rules=rules))


def judged(executor: ShellExecutor, command: str) -> Verdict:
    return executor.classify(make_call(SHELL, {"command": command}))


def previewed(executor: ShellExecutor, command: str, **more: Any) -> Preview | None:
    call = make_call(SHELL, {"command": command, **more})
    return executor.preview(call, executor.classify(call), lambda data: data)


def state(root: Path) -> list[tuple[str, int, int]]:
    found = sorted(root.rglob("*"))
    return [(str(p), p.lstat().st_size, p.lstat().st_mtime_ns) for p in found]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("rm -r old", "removes 4 files, 2 folders, 20 bytes"),
        ("rm old/*.tmp", "removes 2 files, 10 bytes"),
        ("rm keep.txt gone", "removes 1 file, 3 bytes (1 not there)"),
        ("cd old && rm a.tmp", "removes 1 file, 5 bytes"),
        ("ls && rm keep.txt; rm old/c.txt", "removes 2 files, 8 bytes"),
        ("find old -delete", "removes 4 files, 2 folders, 20 bytes"),
        ("find . -name '*.tmp' -delete", "removes 3 files, 15 bytes"),
        ("find old -maxdepth 1 -type f -delete", "removes 3 files, 15 bytes"),
        ("find old -mindepth 2 -type f -delete", "removes 1 file, 5 bytes"),
        ("find old -iname 'A.TMP' -delete", "removes 1 file, 5 bytes"),
        ("find old -type f -mtime +7 -delete", "removes 1 file, 5 bytes"),
        ("find old -type f -mmin -60 -delete", "removes 3 files, 15 bytes"),
        ("chmod -R u+w old", "changes or moves 4 files, 2 folders, 20 bytes"),
        (
            "mv keep.txt old/c.txt",
            "changes or moves 1 file, 3 bytes; replaces 1 file, 5 bytes",
        ),
        ("cp keep.txt old/c.txt", "replaces 1 file, 5 bytes"),
        ("cp keep.txt old/new.txt", "replaces nothing"),
        ("cp old/c.txt keep.txt old/sub", "replaces nothing"),
        ("sort -o keep.txt old/c.txt", "replaces 1 file, 3 bytes"),
        ("truncate -s 0 keep.txt", None),
    ],
)
def test_files_and_bytes_are_counted_and_left_alone(
    executor: ShellExecutor, root: Path, command: str, said: str | None
) -> None:
    before = state(root)
    told = previewed(executor, command)
    assert told is not None
    assert told.summary == said or (said is None and "1 file, 3 bytes" in told.summary)
    assert state(root) == before


def test_what_a_copy_into_a_folder_replaces_has_its_name(
    executor: ShellExecutor, root: Path
) -> None:
    (root / "old" / "keep.txt").write_text("1234567")
    told = previewed(executor, "cp keep.txt old")
    assert told is not None
    assert told.summary == "replaces 1 file, 7 bytes"


def test_conditions_that_cannot_be_applied_give_the_most_and_say_so(
    executor: ShellExecutor,
) -> None:
    for command in (
        "find old -type f ! -name '*.tmp' -delete",
        "find old -name '*.tmp' -o -delete",
        "find old -size +1M -delete",
    ):
        told = previewed(executor, command)
        assert told is not None
        assert "4 files" in told.summary
        assert any("most" in note for note in told.left_out)


def test_links_are_not_followed(executor: ShellExecutor, root: Path) -> None:
    (root / "link").symlink_to("/usr")
    told = previewed(executor, "rm -r link")
    assert told is not None
    assert told.summary == "removes 1 link or the like"


def test_what_is_not_counted_is_named(executor: ShellExecutor) -> None:
    told = previewed(executor, "systemctl stop nginx; rm keep.txt")
    assert told is not None
    assert told.summary == "removes 1 file, 3 bytes"
    assert told.left_out == ("what systemctl does",)


def test_reads_have_nothing_to_preview(executor: ShellExecutor) -> None:
    assert previewed(executor, "ls -l | sort") is None


def test_every_rule_that_matched_is_told(executor: ShellExecutor) -> None:
    verdict = judged(executor, "grep x keep.txt | sort -o /etc/passwd; rm -r old")
    told = [(row["command"], row["rule"], row["at"]) for row in verdict.trace]
    assert told == [
        (1, "grep", "grep"),
        (2, "sort", "sort"),
        (2, "sort.write", "/etc/passwd"),
        (2, "sort.write.system", "/etc/passwd"),
        (3, "rm", "rm"),
        (3, "rm.remove", "old"),
    ]
    assert max(row["tier"] == str(verdict.tier) for row in verdict.trace)
    assert verdict.paths == {
        "keep.txt": "workspace",
        "/etc/passwd": "system",
        "old": "workspace",
    }


def test_steps_leave_reads_out(executor: ShellExecutor) -> None:
    assert judged(executor, "ls | sort").steps == ()
    (step,) = judged(executor, "ls old && rm -rf old").steps or ()
    assert (step.does, set(step.flags)) == ("rm", {"-r", "-f"})


def test_whole_workspaces_are_marked(executor: ShellExecutor) -> None:
    def whole(command: str) -> bool:
        (step,) = judged(executor, command).steps or ()
        return step.top

    assert not whole("rm -r old")
    assert not whole("rm -r old/*")
    for command in ("rm -r .", "rm -r *", "rm -r ./old/..", "rm -rf ../*", "rm -r ~"):
        assert whole(command), command


@pytest.mark.parametrize(
    "command",
    [
        "python3 -c 'print(1)'",
        "bash -c 'rm x'",
        "sh x.sh",
        "sudo rm x",
        "env rm x",
        "timeout 5 rm x",
        "nice rm x",
        "ls | xargs rm",
        "find . -exec rm {} +",
        "psql -c 'DELETE FROM t'",
        "sed -i s/a/b/ keep.txt",
        "node x.js",
        "npm run build",
        "make install",
        "ssh host rm x",
        "vim keep.txt",
        "crontab x",
        "frobnicate x",
        "./run.sh",
        "rm --frob x",
        "git frob",
        "git -c core.pager=x log",
        "systemd-run rm x",
        "perl -e 1",
        "nohup rm x",
        "watch rm x",
        "docker run x",
    ],
)
def test_what_runs_other_code_fits_no_class(
    executor: ShellExecutor, command: str
) -> None:
    steps = judged(executor, command).steps
    assert steps
    assert any(step.unfit for step in steps)


@pytest.mark.parametrize(
    "command",
    ["rm -r old", "git push origin main", "systemctl restart nginx", "mkdir x"],
)
def test_plain_programs_fit_one(executor: ShellExecutor, command: str) -> None:
    (step,) = judged(executor, command).steps or ()
    assert step.unfit is None


def test_where_harm_is_done_a_class_keeps_what_no_path_says(
    executor: ShellExecutor,
) -> None:
    def fixed(command: str) -> tuple[str, ...]:
        (step,) = judged(executor, command).steps or ()
        return step.fixed

    assert fixed("rm -r old") == ()
    assert fixed("usermod -aG www-data bob") == ("-G=www-data", "bob")
    assert fixed("kill 4711") == ("4711",)
    assert fixed("systemctl restart nginx") == ()
    assert fixed("mail -s hello bob@example.com") == ("bob@example.com",)
    assert fixed("curl -X DELETE https://api.example.com/1") == ("-X=DELETE",)
