"""The kept seeds and a few seconds of new lines break no promise."""

import importlib.util
import os
import random
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from letsbe.policy.commands import CommandLine
from letsbe.policy.rules import Judgement, RuleBook, Where

SECONDS = float(os.environ.get("LETSBE_FUZZ_SECONDS", "5"))


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    path = Path(__file__).with_name("fuzz.py")
    spec = importlib.util.spec_from_file_location("fuzz_commands", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def book(fuzz: ModuleType) -> RuleBook:
    return RuleBook.read([fuzz.TABLES])


@pytest.mark.slow
def test_the_seeds_break_no_promise(fuzz: ModuleType, book: RuleBook) -> None:
    kept = fuzz.seeds()
    assert len(kept) > 1000
    for line in kept:
        assert fuzz.broken(book, line) is None, line


@pytest.mark.slow
def test_new_lines_break_no_promise(fuzz: ModuleType, book: RuleBook) -> None:
    seed = time.time_ns()
    found = fuzz.fuzz(book, SECONDS, random.Random(seed))
    problems = [(line, problem) for line, problem in found if problem]
    assert not problems, f"python tests/bypass/fuzz.py {SECONDS} {seed}"


def test_a_broken_promise_would_be_seen(
    fuzz: ModuleType, book: RuleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge that looks at a line's first pipeline only is caught."""
    judge = book.judge

    def forgetful(line: CommandLine, where: Where) -> Judgement:
        return judge(CommandLine(line.pipelines[:1]), where)

    assert fuzz.broken(book, "ls a") is None
    monkeypatch.setattr(book, "judge", forgetful)
    assert fuzz.broken(book, "ls a") == "is judged lower in '{}\\nrm x'"
