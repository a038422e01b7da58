"""What every executor must do, as tests to inherit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from letsbe.discovery.records import Kind
from letsbe.errors import LetsBeError
from letsbe.plugin import Action, Executor, Json, Site, Tier, Verdict
from letsbe.plugin._loading import new_manager
from letsbe.testing._actions import (
    CANARY,
    check_declared,
    check_refuses_unknown,
    with_escapes,
)
from letsbe.testing._calls import make_call, make_site
from letsbe.testing._contract import Contract
from letsbe.testing._execution import FakeExecution

CLASSIFY_SECONDS = 0.005
"""The median that classifying an example may take."""


class ExecutorContract(Contract):
    """Tests for an executor: inherit, and give ``module``.

    Attributes:
        module: The plugin's module.
        files: What is in the workspace before each test: contents by path.
        slow: An action and arguments that take at least ten seconds; ``None`` if
            nothing that it does can take long.
        tier_exceptions: Actions whose tier does not follow from their name, each with
            the reason.
    """

    kind = Kind.EXECUTOR
    files: ClassVar[Mapping[str, str]] = {}
    slow: ClassVar[tuple[str, Mapping[str, Any]] | None] = None
    tier_exceptions: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Path:
        """Make the one folder that may be used; a secret lies beside it."""
        folder = tmp_path / "workspace"
        folder.mkdir()
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "outside.txt").write_text(CANARY)
        return folder

    @pytest.fixture
    def site(self, workspace: Path) -> Site:
        """Return what the executor is told of the machine; override it to add to it."""
        return make_site(workspace)

    @pytest.fixture
    def executor(self, site: Site) -> Executor:
        """Return the executor under test."""
        manager = new_manager()
        manager.register(__import__(self.module))
        ((found,),) = manager.hook.letsbe_executors(site=site)
        assert isinstance(found, Executor)
        return found

    def test_actions_say_what_they_are(self, executor: Executor) -> None:
        """Summaries, descriptions of every argument, tiers that fit the names."""
        for action in executor.actions:
            check_declared(action, self.tier_exceptions)

    def test_each_action_has_examples_of_the_tier_they_say(
        self, executor: Executor
    ) -> None:
        """Every action shows a call, and its tier is what the example says."""
        for action in executor.actions:
            assert action.examples, f"{action.name} has no example"
            for example in action.examples:
                judged = executor.classify(make_call(action, example.arguments))
                tier = max(judged.tier, action.tier)
                assert tier is example.tier, f"{action.name} is {tier}"

    def test_unknown_arguments_are_named(self, executor: Executor) -> None:
        """An argument that is not declared is refused by name, its value unseen."""
        for action in executor.actions:
            check_refuses_unknown(action)

    def test_classifying_is_quick_and_does_nothing(
        self, executor: Executor, workspace: Path
    ) -> None:
        """A call is judged within milliseconds, and the workspace stays as it was."""
        before = _everything(workspace)
        for action, arguments in _calls(executor):
            call, times = make_call(action, arguments), []
            for _ in range(9):
                began = time.process_time()
                executor.classify(call)
                times.append(time.process_time() - began)
            median = statistics.median(times)
            assert median < CLASSIFY_SECONDS, f"{action.name}: {median:.4f} s"
        assert _everything(workspace) == before, "classifying changed something"

    def test_what_is_green_changes_nothing(
        self, executor: Executor, workspace: Path
    ) -> None:
        """Examples that are GREEN leave the workspace as it was."""
        before = _everything(workspace)
        for action, arguments in _calls(executor):
            call = make_call(action, arguments)
            verdict = _raised(action, executor.classify(call))
            if verdict.tier is Tier.GREEN:
                with suppress(LetsBeError):
                    _run(executor, action, arguments)
                assert _everything(workspace) == before, f"{action.name} is no read"

    def test_what_is_idempotent_does_no_more_the_second_time(
        self, executor: Executor, workspace: Path
    ) -> None:
        """An idempotent example leaves the workspace as its first run did."""
        for action, arguments in _calls(executor):
            if action.idempotent:
                with suppress(LetsBeError):
                    _run(executor, action, arguments)
                    first = _everything(workspace)
                    _run(executor, action, arguments)
                    assert _everything(workspace) == first, action.name

    def test_nothing_outside_the_workspace_is_shown(
        self, executor: Executor, workspace: Path
    ) -> None:
        """A path that leads out is refused, or at least not GREEN."""
        outside = workspace.parent / "outside.txt"
        (workspace / "link").symlink_to(outside)
        escapes = [str(outside), "../outside.txt", "link", "./x/../../outside.txt"]
        for action in executor.actions:
            for arguments in with_escapes(action, escapes):
                told = _told(executor, action, arguments)
                assert CANARY not in told, f"{action.name} shows {arguments}"

    def test_a_secret_is_not_in_an_error(self, executor: Executor) -> None:
        """What goes wrong with a secret's value is told without it."""
        for action in executor.actions:
            for arguments in with_escapes(action, ["SECRET_REF(canary)"]):
                with suppress(LetsBeError):
                    verdict = executor.classify(make_call(action, arguments))
                    assert CANARY not in repr(verdict)
                try:
                    _run(executor, action, arguments)
                except LetsBeError as error:
                    told = f"{error!r} {error.message} {error.details}"
                    if CANARY in told:
                        message = f"{action.name} shows a secret in an error"
                        raise AssertionError(message) from None

    def test_a_call_ends_when_it_is_cancelled(self, executor: Executor) -> None:
        """At the deadline a call stops, with every program that it started."""
        if self.slow is None:
            return
        name, arguments = self.slow
        (action,) = (a for a in executor.actions if a.name == name)
        before = _children()
        began = time.monotonic()

        async def cut_off() -> None:
            with anyio.move_on_after(0.5):
                await _execute(executor, action, arguments)

        anyio.run(cut_off)
        assert time.monotonic() - began < 5, "it went on past its deadline"
        assert _children() <= before, "it left programs behind"

    def test_it_says_how_it_is(self, executor: Executor) -> None:
        """The health check answers."""
        assert isinstance(anyio.run(executor.check).healthy, bool)


def _calls(executor: Executor) -> Iterator[tuple[Action, Mapping[str, Any]]]:
    for action in executor.actions:
        for example in action.examples:
            yield action, example.arguments


def _raised(action: Action, verdict: Verdict) -> Verdict:
    return verdict.raised_by([Verdict(action.tier, verdict.rule, verdict.reason)])


async def _execute(
    executor: Executor, action: Action, arguments: Mapping[str, Any]
) -> Json:
    call = make_call(action, arguments)
    verdict = executor.classify(call)
    if verdict.refused:
        return None
    run = FakeExecution(secrets={"canary": CANARY})
    return (await executor.execute(call, verdict, run)).output


def _run(executor: Executor, action: Action, arguments: Mapping[str, Any]) -> Json:
    return anyio.run(_execute, executor, action, arguments)


def _told(executor: Executor, action: Action, arguments: Mapping[str, Any]) -> str:
    """Run a call if it would run unasked, and return all that anyone is told."""
    try:
        call = make_call(action, arguments)
        verdict = _raised(action, executor.classify(call))
        if verdict.refused or verdict.tier > Tier.GREEN:
            return ""
        return str(_run(executor, action, arguments))
    except LetsBeError as error:
        return f"{error!r} {error.message}"


def _everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _children() -> set[str]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {child for task in tasks for child in task.read_text().split()}
