"""An offer holds its provider to what it declared, and to answers that are ones."""

from typing import Any

import anyio
import pytest
from typing_extensions import override

from letsbe.discovery.records import Kind, PluginRecord, Status
from letsbe.errors import LetsBeError, PathRefused, Refused, ToolFailed
from letsbe.plugin import (
    Action,
    Arguments,
    Health,
    Result,
    Tier,
    ToolCall,
    Verdict,
)
from letsbe.plugin._offers import Offer
from letsbe.testing import FakeExecution, make_call

CANARY = "canary-0e77"

ACTION = Action("send", "Send it.", Arguments, Tier.YELLOW_EXTERNAL, external=True)
RECORD = PluginRecord(Kind.EXECUTOR, "post", "post", "1", "index", Status.ACTIVE)
GREEN = Verdict(Tier.GREEN, "send", "sends", plan={"to": "kim"}, work=[1])


class Provider:
    actions = (ACTION,)

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def give(self) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def classify(self, call: ToolCall) -> Verdict:
        return self.give()  # type: ignore[no-any-return]  # it may be anything

    async def execute(self, call: ToolCall, verdict: Verdict, run: object) -> Result:
        return self.give()  # type: ignore[no-any-return]  # it may be anything

    async def check(self) -> Health:
        return Health(healthy=True)


def offer(answer: object) -> Offer:
    return Offer(ACTION, Provider(answer), RECORD)


@pytest.fixture
def call() -> ToolCall:
    return make_call(ACTION, {})


async def run(answer: object, call: ToolCall) -> Result:
    return await offer(answer).run(call, GREEN, FakeExecution())


def test_a_verdict_is_raised_to_what_is_declared(call: ToolCall) -> None:
    verdict = offer(GREEN).classify(call)
    assert (verdict.tier, verdict.external) == (Tier.YELLOW_EXTERNAL, True)
    assert (verdict.plan, verdict.work) == (GREEN.plan, GREEN.work)


def test_a_stricter_verdict_stays(call: ToolCall) -> None:
    stricter = Verdict(Tier.RED, "send.all", "sends to all", external=True)
    assert offer(stricter).classify(call) is stricter


def test_a_providers_refusal_comes_through(call: ToolCall) -> None:
    with pytest.raises(PathRefused, match="not there"):
        offer(PathRefused("not there")).classify(call)


@pytest.mark.parametrize(
    "answer",
    [RuntimeError(CANARY), SystemExit(CANARY), KeyboardInterrupt(CANARY), None, CANARY],
)
def test_what_cannot_be_classified_is_refused(answer: object, call: ToolCall) -> None:
    with pytest.raises(Refused) as caught:
        offer(answer).classify(call)
    assert "executor/post" in caught.value.message
    assert CANARY not in caught.value.message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.anyio
async def test_a_result_comes_through(call: ToolCall) -> None:
    assert await run(Result({"sent": 1}), call) == Result({"sent": 1})


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError(CANARY),
        SystemExit(CANARY),
        KeyboardInterrupt(CANARY),
        BaseExceptionGroup(CANARY, [SystemExit(CANARY)]),
        CANARY,
        None,
    ],
)
async def test_whatever_goes_wrong_is_a_failed_call(
    answer: object, call: ToolCall
) -> None:
    with pytest.raises(ToolFailed) as caught:
        await run(answer, call)
    assert caught.value.message.startswith("send failed: it ")
    assert CANARY not in caught.value.message


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [
        ToolFailed("the post is closed"),
        ExceptionGroup("", [ToolFailed("the post is closed")]),
        ExceptionGroup(
            "",
            [
                ValueError(CANARY),
                ExceptionGroup("", [ToolFailed("the post is closed")]),
            ],
        ),
    ],
)
async def test_an_error_of_ours_comes_through(error: Exception, call: ToolCall) -> None:
    with pytest.raises(LetsBeError, match=r"^the post is closed$"):
        await run(error, call)


@pytest.mark.anyio
async def test_a_deadline_still_cancels(call: ToolCall) -> None:
    class Slow(Provider):
        @override
        async def execute(self, *_: object) -> Result:
            await anyio.sleep_forever()
            raise AssertionError

    slow = Offer(ACTION, Slow(None), RECORD)
    with pytest.raises(TimeoutError), anyio.fail_after(0.05):
        await slow.run(call, GREEN, FakeExecution())
