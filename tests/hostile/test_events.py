"""Plugins whose event hooks misbehave: gates fail closed, observers are logged."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from letsbe.discovery.records import Status
from letsbe.errors import Refused
from letsbe.plugin import (
    Action,
    Arguments,
    Decision,
    Outcome,
    Result,
    Tier,
    ToolCall,
    UsageRecord,
    Verdict,
)
from letsbe.plugin._facade import Plugins
from letsbe.testing import make_call

CANARY = "canary-7f3a-not-to-be-seen"

Install = Callable[..., str]
Load = Callable[..., Plugins]

PROPOSED = Verdict(
    Tier.RED, "rm", "removes files", external=True, plan={"argv": ["rm"]}, work=object()
)
DECISION = Decision(Outcome.RUN, PROPOSED, "level 3")


@pytest.fixture
def call() -> ToolCall:
    return make_call(Action("harmless", "Do nothing.", Arguments), {})


def usage() -> UsageRecord:
    return UsageRecord(0, "kim", "model", 1, 1, 0, 1)


@pytest.mark.parametrize("name", ["classify_raises", "classify_rubbish"])
def test_a_classifier_that_fails_refuses_the_call(
    name: str,
    call: ToolCall,
    install: Install,
    load: Load,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    plugins = load(install(name), install("harmless"))
    with pytest.raises(Refused) as caught:
        plugins.classify(call, PROPOSED)
    assert f"executor/{name} guards every call" in caught.value.message
    assert CANARY not in caught.value.message + caplog.text
    assert caught.value.__cause__ is None


def test_a_forged_verdict_refuses_the_call(
    call: ToolCall, install: Install, load: Load
) -> None:
    plugins = load(install("classify_forged"))
    with pytest.raises(Refused, match="it gave a Verdict"):
        plugins.classify(call, PROPOSED)


def test_a_classifier_that_never_returns_refuses_this_call_and_all_after_it(
    call: ToolCall, install: Install, load: Load
) -> None:
    plugins = load(install("classify_hangs"), install("harmless"), hook_timeout=0.2)
    with pytest.raises(Refused, match=r"did not return within 0\.2 seconds"):
        plugins.classify(call, PROPOSED)
    with pytest.raises(Refused, match="it is not called again"):
        plugins.classify(call, PROPOSED)
    statuses = {record.name: record.status for record in plugins.records}
    assert statuses["classify_hangs"] is Status.UNHEALTHY
    assert statuses["harmless"] is Status.ACTIVE


@pytest.mark.parametrize("name", ["classify_lowers", "classify_wraps"])
def test_nobody_lowers_a_verdict(
    name: str, call: ToolCall, install: Install, load: Load
) -> None:
    verdict = load(install(name)).classify(call, PROPOSED)
    # What a hook said is told in the trace, and decides nothing.
    assert replace(verdict, trace=PROPOSED.trace) == PROPOSED
    assert verdict.work is PROPOSED.work
    assert PROPOSED.plan == {"argv": ["rm"]}


def test_a_wrapper_does_not_reach_the_answers_of_others(
    call: ToolCall, install: Install, load: Load
) -> None:
    plugins = load(install("classify_wraps"), install("classify_raises"))
    with pytest.raises(Refused, match="classify_raises"):
        plugins.classify(call, PROPOSED)


@pytest.mark.parametrize("name", ["gate_raises", "gate_rubbish"])
def test_a_gate_that_fails_stops_the_call(
    name: str,
    call: ToolCall,
    install: Install,
    load: Load,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = load(install(name)).before_execute(call, DECISION)
    assert refusal is not None
    assert f"executor/{name}" in refusal
    assert CANARY not in refusal + caplog.text


def test_an_observer_that_raises_is_logged_without_its_text(
    call: ToolCall,
    install: Install,
    load: Load,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plugins = load(install("observer_raises"))
    plugins.after_execute(call, Result("done"))
    plugins.usage(usage())
    assert "executor/observer_raises failed: it raised RuntimeError" in caplog.text
    assert "it raised SystemExit" in caplog.text
    assert CANARY not in caplog.text
    assert {record.status for record in plugins.records if record.name[0] == "o"} == {
        Status.ACTIVE
    }


def test_an_observer_that_never_returns_is_left_out_from_then_on(
    call: ToolCall,
    install: Install,
    load: Load,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plugins = load(install("observer_hangs"), hook_timeout=0.2)
    for _ in range(5):
        plugins.after_execute(call, Result("done"))
    assert caplog.text.count("did not return") == 1
    assert plugins.before_execute(call, DECISION) is None


def test_without_listeners_nothing_is_started(
    call: ToolCall, install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = load(install("harmless"))

    def never(*args: object) -> None:
        raise AssertionError

    monkeypatch.setattr("letsbe.plugin._events.within", never)
    assert plugins.classify(call, PROPOSED) is PROPOSED
    assert plugins.before_execute(call, DECISION) is None
    plugins.after_execute(call, Result("done"))
    plugins.usage(usage())
