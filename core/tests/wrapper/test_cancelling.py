"""A call whose turn was ended is ended with all it had started, and is on record."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import pytest

from letsbe.wrapper.answers import Answer

pytestmark = pytest.mark.anyio

PLACE = ("main", "session-1", "c1")


async def _until(condition: Any) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.005)


async def test_a_call_that_runs_is_ended(bench: Any) -> None:
    answers: list[Answer] = []

    async def call() -> None:
        answers.append(await bench.call(call_id="c1", seconds=60, text="late"))

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await _until(lambda: bench.executor.running)
        assert not bench.wrapper.cancellations.cancel(("marketing", *PLACE[1:]))
        assert bench.wrapper.cancellations.cancel(PLACE)
    assert bench.executor.running == 0
    assert not bench.executor.done
    assert answers[0].code == "cancelled"
    assert bench.audit_kinds() == [("intent", "run"), ("outcome", "error")]
    assert not bench.wrapper.cancellations.cancel(PLACE), "it is over"


async def test_a_call_that_waits_for_its_turn_does_not_begin(make_bench: Any) -> None:
    with make_bench(concurrent_calls=1) as bench:
        answers: list[Answer] = []

        async def second() -> None:
            answers.append(await bench.call(call_id="c1", text="second"))

        async with anyio.create_task_group() as group:
            group.start_soon(partial(bench.call, call_id="first", seconds=0.3))
            await _until(lambda: bench.executor.running)
            group.start_soon(second)
            await _until(lambda: bench.wrapper.cancellations.cancel(PLACE))
        assert answers[0].code == "cancelled"
        assert "second" not in bench.executor.done


async def test_a_call_without_an_id_cannot_be_meant(bench: Any) -> None:
    answer = await bench.call(seconds=0.05, text="done")
    assert answer.status == "ok"
    assert bench.executor.done == ["done"]
