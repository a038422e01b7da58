"""Calls of the action ``shell``: arguments, refusals, plans."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import InvalidRequest, PathRefused, Tier, Verdict
from letsbe.testing import make_call, make_site
from letsbe_executor_shell import letsbe_executors
from letsbe_executor_shell.executor import SHELL, ShellExecutor
from letsbe_executor_shell.judging import Work


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def executor(root: Path) -> ShellExecutor:
    return ShellExecutor(make_site(root, closed_ports=frozenset({8200})))


def classify(executor: ShellExecutor, **arguments: Any) -> Verdict:
    return executor.classify(make_call(SHELL, arguments))


@pytest.mark.parametrize("example", SHELL.examples)
def test_the_actions_examples(executor: ShellExecutor, example: Any) -> None:
    arguments: Mapping[str, Any] = example.arguments
    assert executor.classify(make_call(SHELL, arguments)).tier is example.tier


def test_the_plugin_registers_the_executor(root: Path) -> None:
    (executor,) = letsbe_executors(make_site(root))
    assert [action.name for action in executor.actions] == ["shell"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"command": "ls", "argv": ["ls"]},
        {"command": 5},
        {"command": "ls", "frob": 1},
        {"command": "ls", "timeout": 0},
        {"command": "ls", "timeout": -1},
        {"argv": "ls"},
        {"argv": [1]},
        {"command": "ls", "env_refs": ["x"]},
    ],
)
def test_wrong_arguments_are_invalid(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        make_call(SHELL, arguments)


def test_outside_the_grammar_is_refused_with_a_reason(executor: ShellExecutor) -> None:
    verdict = classify(executor, command="echo $(cat /etc/shadow)")
    assert verdict.refused
    assert verdict.tier is Tier.RED
    assert verdict.rule == "grammar.expansion"
    assert "character 6" in verdict.reason
    assert verdict.alternative


def test_the_plan_shows_what_will_run(executor: ShellExecutor, root: Path) -> None:
    verdict = classify(
        executor, command="cd a && git status 2>&1 | head <'x y'; ls *.x"
    )
    first, second, third = verdict.plan["pipelines"]
    assert first == {"join": "", "cwd": f"{root}/a", "stages": []}
    git, head = second["stages"]
    assert git["argv"][:2] == ["git", "--no-pager"]
    assert git["argv"][-1] == "status"
    assert git["stderr"] == "output"
    assert git["environment"]["GIT_CONFIG_NOSYSTEM"] == "1"
    assert head["stdin"] == f"{root}/a/x y"
    assert head["program"] == "/usr/bin/head"
    assert third["stages"][0]["expand"] == [1]
    assert verdict.plan["line"].startswith(f"cd {root}/a && git --no-pager")
    assert isinstance(verdict.work, Work)


def test_a_reference_stays_a_reference_in_the_plan(executor: ShellExecutor) -> None:
    verdict = classify(
        executor, command="curl -H 'X: SECRET_REF(token)' https://example.com/a"
    )
    assert "SECRET_REF(token)" in str(verdict.plan)
    assert verdict.hosts == ("example.com",)
    assert verdict.external


def test_a_closed_port_is_refused(executor: ShellExecutor) -> None:
    assert classify(executor, command="curl http://127.0.0.1:8200/").refused


def test_the_folder_must_be_inside_the_roots(
    executor: ShellExecutor, root: Path
) -> None:
    (root / "inside").mkdir(exist_ok=True)
    (root / "out").symlink_to("/etc")
    plan = classify(executor, command="ls", cwd="inside").plan
    assert plan["pipelines"][0]["cwd"] == f"{root}/inside"
    for cwd in ("/etc", "..", "out", "", "a\0b", "inside/../../x"):
        with pytest.raises(PathRefused):
            classify(executor, command="ls", cwd=cwd)


def test_without_roots_it_starts_in_the_root_folder(root: Path) -> None:
    executor = ShellExecutor(make_site(root, roots=()))
    assert classify(executor, command="ls").plan["pipelines"][0]["cwd"] == "/"


def test_forbidden_paths_are_refused(root: Path) -> None:
    executor = ShellExecutor(make_site(root, forbidden=(root / "vault",)))
    assert classify(executor, command="cat vault/key").refused
    assert classify(executor, command="cd vault && cat key").refused
    assert not classify(executor, command="cat key").refused


def test_a_link_counts_as_what_it_leads_to(executor: ShellExecutor, root: Path) -> None:
    (root / "link").symlink_to("/etc/shadow")
    assert classify(executor, command="cat link").tier is Tier.RED
    assert classify(executor, argv=["cat", "link"]).tier is Tier.RED


@pytest.mark.anyio
async def test_health(executor: ShellExecutor) -> None:
    assert (await executor.check()).healthy


def test_a_program_in_a_closed_place_runs_for_nobody(tmp_path: Path) -> None:
    closed, links = tmp_path / "openclaw", tmp_path / "bin"
    closed.mkdir()
    links.mkdir()
    program = closed / "openclaw.mjs"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (links / "openclaw").symlink_to(program)
    executor = ShellExecutor(make_site(tmp_path, forbidden=(closed,)))
    for command in (
        f"{program} status",
        f"{links}/openclaw status",
        f"ls | {program}",
        f"node {program} cron list",
        f"python3 {links}/openclaw",
    ):
        verdict = classify(executor, command=command)
        assert verdict.refused, command
        assert "closed" in verdict.reason
    assert not classify(executor, command=f"node {tmp_path}/own.js").refused
