"""What OpenRouter tells about a generation afterwards sets right what was counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from letsbe.proxy import generations
from letsbe.proxy.metering import Bucket, Meter, buckets
from letsbe.proxy.usage import NOTHING, Usage, difference, generation_usage
from letsbe.storage.database import Database
from letsbe.storage.home_schema import USAGE

CHAT = "/up/v1/chat/completions"
EVENTS = [(b"content-type", b"text/event-stream")]
DATA = {
    "id": "gen-1",
    "total_cost": 0.00151,
    "tokens_prompt": 90,
    "tokens_completion": 20,
    "native_tokens_prompt": 100,
    "native_tokens_completion": 25,
    "native_tokens_cached": 64,
    "native_tokens_reasoning": 5,
}
WHOLE = Usage(100, 25, 64, 5, 1510)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "PAUSES", (0.01, 0.02, 0.02))


def script(provider: Any, chat: bytes, *told: tuple[int, bytes]) -> None:
    """Let a provider answer calls with a stream, and questions one after the other."""
    left = list(told)

    async def answer(reply: Any) -> None:
        if "/generation?" in provider.last.target:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            await reply.whole(body, status)
        else:
            await reply.start(200, EVENTS)
            await reply.body(chat)

    provider.script = answer


def settled(proxy: Any, done: Callable[[Bucket], bool]) -> Bucket:
    """Wait until the only bucket is as it should be."""
    for _ in range(300):
        found = buckets(proxy.database)
        if len(found) == 1 and done(found[0]):
            return found[0]
        time.sleep(0.01)
    raise AssertionError(found)


def stream(**more: Any) -> bytes:
    chunk = {"id": "gen-1", "model": "x/y", "choices": [], **more}
    return f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()


def told(**data: Any) -> bytes:
    return json.dumps({"data": {**DATA, **data}}).encode()


def asked(provider: Any) -> list[Any]:
    return [r for r in provider.received if "/generation" in r.target]


def test_an_estimate_becomes_what_the_provider_says(start: Any, provider: Any) -> None:
    proxy = start(upstream={"generation_data": True})
    script(provider, stream(), (404, b"{}"), (200, told()))
    proxy.post(CHAT, json={"model": "x/y"}, headers={"x-letsbe-agent": "main"})
    bucket = settled(proxy, lambda b: b.usage.estimated_requests == 0)
    assert bucket.usage == WHOLE
    assert (bucket.agent_id, bucket.model) == ("main", "x/y")
    assert [r.target for r in asked(provider)] == ["/generation?id=gen-1"] * 2
    # With the real key, and nothing of the client's.
    assert asked(provider)[0].header("authorization") == "Bearer provider-key-9QmX4vTz"


def test_a_cost_is_added_to_tokens_that_were_told(start: Any, provider: Any) -> None:
    proxy = start(upstream={"generation_data": True})
    usage = {"prompt_tokens": 100, "completion_tokens": 25}
    script(provider, stream(usage=usage), (200, told()))
    proxy.post(CHAT, json={})
    assert settled(proxy, lambda b: b.usage.cost_micros > 0).usage == WHOLE


def test_who_tells_the_cost_at_once_is_not_asked(start: Any, provider: Any) -> None:
    proxy = start(upstream={"generation_data": True})
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "cost": 0.5}
    script(provider, stream(usage=usage), (200, told()))
    proxy.post(CHAT, json={})
    proxy.buckets()
    time.sleep(0.1)
    assert asked(provider) == []


def test_only_an_upstream_that_tells_is_asked(proxy: Any, provider: Any) -> None:
    script(provider, stream(), (200, told()))
    proxy.post(CHAT, json={})
    proxy.buckets()
    time.sleep(0.1)
    assert asked(provider) == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"not json"),
        (200, b"[]"),
        (200, b'{"data": null}'),
        (200, b'{"data": {"tokens_prompt": true, "total_cost": 1}}'),
        (401, b"{}"),
        (404, b"{}"),
        (500, b"{}"),
        (200, b"[" * 100_000),
        (200, b" " * (generations.ANSWER_LIMIT + 1)),
    ],
)
def test_a_useless_answer_leaves_the_estimate(
    start: Any, provider: Any, status: int, body: bytes
) -> None:
    proxy = start(upstream={"generation_data": True})
    script(provider, stream(), (status, body))
    proxy.post(CHAT, json={})
    (before,) = proxy.buckets()
    for _ in range(100):
        if len(asked(provider)) >= (1 if status == 401 else 3):
            break
        time.sleep(0.01)
    assert before.usage.estimated_requests == 1
    assert buckets(proxy.database) == [before]


def test_the_tokenizer_that_is_billed_comes_first() -> None:
    assert generation_usage({**DATA, "total_cost": Decimal("0.00151")}) == WHOLE
    plain = {"tokens_prompt": 90, "tokens_completion": 20}
    assert generation_usage(plain) == Usage(90, 20)
    assert generation_usage({"native_tokens_prompt": 3}) is None


@pytest.mark.anyio
async def test_a_correction_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    folder = tmp_path / "usage"
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        meter = Meter(database, folder)
        estimate = Usage(1000, 500, estimated_requests=1)
        entry = meter.record("main", "m", estimate)
        meter.correct(entry, WHOLE)
        meter.correct(entry, estimate)
        # As a process dies.
        assert meter._task is not None
        meter._task.cancel()
        meter._journal.close()
        await Meter(database, folder).close()
        (bucket,) = buckets(database)
        assert bucket.usage == WHOLE


@pytest.mark.anyio
async def test_a_correction_takes_away_from_what_is_stored(tmp_path: Path) -> None:
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        meter = Meter(database, tmp_path / "usage")
        first = meter.record("main", "m", Usage(1000, 500, estimated_requests=1))
        meter.record("main", "m", Usage(1, 1))
        await meter._flush()
        meter.correct(first, WHOLE)
        await meter.close()
        (bucket,) = buckets(database)
        assert bucket.usage == Usage(101, 26, 64, 5, 1510, requests=2)
        assert bucket.revision == 2


def test_a_difference_leads_from_one_usage_to_the_other() -> None:
    assert difference(WHOLE, WHOLE) == NOTHING
    assert difference(Usage(1), Usage(3)) == Usage(-2, requests=0)
