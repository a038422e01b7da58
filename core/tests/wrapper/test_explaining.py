"""What an approval tells besides what will run: the rules, the levels, the preview."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from letsbe.errors import ToolFailed
from letsbe.plugin import Preview, _offers

pytestmark = pytest.mark.anyio


async def told(bench: Any, **arguments: Any) -> Any:
    answer = await bench.call(tier=arguments.pop("tier", "RED"), **arguments)
    assert answer.status == "pending_approval"
    return bench.wrapper.approvals.get(answer.approval_id)


async def test_an_approval_holds_its_explanation(bench: Any) -> None:
    explanation = (await told(bench)).explanation
    (row,) = explanation["rules"]
    assert (row["rule"], row["tier"], row["decided"]) == ("deed.rule", "RED", True)
    assert explanation["levels"] == {
        "1": {"locked": "ask", "unlocked": "ask"},
        "2": {"locked": "ask", "unlocked": "ask"},
        "3": {"locked": "run", "unlocked": "run"},
    }


async def test_the_levels_are_those_of_the_gate(bench: Any) -> None:
    levels = (await told(bench, tier="YELLOW", external=True)).explanation["levels"]
    assert levels["1"] == {"locked": "ask", "unlocked": "ask"}
    assert levels["2"] == {"locked": "ask", "unlocked": "run"}
    assert levels["3"] == {"locked": "ask", "unlocked": "run"}


async def test_the_preview_is_shown_and_redacted(bench: Any) -> None:
    bench.provide()
    seen: list[bytes] = []

    def preview(call: Any, verdict: Any, redact: Any) -> Preview:
        seen.append(redact(bench.canary.encode()))
        assert verdict.plan == {"argv": ["deed"]}
        return Preview(
            f"takes {call.arguments.text} and {bench.canary}",
            {"files": 3},
            difference=f"-{bench.canary}\n",
            left_out=("the weather",),
        )

    bench.executor.preview = preview
    stored = (await told(bench, text="a lawn")).preview
    assert stored == {
        "summary": "takes a lawn and SECRET_REF(token)",
        "detail": {"files": 3},
        "difference": "-SECRET_REF(token)\n",
        "left_out": ["the weather"],
    }
    assert seen == [b"SECRET_REF(token)"]
    assert bench.canary.encode() not in bench.everything_stored()


async def test_a_preview_is_no_part_of_the_digest(bench: Any) -> None:
    counted = iter(range(10))

    def preview(*_: Any) -> Preview:
        return Preview(f"takes {next(counted)} files")

    bench.executor.preview = preview
    first, second = await told(bench), await told(bench)
    assert first.id == second.id
    assert second.preview["summary"] == "takes 0 files"
    answer = await bench.wrapper.dispatcher.approve(first.id, "ada", None)
    assert answer.status == "ok"


async def test_reads_are_not_previewed(bench: Any) -> None:
    asked: list[Any] = []
    bench.executor.preview = lambda *call: asked.append(call)
    assert (await bench.call()).status == "ok"
    assert asked == []
    assert (await told(bench)).preview is None
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ToolFailed("the disk cannot be read"), "the disk cannot be read"),
        (ValueError("canary-5f1e7c0b9a"), "ValueError"),
        (SystemExit(3), "SystemExit"),
    ],
)
async def test_a_preview_that_fails_is_said_to(
    bench: Any, failure: BaseException, said: str
) -> None:
    def preview(*_: Any) -> Preview:
        raise failure

    bench.executor.preview = preview
    stored = (await told(bench)).preview
    assert "could not be told" in stored["summary"]
    assert said in stored["left_out"][0]
    assert bench.canary not in str(stored)


async def test_a_preview_that_hangs_is_left_alone(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_offers, "PREVIEW_SECONDS", 0.05)

    ended = threading.Event()

    def preview(*_: Any) -> Preview:
        ended.wait(60)
        return Preview("too late")

    bench.executor.preview = preview
    began = time.monotonic()
    assert "could not be told" in (await told(bench)).preview["summary"]
    assert time.monotonic() - began < 30
    ended.set()


@pytest.mark.parametrize("nonsense", ["a text", {"summary": "x"}, 7])
async def test_a_preview_of_a_wrong_type_is_not_believed(
    bench: Any, nonsense: Any
) -> None:
    bench.executor.preview = lambda *_: nonsense
    stored = (await told(bench)).preview
    assert "could not be told" in stored["summary"]


async def test_a_preview_is_stored_within_bounds(bench: Any) -> None:
    huge = Preview("x" * 100_000, {"names": ["y"] * 10_000, "odd": {1, 2}}, "z" * 10**6)
    bench.executor.preview = lambda *_: huge
    stored = (await told(bench)).preview
    assert len(stored["summary"]) < 3000
    assert len(stored["detail"]["names"]) == 200
    assert len(stored["difference"]) == 65_536
