"""Executors that are wrong, each in one way. See test_contracts_fail.py."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from executor_good import READ, WAIT, Good, Note
from pydantic import ConfigDict

from letsbe.plugin import Example, Result, Tier, ToolFailed, Verdict
from letsbe.testing import ExecutorContract


class TestGood(ExecutorContract):
    module = "executor_good"
    files = {"note.txt": "one"}
    slow = ("wait", {"seconds": 20.0})


class Wrong(TestGood):
    """An executor of the class's own; not collected by its name."""

    class Executor(Good):
        pass

    @pytest.fixture
    def executor(self, site):
        return self.Executor(site)


# fails: test_importing_it_is_cheap_and_touches_nothing
class TestImport(TestGood):
    module = "executor_import"


# fails: test_it_says_which_api_it_was_written_for
class TestVersion(TestGood):
    module = "executor_versionless"


# fails: test_its_hooks_are_known
class TestHook(TestGood):
    module = "executor_versionless"


# fails: test_its_distribution_names_it
class TestUnlisted(TestGood):
    module = "executor_unlisted"


# fails: test_actions_say_what_they_are
class TestNames(Wrong):
    class Executor(Good):
        actions = (replace(READ, name="delete_note"),)


# fails: test_each_action_has_examples_of_the_tier_they_say
class TestExamples(Wrong):
    class Executor(Good):
        actions = (replace(READ, examples=(Example({"path": "x"}, Tier.RED),)),)


class Loose(Note):
    model_config = ConfigDict(extra="ignore")


# fails: test_unknown_arguments_are_named
class TestLoose(Wrong):
    class Executor(Good):
        actions = (replace(READ, arguments=Loose),)


# fails: test_classifying_is_quick_and_does_nothing
class TestClassifies(Wrong):
    class Executor(Good):
        def classify(self, call):
            (self.root / "seen.txt").write_text(str(time.time()))
            return super().classify(call)


class Writes(Good):
    async def execute(self, call, verdict, run):
        with (self.root / "log.txt").open("a") as log:
            log.write("again\n")
        return Result({})


# fails: test_what_is_green_changes_nothing
class TestGreenWrites(Wrong):
    Executor = Writes


# fails: test_what_is_idempotent_does_no_more_the_second_time
class TestNotIdempotent(Wrong):
    Executor = Writes


# fails: test_nothing_outside_the_workspace_is_shown
class TestEscapes(Wrong):
    class Executor(Good):
        def classify(self, call):
            return Verdict(Tier.GREEN, "wrong", "reads anything")


# fails: test_a_secret_is_not_in_an_error
class TestTells(Wrong):
    class Executor(Good):
        async def execute(self, call, verdict, run):
            raise ToolFailed(f"no such file: {run.fill(call.arguments.path)}")

        actions = (READ,)


# fails: test_a_call_ends_when_it_is_cancelled
class TestLeavesPrograms(Wrong):
    class Executor(Good):
        actions = (READ, WAIT)

        async def execute(self, call, verdict, run):
            subprocess.Popen(["sleep", "3"])
            await anyio.sleep(call.arguments.seconds)
            return Result({})


# fails: test_it_says_how_it_is
class TestSilent(Wrong):
    class Executor(Good):
        async def check(self):
            return Result(None)


assert Path
