"""A repository's configuration runs nothing while git only reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from letsbe.plugin import Tier
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_shell.executor import SHELL, ShellExecutor

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is what is tested"),
]

HOOKS = ("post-index-change", "pre-commit", "fsmonitor-watchman", "post-checkout")
SETTINGS = [
    *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand"),
    *("diff.external", "diff.evil.command", "diff.evil.textconv"),
    *("pager.log", "pager.status", "pager.diff", "pager.show"),
    *("gpg.program", "gpg.ssh.program", "gpg.x509.program", "credential.helper"),
    *("interactive.diffFilter", "sequence.editor"),
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=folder,
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    (folder / ".gitattributes").write_text("* diff=evil\n")
    (folder / "file").write_text("one\n")
    git("add", ".")
    git("commit", "-qm", "first")
    (folder / "file").write_text("two\n")
    git("add", ".")
    git("commit", "-qm", "second")
    (folder / "file").write_text("three\n")
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\necho $0 $* >>{tmp_path}/ran\ncat\n")
    evil.chmod(0o755)
    for setting in SETTINGS:
        git("config", setting, str(evil))
    git("config", "log.showSignature", "true")
    (folder / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in HOOKS:
        (folder / ".git" / "hooks" / hook).symlink_to(evil)
    (tmp_path / "ran").unlink(missing_ok=True)  # setting it up may have run some
    return folder


READS = [
    "git status",
    "git status -v",
    "git log -p -2",
    "git log --format='%G? %s'",
    "git diff",
    "git diff HEAD~1 -- file",
    "git show HEAD",
    "git show HEAD:file",
    "git blame file",
    "git branch -a",
    "git stash list",
    "git ls-files",
    "git grep -n three",
    "git shortlog -s HEAD",
    "git cat-file -p HEAD:file",
    "git rev-parse HEAD",
]


async def test_reads_are_green_work_and_run_nothing_else(
    repository: Path, tmp_path: Path
) -> None:
    executor = ShellExecutor(make_site(repository))
    for command in READS:
        call = make_call(SHELL, {"command": command})
        verdict = executor.classify(call)
        assert verdict.tier is Tier.GREEN, command
        result = await executor.execute(call, verdict, FakeExecution())
        assert result.output["exit_code"] == 0, (command, result.output["stderr"])
        assert not (tmp_path / "ran").exists(), command


def test_the_repository_does_run_something_without_hardening(
    repository: Path, tmp_path: Path
) -> None:
    """The control: what the test above looks for does happen."""
    subprocess.run(
        ["git", "diff"], cwd=repository, check=False, capture_output=True, timeout=20
    )
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("sandbox", "tier"), [("optional", Tier.GREEN), ("off", Tier.RED)]
)
async def test_filters_of_a_repository_run_in_the_sandbox_or_not_unasked(
    repository: Path, tmp_path: Path, sandbox: str, tier: Tier
) -> None:
    evil = tmp_path / "filter"
    evil.write_text(
        f"#!/bin/sh\ntouch {tmp_path}/filtered {repository}/filtered\ncat\n"
    )
    evil.chmod(0o755)
    executor = ShellExecutor(make_site(repository, settings={"sandbox": sandbox}))
    calls = [
        make_call(SHELL, {"command": command})
        for command in ("git status", "git diff", "git -C . status")
    ]
    if sandbox == "off":
        assert executor.classify(calls[0]).tier is Tier.GREEN
    (repository / ".gitattributes").write_text("* filter=evil\n")
    configuration = (repository / ".git" / "config").read_text()
    (repository / ".git" / "config").write_text(
        f'{configuration}\n[ Filter "evil"]\n\tclean = {evil}\n'
    )
    for call in calls:
        verdict = executor.classify(call)
        assert verdict.tier is tier
        if tier is Tier.GREEN:
            await executor.execute(call, verdict, FakeExecution())
    assert not (tmp_path / "filtered").exists()
    assert not (repository / "filtered").exists()
