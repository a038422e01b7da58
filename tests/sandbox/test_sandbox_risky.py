"""Risky commands, forced to GREEN and run for real: none may do anything.

Each goes through the shell executor as after a mistake in a rule table: judged, all of
the judgement turned to GREEN, and run.
"""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from letsbe.errors import LetsBeError
from letsbe.plugin import Tier
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_shell import judging
from letsbe_executor_shell.executor import SHELL, ShellExecutor
from letsbe_executor_shell.judging import Judge, Work

COMMANDS = Path(__file__).with_name("risky.txt")
FEWEST = 150
"""The fewest commands that must have been run, of those whose program is installed."""


def commands(marks: str) -> list[tuple[str, str]]:
    lines = COMMANDS.read_text().splitlines()
    return [(line[0], line[2:]) for line in lines if line[:1] in set(marks)]


def words_of(line: str, canaries: Any) -> list[str]:
    values = canaries.words()
    return [
        re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), word)
        for word in shlex.split(line)
    ]


def make_executor(canaries: Any, sandbox: str = "required") -> ShellExecutor:
    site = make_site(
        canaries.ws, forbidden=(canaries.closed,), settings={"sandbox": sandbox}
    )
    return ShellExecutor(site)


def run_as_green(executor: ShellExecutor, argv: list[str]) -> dict[str, Any] | None:
    """Run words as though every rule had called them GREEN; None: not started."""
    call = make_call(SHELL, {"argv": argv, "timeout": 10})
    verdict = executor.classify(call)
    work = cast(Work, verdict.work)
    harmless = tuple(
        dataclasses.replace(match, tier=Tier.GREEN, external=False, refused=False)
        for match in work.judgement.matches
    )
    judgement = dataclasses.replace(work.judgement, matches=harmless, hosts=())
    assert judgement.tier is Tier.GREEN
    forced = dataclasses.replace(
        verdict,
        tier=Tier.GREEN,
        external=False,
        refused=False,
        work=dataclasses.replace(work, judgement=judgement),
    )

    async def execute() -> dict[str, Any]:
        result = await executor.execute(call, forced, FakeExecution(deadline=15.0))
        return cast(dict[str, Any], result.output)

    try:
        return anyio.run(execute)
    except LetsBeError:
        return None


def is_installed(line: str) -> bool:
    return shutil.which(shlex.split(line)[0]) is not None


def harm(canaries: Any, before: Any, output: dict[str, Any] | None) -> list[str]:
    """Say what was changed, reached or shown."""
    after = canaries.observe()
    found = [key for key in before if before[key] != after[key]]
    printed = "" if output is None else output["stdout"] + output["stderr"]
    encoded = base64.b64encode(f"{canaries.secret}\n".encode()).decode()
    if canaries.secret in "".join(printed.split()) or encoded in printed:
        found.append("secret")
    return found


@pytest.fixture(scope="module")
def executor(canaries: Any) -> ShellExecutor:
    return make_executor(canaries)


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the paths: both would keep what is forced here from being started."""
    monkeypatch.setattr(Judge, "recheck", lambda *_: None)
    monkeypatch.setattr(judging, "_closed_place", lambda *_: None)


def test_no_risky_command_does_anything(canaries: Any, executor: ShellExecutor) -> None:
    canaries.restore()
    ran, harmful, peaceful = 0, [], []
    before = canaries.observe()
    for mark, line in commands("+-~"):
        if not is_installed(line):
            continue
        output = run_as_green(executor, words_of(line, canaries))
        ran += output is not None
        found = harm(canaries, before, output)
        if found:
            harmful.append((line, found))
            canaries.restore()
            before = canaries.observe()
        if mark == "-" and output is not None and output["exit_code"] == 0:
            peaceful.append(line)
    assert not harmful, "\n".join(map(str, harmful))
    assert not peaceful, "\n".join(peaceful)
    assert ran >= FEWEST


def test_without_a_sandbox_they_do_harm(canaries: Any) -> None:
    """The canaries can tell: what was harmless above is harmful on its own."""
    executor = make_executor(canaries, "off")
    without_effect = []
    for _, line in commands("+"):
        if not is_installed(line):
            continue
        canaries.restore()
        before = canaries.observe()
        output = run_as_green(executor, words_of(line, canaries))
        if not any(harm(canaries, before, output) for _ in range(20)):
            without_effect.append((line, output and output["stderr"][-200:]))
    canaries.restore()
    assert not without_effect, "\n".join(map(str, without_effect))


@pytest.fixture
def status(executor: ShellExecutor) -> dict[str, str]:
    output = run_as_green(executor, ["cat", "/proc/self/status"])
    assert output is not None
    lines = (line.split(":\t") for line in output["stdout"].splitlines())
    return {line[0]: line[1] for line in lines if len(line) == 2}


def test_nothing_is_gained(status: dict[str, str]) -> None:
    # CAP_DAC_READ_SEARCH is what is left of root: it reads what root reads.
    left = 1 << 2 if os.geteuid() == 0 else 0
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        assert int(status[kind], 16) & ~left == 0 or (kind == "CapBnd" and not left)
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Uid"].split() == [str(os.geteuid())] * 4
