"""Allowed classes: what runs because of one, and when it no longer does."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from letsbe.errors import ApprovalChanged, Conflict, InvalidRequest, NotFound
from letsbe.plugin import Step, Verdict
from letsbe.policy.autonomy import AutonomyLevel
from letsbe.policy.classes import NoClass
from letsbe.wrapper.allowances import Allow
from letsbe.wrapper.requests import RequestContext, ToolRequest

pytestmark = pytest.mark.anyio


def classed(bench: Any) -> None:
    """Let the executor say what its calls have in common: the first word of a text."""
    plain = type(bench.executor).classify

    def classify(call: Any) -> Verdict:
        verdict: Verdict = plain(bench.executor, call)
        does = call.arguments.text.split()[0] if call.arguments.text else "nothing"
        unfit = "it runs code" if does == "code" else None
        step = Step(
            does,
            verdict.tier,
            frozenset({verdict.rule}),
            external=verdict.external,
            unfit=unfit,
        )
        return Verdict(
            verdict.tier,
            verdict.rule,
            verdict.reason,
            external=verdict.external,
            hosts=verdict.hosts,
            plan=verdict.plan,
            steps=(step,),
        )

    bench.executor.classify = classify


@pytest.fixture(name="bench")
def classed_bench(bench: Any) -> Any:
    classed(bench)
    return bench


async def allowed(
    bench: Any, hours: float | None = 1.0, text: str = "mow lawn", **call: Any
) -> str:
    """Ask, approve with the class, and return the class's id."""
    asked = await bench.call(tier=call.pop("tier", "RED"), text=text, **call)
    assert asked.status == "pending_approval"
    dispatcher = bench.wrapper.dispatcher
    shown = dispatcher.class_of(asked.approval_id).text()
    answer = await dispatcher.approve(
        asked.approval_id, "ada", None, Allow(shown, hours)
    )
    assert answer.status == "ok"
    (found, *_) = bench.wrapper.allowances.list()
    assert (found.text, found.approval_id) == (shown, asked.approval_id)
    return str(found.id)


async def status(bench: Any, text: str = "mow meadow", **call: Any) -> str:
    answer = await bench.call(tier=call.pop("tier", "RED"), text=text, **call)
    return str(answer.status)


async def test_calls_of_an_allowed_class_run_and_name_it(bench: Any) -> None:
    class_id = await allowed(bench)
    assert await status(bench) == "ok"
    assert bench.executor.done == ["mow lawn", "mow meadow"]
    intent = [row for row in bench.wrapper.audit.query() if row.kind == "intent"][-1]
    assert intent.detail["allowed_by"] == class_id
    assert class_id in intent.detail["decision"]
    assert bench.wrapper.allowances.list()[0].uses == 1


async def test_what_is_not_of_the_class_still_asks(bench: Any) -> None:
    await allowed(bench)
    assert await status(bench, "rake meadow") == "pending_approval"
    assert await status(bench, tier="CRITICAL_RED") == "pending_approval"
    assert await status(bench, external=True) == "pending_approval"
    assert await status(bench, agent="marketing") == "pending_approval"
    bench.provide()
    assert await status(bench, "mow SECRET_REF(token)") == "pending_approval"


async def test_an_external_class_is_no_unlock(bench: Any) -> None:
    await allowed(bench, external=True, hosts=["a.example"])
    assert await status(bench, external=True, hosts=["a.example"]) == "ok"
    for other in (["b.example"], None):
        assert await status(bench, external=True, hosts=other) == "pending_approval"
    waits = await status(bench, "rake x", external=True, hosts=["a.example"])
    assert waits == "pending_approval"
    assert bench.wrapper.policies.policy("main").unlocked == frozenset()


async def test_a_class_for_a_session_counts_in_that_session_alone(bench: Any) -> None:
    await allowed(bench, hours=None)
    assert await status(bench) == "ok"
    other = ToolRequest(
        session_id="session-2",
        tool_name="deed",
        tool_args={"tier": "RED", "text": "mow meadow"},
        context=RequestContext(),
    )
    answer = await bench.wrapper.dispatcher.call(other, "main")
    assert answer.status == "pending_approval"


async def test_a_class_expires(bench: Any) -> None:
    await allowed(bench, hours=0.05 / 3600)
    await anyio.sleep(0.06)
    assert await status(bench) == "pending_approval"
    assert bench.wrapper.allowances.list() == []
    assert len(bench.wrapper.allowances.list(live=False)) == 1


async def test_a_revoked_class_no_longer_counts(bench: Any) -> None:
    class_id = await allowed(bench)
    ended = bench.wrapper.allowances.revoke(class_id, "ada")
    assert (ended.live, ended.revoked_by) == (False, "ada")
    assert await status(bench) == "pending_approval"
    bench.wrapper.allowances.revoke(class_id, "eve")
    assert bench.wrapper.allowances.list(live=False)[0].revoked_by == "ada"
    with pytest.raises(NotFound):
        bench.wrapper.allowances.revoke("cls_nothing", "ada")
    acts = [row for row in bench.wrapper.audit.query() if row.kind == "class"]
    assert [row.decision for row in acts] == ["allowed", "revoked"]
    assert {row.detail["class"] for row in acts} == {class_id}


async def test_a_class_that_ends_under_way_stops_the_call(bench: Any) -> None:
    class_id = await allowed(bench)
    allowances = bench.wrapper.allowances
    found = allowances.covering

    def covering(*asked: Any) -> Any:
        answer = found(*asked)
        allowances.revoke(class_id, "ada")
        return answer

    allowances.covering = covering
    with pytest.raises(Conflict, match="ended"):
        await status(bench)
    assert bench.executor.done == ["mow lawn"]


async def test_a_class_survives_a_restart(make_bench: Any) -> None:
    with make_bench() as first:
        classed(first)
        await allowed(first)
    with make_bench() as second:
        classed(second)
        assert await status(second) == "ok"


async def test_a_policy_that_cannot_be_read_gates_classes_too(bench: Any) -> None:
    await allowed(bench)
    bench.home.agents.write_text("{", encoding="utf-8")
    assert await status(bench) == "pending_approval"


async def test_a_class_helps_at_level_one(bench: Any) -> None:
    bench.wrapper.policies.set_tenant_level(AutonomyLevel.CAREFUL)
    await allowed(bench, tier="YELLOW")
    assert await status(bench, tier="YELLOW") == "ok"
    assert await status(bench, tier="RED") == "pending_approval"


@pytest.mark.parametrize(
    ("text", "tier"), [("code x", "RED"), ("mow lawn", "CRITICAL_RED")]
)
async def test_no_class_where_none_may_be(bench: Any, text: str, tier: str) -> None:
    asked = await bench.call(tier=tier, text=text)
    dispatcher = bench.wrapper.dispatcher
    with pytest.raises(NoClass):
        await dispatcher.approve(asked.approval_id, "ada", None, Allow("any", 1))
    stored = bench.wrapper.approvals.get(asked.approval_id)
    assert stored.state == "pending"
    assert "no class" in stored.explanation["no_class"]
    assert bench.wrapper.allowances.list() == []
    assert bench.executor.done == []


@pytest.mark.parametrize("hours", [0, -1, 25, float("nan"), float("inf")])
async def test_a_class_needs_a_span_of_hours(bench: Any, hours: float) -> None:
    asked = await bench.call(tier="RED", text="mow lawn")
    text = bench.wrapper.dispatcher.class_of(asked.approval_id).text()
    with pytest.raises(InvalidRequest):
        await bench.wrapper.dispatcher.approve(
            asked.approval_id, "ada", None, Allow(text, hours)
        )
    assert bench.executor.done == []


async def test_a_class_is_stored_only_as_it_was_shown(bench: Any) -> None:
    asked = await bench.call(tier="RED", text="mow lawn")
    with pytest.raises(ApprovalChanged, match="deed: mow"):
        await bench.wrapper.dispatcher.approve(
            asked.approval_id, "ada", None, Allow("deed: mow, GREEN at most", 1)
        )
    assert bench.wrapper.allowances.list() == []
    assert bench.executor.done == []


async def test_a_denial_or_an_approval_alone_allows_no_class(bench: Any) -> None:
    dispatcher = bench.wrapper.dispatcher
    first = await bench.call(tier="RED", text="mow lawn")
    await dispatcher.approve(first.approval_id, "ada", None)
    second = await bench.call(tier="RED", text="mow lawn")
    assert second.status == "pending_approval"
    await dispatcher.deny(second.approval_id, "ada", None)
    assert await status(bench) == "pending_approval"
    assert bench.wrapper.allowances.list() == []
