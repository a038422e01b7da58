from __future__ import annotations

import logging
from functools import partial
from typing import Any

import anyio
import pytest

from letsbe.errors import Busy, InvalidRequest, ToolFailed, UnknownTool
from letsbe.plugin import Decision, Result, Tier, ToolCall, Verdict

pytestmark = pytest.mark.anyio


async def test_a_read_runs_and_is_audited_before_and_after(bench: Any) -> None:
    answer = await bench.call(text="hello")
    assert answer.status == "ok"
    assert answer.tier == "GREEN"
    assert answer.rule == "deed.rule"
    assert answer.output["said"] == "hello"
    intent, outcome = bench.wrapper.audit.query()
    assert (intent.kind, intent.decision) == ("intent", "run")
    assert (outcome.kind, outcome.decision) == ("outcome", "ok")
    assert outcome.intent_seq == intent.seq
    assert answer.audit_id == outcome.seq
    assert intent.detail["plan"] == {"argv": ["deed"]}


async def test_the_intent_is_on_disk_before_anything_starts(bench: Any) -> None:
    seen: list[list[str]] = []
    original = bench.executor.execute

    async def look(*step: Any) -> Result:
        seen.append([row.kind for row in bench.wrapper.audit.query()])
        result: Result = await original(*step)
        return result

    bench.executor.execute = look
    await bench.call()
    assert seen == [["intent"]]


async def test_what_destroys_waits_and_nothing_runs(bench: Any) -> None:
    answer = await bench.call(tier="RED", text="boom")
    assert answer.status == "pending_approval"
    assert answer.approval_id is not None
    assert bench.executor.done == []
    assert bench.audit_kinds() == [("pending", "pending_approval")]


async def test_a_tool_without_a_declared_tier_is_red(bench: Any) -> None:
    answer = await bench.call("undeclared", tier="GREEN")
    assert (answer.status, answer.tier) == ("pending_approval", "RED")


async def test_a_refused_verdict_runs_for_nobody(bench: Any) -> None:
    answer = await bench.call(refused=True)
    assert (answer.status, answer.code) == ("denied", "refused")
    assert answer.rule == "deed.rule"
    assert bench.audit_kinds() == [("denied", "denied")]


async def test_a_refusal_of_the_executor_is_a_named_denial(bench: Any) -> None:
    answer = await bench.call(text="outside")
    assert (answer.status, answer.code) == ("denied", "path_refused")
    assert bench.executor.done == []


async def test_an_unknown_tool_is_told_where_to_look(bench: Any) -> None:
    with pytest.raises(UnknownTool) as caught:
        await bench.call("nope")
    assert "/api/v1/tools" in str(caught.value.alternative)
    assert bench.audit_kinds() == []


async def test_wrong_arguments_are_named_field_by_field(bench: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await bench.call(text=5, nonsense=bench.canary, count="three")
    fields = {detail.field for detail in caught.value.details}
    assert fields == {"tool_args.text", "tool_args.nonsense", "tool_args.count"}
    assert bench.canary not in repr(caught.value.details)


class TestSecrets:
    async def test_a_reference_becomes_the_value_and_comes_back_as_a_reference(
        self, bench: Any
    ) -> None:
        bench.provide()
        answer = await bench.call(text="key=SECRET_REF(token)")
        assert bench.executor.done == [f"key={bench.canary}"]
        assert answer.output["said"] == "key=SECRET_REF(token)"

    async def test_structured_references_become_variables(self, bench: Any) -> None:
        bench.provide("shop.token")
        answer = await bench.call(
            secret_refs=["shop.token"], env_refs={"KEY": "shop.token"}
        )
        assert answer.output["environment"] == {
            "SHOP_TOKEN": "SECRET_REF(shop.token)",
            "KEY": "SECRET_REF(shop.token)",
        }

    async def test_an_unknown_name_is_refused_with_a_close_one(
        self, bench: Any
    ) -> None:
        bench.provide("shop_token")
        answer = await bench.call(text="SECRET_REF(shop_tokn)")
        assert (answer.status, answer.code) == ("denied", "unknown_secret")
        assert "shop_token" in f"{answer.reason} {answer.alternative}"
        assert bench.executor.done == []

    async def test_scopes_bind_a_secret_to_tools_and_hosts(self, bench: Any) -> None:
        bench.provide("elsewhere", tools=("other",))
        bench.provide("bound", bench.canary + "2", hosts=("api.example.com",))
        for text, hosts in (
            ("SECRET_REF(elsewhere)", []),
            ("SECRET_REF(bound)", ["evil.example"]),
            ("SECRET_REF(bound)", ["api.example.com", "evil.example"]),
            ("SECRET_REF(bound)", None),
        ):
            answer = await bench.call(text=text, hosts=hosts)
            assert (answer.status, answer.code) == ("denied", "secret_out_of_scope")
        right = await bench.call(text="SECRET_REF(bound)", hosts=["api.example.com"])
        assert right.status == "ok"

    async def test_a_pasted_value_counts_as_its_reference(self, bench: Any) -> None:
        bench.provide("elsewhere", tools=("other",))
        answer = await bench.call(text=f"use {bench.canary}")
        assert (answer.status, answer.code) == ("denied", "secret_out_of_scope")

    async def test_a_mask_is_refused_and_nothing_runs(self, bench: Any) -> None:
        answer = await bench.call(text="Authorization: Bearer ***")
        assert (answer.status, answer.code) == ("denied", "masked_value")
        assert bench.executor.done == []

    async def test_no_value_is_stored_anywhere(self, bench: Any) -> None:
        bench.provide()
        await bench.call(text=f"{bench.canary} SECRET_REF(token)", call_id="1")
        await bench.call(tier="RED", text=f"{bench.canary} SECRET_REF(token)")
        bench.executor.failure = ToolFailed(f"failed with {bench.canary}")
        failed = await bench.call(text="again")
        assert bench.canary not in failed.model_dump_json()
        assert bench.canary.encode() not in bench.everything_stored()


class TestFailures:
    async def test_a_failure_of_the_tool_is_an_answer_with_an_outcome(
        self, bench: Any
    ) -> None:
        bench.executor.failure = ToolFailed("the deed could not be done")
        answer = await bench.call()
        assert (answer.status, answer.code) == ("error", "tool_failed")
        assert bench.audit_kinds() == [("intent", "run"), ("outcome", "error")]

    async def test_the_text_of_a_strange_exception_is_never_shown(
        self, bench: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench.executor.failure = RuntimeError(bench.canary)
        with caplog.at_level(logging.DEBUG):
            answer = await bench.call()
        assert (answer.status, answer.code) == ("error", "tool_failed")
        assert bench.canary not in answer.model_dump_json()
        assert bench.canary not in caplog.text
        assert bench.canary.encode() not in bench.everything_stored()

    async def test_output_that_cannot_be_redacted_is_withheld(self, bench: Any) -> None:
        original = bench.executor.execute

        async def then_break(*step: Any) -> Result:
            result: Result = await original(*step)
            bench.layer.failing = True
            return result

        bench.executor.execute = then_break
        answer = await bench.call(text="private")
        assert (answer.status, answer.code) == ("error", "output_withheld")
        assert answer.output is None
        assert bench.audit_kinds() == [("intent", "run"), ("outcome", "error")]

    async def test_nothing_starts_while_redaction_fails(self, bench: Any) -> None:
        bench.layer.failing = True
        answer = await bench.call(text="private")
        assert (answer.status, answer.code) == ("error", "output_withheld")
        assert bench.executor.done == []

    async def test_a_call_is_ended_at_its_deadline(self, make_bench: Any) -> None:
        with make_bench(call_timeout=0.05) as bench:
            answer = await bench.call(seconds=30)
        assert (answer.status, answer.code) == ("error", "deadline_exceeded")
        assert bench.executor.running == 0

    async def test_a_caller_that_goes_away_does_not_take_the_outcome_with_it(
        self, bench: Any
    ) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: bench.call(seconds=0.1))
            while not bench.executor.running:
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
        assert bench.audit_kinds() == [("intent", "run"), ("outcome", "ok")]


class TestHooks:
    async def test_the_strictest_classification_wins(self, make_bench: Any) -> None:
        def letsbe_classify(call: ToolCall, proposed: Verdict) -> Verdict:
            tier = Tier.RED if "raise" in str(call.arguments) else Tier.GREEN
            return Verdict(tier, "mine", "thinks so")

        with make_bench(hooks={"letsbe_classify": letsbe_classify}) as bench:
            raised = await bench.call(text="raise")
            lowered = await bench.call(tier="YELLOW_EXTERNAL", text="o")
        assert (raised.tier, raised.rule) == ("RED", "mine")
        assert lowered.tier == "YELLOW_EXTERNAL"

    async def test_a_refusal_before_execution_stops_the_call(
        self, make_bench: Any
    ) -> None:
        def letsbe_before_execute(call: ToolCall, decision: Decision) -> str:
            return "not on a Sunday"

        with make_bench(hooks={"letsbe_before_execute": letsbe_before_execute}) as b:
            answer = await b.call()
            assert answer.status == "denied"
            assert "not on a Sunday" in answer.reason
            assert b.executor.done == []

    async def test_observers_see_the_redacted_result(self, make_bench: Any) -> None:
        seen: list[Any] = []

        def letsbe_after_execute(call: ToolCall, result: Result) -> None:
            seen.append(result.output["said"])

        with make_bench(hooks={"letsbe_after_execute": letsbe_after_execute}) as b:
            b.provide()
            await b.call(text="SECRET_REF(token)")
        assert seen == ["SECRET_REF(token)"]


class TestCapacity:
    async def test_no_more_than_the_limit_execute_at_once(
        self, make_bench: Any
    ) -> None:
        with make_bench(concurrent_calls=3, waiting_calls=50) as bench:
            async with anyio.create_task_group() as group:
                for number in range(20):
                    call = partial(bench.call, text=str(number), seconds=0.01)
                    group.start_soon(call)
            assert bench.executor.most_running == 3
            assert sorted(bench.executor.done, key=int) == [str(n) for n in range(20)]

    async def test_beyond_the_queue_the_answer_is_busy(self, make_bench: Any) -> None:
        refused: list[Busy] = []

        async def try_one() -> None:
            try:
                await bench.call(seconds=0.2)
            except Busy as error:
                refused.append(error)

        with make_bench(concurrent_calls=1, waiting_calls=1) as bench:
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(try_one)
            assert len(refused) == 3
            assert len(bench.executor.done) == 2
            kinds = [kind for kind, _ in bench.audit_kinds()]
            assert kinds.count("intent") == kinds.count("outcome") == 2
