"""Classes of calls: what one covers is never more than what was approved."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from letsbe.policy.classes import CallClass, NoClass, class_of
from letsbe.policy.paths import PathClass
from letsbe.policy.steps import Step
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict

WORDS = st.sampled_from(["rm", "git push", "systemctl restart", "mv"])
RULES = st.frozensets(st.sampled_from(["rm", "rm.remove", "git.push"]), max_size=3)
TIERS = st.sampled_from([t for t in Tier if t is not Tier.GREEN])
STEPS = st.builds(
    Step,
    does=WORDS,
    tier=TIERS,
    rules=RULES,
    flags=st.frozensets(st.sampled_from(["-r", "-f", "--force"]), max_size=2),
    fixed=st.lists(st.sampled_from(["a", "b c"]), max_size=1).map(tuple),
    paths=st.none() | st.sampled_from(PathClass),
    top=st.booleans(),
    external=st.booleans(),
    unfit=st.none() | st.just("runs code"),
)
HOSTS = st.none() | st.lists(st.sampled_from(["a.de", "b.de"]), unique=True).map(tuple)
CLASSES = st.builds(
    CallClass,
    tool=st.sampled_from(["shell", "mail.send"]),
    tier=TIERS,
    rules=RULES,
    steps=st.lists(STEPS, max_size=2).map(tuple),
    external=st.booleans(),
    hosts=HOSTS,
    secrets=st.frozensets(st.sampled_from(["token", "KEY=token"])),
)

STEP = Step(
    "rm",
    Tier.RED,
    frozenset({"rm", "rm.remove"}),
    frozenset({"-r"}),
    paths=PathClass.OTHER,
)
CLASS = CallClass("shell", Tier.RED, STEP.rules, (STEP,))


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[CallClass, CallClass]:
    """Two classes that differ in few places, so that one often covers the other."""
    one, other = draw(CLASSES), draw(CLASSES)
    names = draw(st.sets(st.sampled_from([f.name for f in fields(CallClass)])))
    mixed = replace(one, **{name: getattr(other, name) for name in names})
    if not one.steps or "steps" in names:
        return one, mixed
    step, strange = one.steps[0], draw(STEPS)
    parts = draw(st.sets(st.sampled_from([f.name for f in fields(Step)]), max_size=2))
    step = replace(step, **{part: getattr(strange, part) for part in parts})
    return one, replace(mixed, steps=(step,))


@given(neighbours())
@settings(max_examples=500)
def test_nothing_is_covered_that_asks_for_more(
    pair: tuple[CallClass, CallClass],
) -> None:
    one, other = pair
    event(f"covers: {one.covers(other)}")
    if not one.covers(other):
        return
    assert other.tool == one.tool
    assert other.tier <= one.tier < Tier.CRITICAL_RED
    assert other.rules <= one.rules
    assert other.external <= one.external
    assert other.secrets <= one.secrets
    assert one.hosts is None or set(other.hosts or ["?"]) <= {*one.hosts, "?"}
    assert one.hosts is None or other.hosts is not None
    assert other.steps
    for step in other.steps:
        assert step.unfit is None
        like = [s for s in one.steps if (s.does, s.flags) == (step.does, step.flags)]
        assert max(s.tier for s in like) >= step.tier
        assert max(-1 if s.paths is None else s.paths for s in like) >= (
            -1 if step.paths is None else step.paths
        )


@given(CLASSES, CLASSES, CLASSES)
def test_covering_is_transitive(a: CallClass, b: CallClass, c: CallClass) -> None:
    if a.covers(b) and b.covers(c):
        assert a.covers(c)


@given(CLASSES)
def test_a_class_survives_its_storage(one: CallClass) -> None:
    stored = CallClass.from_json(json.loads(json.dumps(one.as_json())))
    # Unfit steps are never stored, so why they are unfit is not either.
    fit = replace(one, steps=tuple(replace(s, unfit=None) for s in one.steps))
    assert stored == fit


def test_a_class_covers_its_own_call_and_milder_ones() -> None:
    assert CLASS.covers(CLASS)
    mild = replace(STEP, paths=PathClass.WORKSPACE, rules=frozenset({"rm"}))
    assert CLASS.covers(replace(CLASS, steps=(mild,), rules=mild.rules))


@pytest.mark.parametrize(
    "more",
    [
        replace(STEP, does="shred"),
        replace(STEP, flags=frozenset({"-r", "-f"})),
        replace(STEP, flags=frozenset()),
        replace(STEP, paths=PathClass.SYSTEM),
        replace(STEP, top=True),
        replace(STEP, fixed=("-u=root",)),
        replace(STEP, rules=frozenset({"rm", "rm.remove.system"})),
        replace(STEP, tier=Tier.CRITICAL_RED),
        replace(STEP, external=True),
        replace(STEP, unfit="runs code"),
    ],
)
def test_each_thing_more_is_not_covered(more: Step) -> None:
    assert not CLASS.covers(replace(CLASS, steps=(more,)))
    assert not CLASS.covers(replace(CLASS, steps=(STEP, more)))


@pytest.mark.parametrize(
    "more",
    [
        replace(CLASS, tool="other"),
        replace(CLASS, tier=Tier.CRITICAL_RED),
        replace(CLASS, rules=CLASS.rules | {"a_hook"}),
        replace(CLASS, external=True),
        replace(CLASS, hosts=("a.de",)),
        replace(CLASS, hosts=None),
        replace(CLASS, secrets=frozenset({"token"})),
        replace(CLASS, steps=()),
    ],
)
def test_each_thing_more_of_the_whole_is_not_covered(more: CallClass) -> None:
    assert not CLASS.covers(more)


def test_the_text_says_all_that_a_person_has_to_know() -> None:
    step = replace(STEP, fixed=("-u=root it",), top=True)
    text = replace(
        CLASS,
        steps=(step,),
        external=True,
        hosts=("a.de",),
        secrets=frozenset({"token"}),
    ).text()
    for said in ("shell", "rm -r", "'-u=root it'", "whole", "a.de", "token", "RED"):
        assert said in text
    assert "not known" in replace(CLASS, external=True, hosts=None).text()


def made(verdict: Verdict, *, is_operation: bool = False) -> CallClass:
    return class_of("shell", verdict, frozenset(), is_operation=is_operation)


def test_an_operation_is_its_own_class_and_no_executor_is() -> None:
    verdict = Verdict(
        Tier.RED, "mail.delete", "deletes", external=True, hosts=("m.de",)
    )
    found = made(verdict, is_operation=True)
    assert found.steps[0].does == "shell"
    assert (found.external, found.hosts) == (True, ("m.de",))
    with pytest.raises(NoClass):
        made(verdict)


def test_what_a_hook_raised_is_part_of_the_class() -> None:
    raised = Verdict(Tier.YELLOW, "rm", "x", steps=(STEP,)).raised_by(
        [Verdict(Tier.RED, "office_hours", "it is late")]
    )
    late = made(raised)
    assert late.rules == STEP.rules | {"office_hours"}
    assert late.covers(CLASS)
    assert not CLASS.covers(late)
    assert [row["rule"] for row in raised.trace] == ["office_hours"]


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(Tier.CRITICAL_RED, "rm", "x", steps=(STEP,)),
        Verdict(Tier.RED, "rm", "x", steps=(replace(STEP, unfit="runs code"),)),
        Verdict(Tier.RED, "rm", "x", steps=(STEP, replace(STEP, unfit="runs code"))),
        Verdict(Tier.RED, "rm", "x", steps=()),
        Verdict(Tier.RED, "rm", "x", refused=True, steps=(STEP,)),
    ],
)
def test_no_class_is_made_where_none_may_be(verdict: Verdict) -> None:
    with pytest.raises(NoClass, match="no class can be allowed"):
        made(verdict)
