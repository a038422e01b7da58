from __future__ import annotations

import time
from typing import Any

import anyio
import pytest

from letsbe.errors import (
    ApprovalChanged,
    ApprovalClosed,
    NotFound,
    Refused,
    ToolFailed,
)

pytestmark = pytest.mark.anyio


async def asked(bench: Any, **arguments: Any) -> str:
    answer = await bench.call(tier="RED", **arguments)
    assert answer.status == "pending_approval"
    return str(answer.approval_id)


def decide(bench: Any, act: str, approval: str, reason: str | None = None) -> Any:
    return getattr(bench.wrapper.dispatcher, act)(approval, "ada", reason)


async def test_an_approved_call_runs_once(bench: Any) -> None:
    approval = await asked(bench, text="boom")
    answer = await decide(bench, "approve", approval, "go on")
    assert (answer.status, answer.approval_id) == ("ok", approval)
    assert bench.executor.done == ["boom"]
    with pytest.raises(ApprovalClosed):
        await decide(bench, "approve", approval)
    assert bench.executor.done == ["boom"]
    stored = bench.wrapper.approvals.get(approval)
    assert stored.state == "done"
    assert (stored.decided_by, stored.decision_reason) == ("ada", "go on")
    assert stored.answer["status"] == "ok"


async def test_two_people_at_once_run_it_once(bench: Any) -> None:
    approval = await asked(bench, text="boom", seconds=0.05)
    outcomes: list[str] = []

    async def approve() -> None:
        try:
            outcomes.append((await decide(bench, "approve", approval)).status)
        except ApprovalClosed:
            outcomes.append("closed")

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(approve)
    assert sorted(outcomes) == ["closed"] * 4 + ["ok"]
    assert bench.executor.done == ["boom"]


async def test_equal_requests_are_one_approval(bench: Any) -> None:
    first = await asked(bench, text="same")
    assert await asked(bench, text="same") == first
    assert await asked(bench, text="other") != first
    answer = await bench.call(tier="RED", text="same", agent="marketing")
    assert answer.approval_id != first
    assert len(bench.wrapper.approvals.list("pending")) == 3


async def test_asking_again_after_the_run_is_a_new_approval(bench: Any) -> None:
    first = await asked(bench, text="same")
    await decide(bench, "approve", first)
    assert await asked(bench, text="same") != first


async def test_a_denial_carries_its_reason_back(bench: Any) -> None:
    approval = await asked(bench, text="boom", call_id="c1")
    await decide(bench, "deny", approval, "not today")
    again = await bench.call(tier="RED", text="boom", call_id="c1")
    assert (again.status, again.code) == ("denied", "denied")
    assert "not today" in again.reason
    assert bench.executor.done == []
    with pytest.raises(ApprovalClosed):
        await decide(bench, "approve", approval)


async def test_an_expired_approval_cannot_be_used(make_bench: Any) -> None:
    with make_bench(approval_hours=0.02 / 3600) as bench:
        approval = await asked(bench, text="late", call_id="c1")
        await anyio.sleep(0.05)
        assert bench.wrapper.approvals.get(approval).state == "expired"
        with pytest.raises(ApprovalClosed, match="expired"):
            await decide(bench, "approve", approval)
        again = await bench.call(tier="RED", text="late", call_id="c1")
        assert (again.status, again.code) == ("denied", "approval_closed")
        assert await asked(bench, text="late") != approval
        assert bench.executor.done == []


async def test_what_changed_since_is_refused_with_the_difference(bench: Any) -> None:
    approval = await asked(bench, text="boom")
    bench.executor.plan = {"argv": ["deed", "--force"]}
    with pytest.raises(ApprovalChanged) as caught:
        await decide(bench, "approve", approval)
    assert 'plan.argv: ["deed"] became ["deed", "--force"]' in caught.value.message
    assert bench.executor.done == []
    assert bench.wrapper.approvals.get(approval).state == "pending"


async def test_an_approval_survives_a_restart(make_bench: Any) -> None:
    with make_bench() as bench:
        approval = await asked(bench, text="boom")
    with make_bench() as bench:
        assert bench.wrapper.approvals.get(approval).state == "pending"
        await decide(bench, "approve", approval)
        assert bench.executor.done == ["boom"]


async def test_an_approval_shows_references_and_never_values(bench: Any) -> None:
    bench.provide()
    approval = await asked(bench, text=f"SECRET_REF(token) and {bench.canary}")
    stored = bench.wrapper.approvals.get(approval)
    assert stored.tool_args["text"] == "SECRET_REF(token) and SECRET_REF(token)"
    await decide(bench, "approve", approval)
    assert bench.executor.done == [f"{bench.canary} and {bench.canary}"]


async def test_an_approval_needs_its_secret_when_it_runs(bench: Any) -> None:
    bench.provide()
    approval = await asked(bench, text="SECRET_REF(token)")
    bench.wrapper.secrets.vault.delete("token")
    with pytest.raises(Refused):
        await decide(bench, "approve", approval)
    assert bench.executor.done == []


async def test_a_failed_run_is_told_to_whoever_asks_again(bench: Any) -> None:
    approval = await asked(bench, text="boom", call_id="c1")
    bench.executor.failure = ToolFailed("the disk is full")
    await decide(bench, "approve", approval)
    again = await bench.call(tier="RED", text="boom", call_id="c1")
    assert (again.status, again.reason) == ("error", "the disk is full")
    assert bench.wrapper.approvals.get(approval).state == "failed"


async def test_a_run_that_was_cut_off_is_not_run_again(make_bench: Any) -> None:
    with make_bench() as bench:
        approval = await asked(bench, text="boom", call_id="c1")

        def cut_off(connection: Any) -> None:
            connection.execute(
                "UPDATE approvals SET state = 'running', decided_at = ?",
                (time.time() - 500,),
            )

        bench.database.write(cut_off)
    with make_bench() as bench:
        assert bench.wrapper.approvals.get(approval).state == "interrupted"
        with pytest.raises(ApprovalClosed, match="interrupted"):
            await decide(bench, "approve", approval)
        again = await bench.call(tier="RED", text="boom", call_id="c1")
        assert (again.status, again.code) == ("denied", "approval_closed")
        assert bench.executor.done == []


async def test_an_unknown_approval_is_not_found(bench: Any) -> None:
    for act in ("approve", "deny"):
        with pytest.raises(NotFound):
            await decide(bench, act, "apr_nothing")


async def test_approvals_are_listed_newest_first_page_by_page(bench: Any) -> None:
    made = [await asked(bench, text=str(number)) for number in range(5)]
    first = bench.wrapper.approvals.list(limit=3)
    rest = bench.wrapper.approvals.list(limit=3, after=first[-1].id)
    assert [a.id for a in (*first, *rest)] == made[::-1]


async def test_the_audit_log_links_the_steps(bench: Any) -> None:
    approval = await asked(bench)
    await decide(bench, "approve", approval, "go on")
    rows = [r for r in bench.wrapper.audit.query() if r.approval_id == approval]
    assert [row.kind for row in rows] == ["pending", "intent", "outcome"]
    assert rows[1].detail["decision"] == "approved by ada"
    assert rows[1].detail["approved_because"] == "go on"
    assert bench.wrapper.audit.verify().ok
