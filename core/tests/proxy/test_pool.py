"""The pool at the edge: what is let through, and what is not."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.proxy.pool import Limit, Pool, PoolUsedUp, limit_at, worst_case
from letsbe.storage.database import Database
from letsbe.storage.home_schema import USAGE

NOW = time.time()
MODEL = "deepseek/deepseek-v3.2"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with contextlib.closing(Database(tmp_path / "a.db", schema=USAGE)) as opened:
        yield opened


def allow(
    database: Database, limit: int | None, *, ended: float = -3600.0, **more: Any
) -> None:
    period = {
        "startsAt": NOW - 7 * 86_400,
        "endsAt": NOW - ended,
        "poolTokens": 0,
        "limitTokens": limit,
    }
    allowance = {"includedModels": ["*deepseek*"], "periods": [period], **more}
    database.write(
        lambda c: c.execute(
            "INSERT OR REPLACE INTO hub_state (key, value, updated_at)"
            " VALUES ('allowance', ?, 0)",
            (json.dumps(allowance),),
        )
    )


def use(database: Database, tokens: int, *, model: str = MODEL, ago: int = 1) -> None:
    hour = (int(NOW) // 3600 - ago) * 3600
    database.write(
        lambda c: c.execute(
            "INSERT INTO token_usage (hour, agent_id, model, input_tokens,"
            " output_tokens, cached_tokens, revision) VALUES (?, 'a', ?, ?, 0, 0, 1)",
            (hour, model, tokens),
        )
    )


def passes(database: Database, most: int = 100, model: str | None = MODEL) -> bool:
    try:
        with Pool(database).reserved(model, most):
            return True
    except PoolUsedUp:
        return False


def test_without_a_word_of_a_hub_there_is_no_limit(database: Database) -> None:
    use(database, 10**12)
    assert passes(database)


def test_a_call_must_fit_into_what_is_left(database: Database) -> None:
    allow(database, 10_000)
    use(database, 9_000)
    assert passes(database, 1_000)
    assert not passes(database, 1_001)
    assert not passes(database, 1_001, model=None)


def test_premium_models_do_not_come_out_of_the_pool(database: Database) -> None:
    allow(database, 1_000)
    use(database, 10**9, model="vendor/large")
    assert passes(database)
    assert passes(database, 10**6, model="vendor/large")


def test_overage_without_a_cap_has_no_end(database: Database) -> None:
    allow(database, None)
    use(database, 10**12)
    assert passes(database, 10**8)


def test_calls_at_once_do_not_run_over(database: Database) -> None:
    allow(database, 10_000)
    pool = Pool(database)
    with contextlib.ExitStack() as held:
        let_in = 0
        with contextlib.suppress(PoolUsedUp):
            for _ in range(50):
                held.enter_context(pool.reserved(MODEL, 2_000))
                let_in += 1
        assert let_in == 5
    with pool.reserved(MODEL, 2_000):
        pass


def test_what_was_used_meanwhile_is_seen(database: Database) -> None:
    allow(database, 10_000)
    pool = Pool(database)
    with pool.reserved(MODEL, 9_000):
        use(database, 9_500)
    with pytest.raises(PoolUsedUp, match="owner"), pool.reserved(MODEL, 1_000):
        pass


def test_a_pause_says_that_the_subscription_is_not_paid(database: Database) -> None:
    allow(database, 0, unpaid=True)
    with (
        pytest.raises(PoolUsedUp, match="subscription is not paid") as refused,
        Pool(database).reserved(MODEL, 1),
    ):
        pass
    assert "overage" not in refused.value.message


def test_a_hub_that_is_away_over_an_anniversary_leaves_the_limit(
    database: Database,
) -> None:
    allow(database, 10_000, ended=2 * 3600.0)
    use(database, 9_999, ago=5)  # of the period that has ended
    assert passes(database)
    use(database, 9_990, ago=0)
    assert not passes(database)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=3), st.floats(0, 5000))
def test_some_limit_always_holds(lengths: list[int], now: float) -> None:
    periods: list[dict[str, Any]] = []
    start = 0.0
    for length in lengths:
        span = {"startsAt": start, "endsAt": start + length, "limitTokens": length}
        periods.append(span)
        start += length
    limit = limit_at({"includedModels": [], "periods": periods}, now)
    assert isinstance(limit, Limit)
    assert limit.start <= now
    assert limit_at(None, now) is None


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (b"{}", 4_097),
        (b'{"max_tokens":10}', 15),
        (b'{"max_completion_tokens": 7, "max_output_tokens":9}', 22),
        (b'{"max_tokens": "many"}', 4_102),
    ],
)
def test_the_worst_case_is_the_request_and_its_longest_answer(
    text: bytes, most: int
) -> None:
    assert worst_case(text) == most


def test_a_call_beyond_the_pool_is_answered_and_does_not_leave_the_server(
    proxy: Any, provider: Any
) -> None:
    chat = {"model": MODEL, "messages": [], "max_tokens": 500}
    allow(proxy.database, 1_000)
    path = "/up/v1/chat/completions"
    assert proxy.post(path, json=chat).status_code == 200
    sent = len(provider.received)
    use(proxy.database, 999)
    time.sleep(1.1)  # as long as a sum is good for
    refused = proxy.post(path, json=chat)
    assert refused.status_code == 422
    assert "pool_used_up" in refused.text
    assert len(provider.received) == sent
    other = {**chat, "model": "vendor/large-1"}
    assert proxy.post(path, json=other).status_code == 200
