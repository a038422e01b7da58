from __future__ import annotations

from typing import Any

import anyio
import pytest

from letsbe.errors import Conflict

pytestmark = pytest.mark.anyio


async def test_a_retry_gets_the_first_answer(bench: Any) -> None:
    first = await bench.call(text="once", call_id="c1")
    second = await bench.call(text="once", call_id="c1")
    assert second == first
    assert bench.executor.done == ["once"]


async def test_retries_at_the_same_time_run_once(bench: Any) -> None:
    answers: list[Any] = []

    async def call() -> None:
        answers.append(await bench.call(text="once", seconds=0.05, call_id="c1"))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(call)
    assert bench.executor.done == ["once"]
    assert len({answer.audit_id for answer in answers}) == 1


async def test_ids_belong_to_an_agent_and_session(bench: Any) -> None:
    await bench.call(text="mine", call_id="c1")
    await bench.call(text="mine", call_id="c1", agent="marketing")
    assert bench.executor.done == ["mine", "mine"]


async def test_an_id_cannot_be_used_for_another_call(bench: Any) -> None:
    await bench.call(text="one", call_id="c1")
    with pytest.raises(Conflict, match="belongs to another call"):
        await bench.call(text="two", call_id="c1")
    assert bench.executor.done == ["one"]


async def test_a_denial_is_an_answer_too(bench: Any) -> None:
    first = await bench.call(refused=True, call_id="c1")
    assert await bench.call(refused=True, call_id="c1") == first
    assert len(bench.audit_kinds()) == 1


async def test_an_attempt_without_outcome_is_not_repeated(bench: Any) -> None:
    await bench.call(text="once", call_id="c1")
    bench.database.write(lambda c: c.execute("UPDATE tool_calls SET answer = NULL"))
    with pytest.raises(Conflict, match="look at its effect"):
        await bench.call(text="once", call_id="c1")
    assert bench.executor.done == ["once"]


async def test_a_pending_call_answers_with_what_became_of_it(bench: Any) -> None:
    first = await bench.call(tier="RED", text="x", call_id="c1")
    assert await bench.call(tier="RED", text="x", call_id="c1") == first
    await bench.wrapper.dispatcher.approve(first.approval_id, "ada", None)
    after = await bench.call(tier="RED", text="x", call_id="c1")
    assert (after.status, after.output["said"]) == ("ok", "x")
    assert bench.executor.done == ["x"]


async def test_without_an_id_every_call_runs(bench: Any) -> None:
    await bench.call(text="again")
    await bench.call(text="again")
    assert bench.executor.done == ["again", "again"]
