from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_a_secret_named_like_anothers_value(bench: Any) -> None:
    bench.provide("nextcloud", "a-long-and-real-password")
    bench.provide("weak", "nextcloud")
    answer = await bench.call(text="a-long-and-real-password of nextcloud")
    assert answer.status == "ok"
    assert bench.executor.done == ["a-long-and-real-password of nextcloud"]


async def test_a_value_inside_a_longer_one(bench: Any) -> None:
    bench.provide("short", "abcdef")
    bench.provide("long", "abcdefghij")
    await bench.call(text="abcdefghijabcdef")
    assert bench.executor.done == ["abcdefghijabcdef"]
    (intent,) = bench.wrapper.audit.query(kind="intent")
    assert intent.detail["arguments"]["text"] == "SECRET_REF(long)SECRET_REF(short)"


async def test_a_value_that_is_our_own_word(bench: Any) -> None:
    bench.provide("word", "SECRET")
    bench.provide("other", "0123456789")
    await bench.call(text="0123456789 SECRET SECRET_REF(other)")
    assert bench.executor.done == ["0123456789 SECRET 0123456789"]
