"""Classes made from real command lines cover nothing that asks for more."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from letsbe.plugin import Tier, Verdict
from letsbe.policy.classes import CallClass, NoClass, class_of
from letsbe.testing import make_call, make_site
from letsbe_executor_shell.executor import SHELL, ShellExecutor

PROGRAMS = (
    "rm",
    "mv a",
    "cp a",
    "chmod 644",
    "mkdir",
    "touch",
    "git push",
    "git commit",
    "systemctl restart",
    "systemctl stop",
    "kill",
    "curl -X DELETE",
    "python3",
    "sudo rm",
    "timeout 5 rm",
    "xargs rm",
    "bash",
    "frob",
)
FLAGS = ("", "-r", "-f", "-rf", "-v", "--force", "-n", "-m x", "--frob")
OPERANDS = (
    "a",
    "b c",
    "*.txt",
    ".",
    "*",
    "/tmp/x",
    "/etc/x",
    "/etc",
    "~/.ssh/id_rsa",
    ".env",
    "/dev/sda",
    "https://a.example/1",
    "https://b.example/1",
    "",
)
COMMANDS = st.builds(
    lambda *words: " ".join(word for word in words if word),
    st.sampled_from(PROGRAMS),
    st.sampled_from(FLAGS),
    st.sampled_from(OPERANDS),
)
LINES = st.lists(COMMANDS, min_size=1, max_size=2).map(" && ".join)
CODE = ("python3", "sudo", "timeout", "xargs", "bash", "frob")


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> ShellExecutor:
    return ShellExecutor(make_site(tmp_path_factory.mktemp("work")))


def judged(executor: ShellExecutor, line: str) -> tuple[Verdict, CallClass | None]:
    verdict = executor.classify(make_call(SHELL, {"command": line}))
    try:
        found = class_of("shell", verdict, frozenset(), is_operation=False)
    except NoClass:
        found = None
    return verdict, found


@settings(max_examples=600, deadline=None)
@given(LINES, LINES)
def test_a_class_never_covers_more_than_was_approved(
    executor: ShellExecutor, approved: str, later: str
) -> None:
    verdict, allowed = judged(executor, approved)
    other, asked = judged(executor, later)
    if allowed is None or asked is None:
        return
    covers = allowed.covers(asked)
    event(f"covers: {covers}")
    if not covers:
        return
    assert other.tier <= verdict.tier
    assert other.external <= verdict.external
    does = {(s.does, s.flags) for s in allowed.steps}
    assert {(s.does, s.flags) for s in asked.steps} <= does
    strictest = max(-1 if s.paths is None else s.paths for s in allowed.steps)
    assert max(-1 if s.paths is None else s.paths for s in asked.steps) <= strictest


@settings(max_examples=300, deadline=None)
@given(LINES)
def test_no_class_holds_code_or_what_is_catastrophic(
    executor: ShellExecutor, line: str
) -> None:
    verdict, found = judged(executor, line)
    if verdict.tier is Tier.CRITICAL_RED or verdict.refused:
        assert found is None
    if any(part.startswith(CODE) for part in line.split(" && ")):
        assert found is None
    if found is not None:
        assert found.covers(found)


def test_an_equal_call_on_other_paths_is_covered(executor: ShellExecutor) -> None:
    for one, other in (
        ("rm -r a", "rm -r b c"),
        ("mkdir x && rm -f a", "rm -f b"),
        ("curl -X DELETE https://a.example/1", "curl -X DELETE https://a.example/2"),
        ("rm /tmp/x", "rm a"),
    ):
        allowed, asked = judged(executor, one)[1], judged(executor, other)[1]
        assert allowed is not None
        assert asked is not None
        assert allowed.covers(asked), (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rm a", "rm -r a"),
        ("rm -r a", "rm -rf a"),
        ("rm -r a", "rm -r ."),
        ("rm -r a", "rm -r *"),
        ("rm -r a", "rm -r /tmp/x"),
        ("rm a", "rm /etc/x"),
        ("rm a", "rm .env"),
        ("rm a", "unlink a"),
        ("rm a", "rm a && kill 1"),
        ("git push origin main", "git push evil main"),
        ("git push origin main", "git push --force origin main"),
        ("curl -X DELETE https://a.example/1", "curl -X DELETE https://b.example/1"),
        ("kill 10", "kill 11"),
        ("usermod -aG www-data bob", "usermod -aG sudo bob"),
        ("cp a b", "cp a /etc/x"),
        ("rm a", "sudo rm a"),
    ],
)
def test_each_thing_more_asks_again(
    executor: ShellExecutor, one: str, other: str
) -> None:
    allowed, asked = judged(executor, one)[1], judged(executor, other)[1]
    assert allowed is not None
    assert asked is None or not allowed.covers(asked)
