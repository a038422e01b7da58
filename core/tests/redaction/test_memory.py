"""What comes again is not searched again, and is redacted just the same."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from letsbe.errors import OutputWithheld
from letsbe.redaction import memory
from letsbe.redaction.finding import Finding, Places, RedactionLayer, State
from letsbe.redaction.memory import LONGEST, SHORTEST, cuts
from letsbe.redaction.pipeline import Pipeline
from letsbe.redaction.searching import FARTHEST

WORDS = ["the", "server", "returned", "a", "status", "for", "this", "request"]


class Values:
    """Knows values, which may be added; counts the bytes it is shown."""

    name = "values"
    order = 10

    def __init__(self, *values: str, reach: int = 100) -> None:
        self.values = list(values)
        self.seen = 0
        self._reach = reach
        self._lock = threading.Lock()

    def state(self) -> State:
        return State(len(self.values), self._reach)

    def find(self, text: bytes) -> Iterator[Finding]:
        with self._lock:
            self.seen += len(text)
        for number, value in enumerate(self.values):
            for match in re.finditer(re.escape(value).encode(), text):
                yield Finding(*match.span(), "registered", f"v{number}")


class Tokens:
    """Finds tokens by their form, wherever a message has one."""

    name = "tokens"
    order = 20

    def __init__(self) -> None:
        self.seen = 0

    def state(self) -> State:
        return State(0, 0)

    def find(self, text: bytes) -> Iterator[Finding]:
        self.seen += len(text)
        for match in re.finditer(rb"tok_\w+", text):
            yield Finding(*match.span(), "token")


class FirstSearched(Tokens):
    """The same, searching first; the search also finds what is none."""

    def search(self, text: bytes) -> Places:
        self.seen += len(text)
        found = [match.start() for match in re.finditer(rb"to|tok_\w*", text)]
        return Places(found, [0] * len(found))

    def find_at(self, text: bytes, places: Places) -> Iterator[Finding]:
        assert places.offsets, "asked about a block without places"
        for start in places.offsets:
            if match := re.compile(rb"tok_\w+").match(text, start):
                yield Finding(*match.span(), "token")


def message(chance: random.Random, extra: str = "") -> dict[str, str]:
    words = " ".join(chance.choices(WORDS, k=chance.randint(20, 900)))
    return {"role": chance.choice(["user", "assistant"]), "content": words + extra}


def body(messages: list[dict[str, str]]) -> bytes:
    return json.dumps({"messages": messages, "model": "m"}).encode()


def forgetful(layer: RedactionLayer) -> RedactionLayer:
    """The same layer, but asked about every text as a whole."""

    class Forgetful:
        name, order, find = layer.name, layer.order, layer.find

    return Forgetful()


def test_the_next_turn_is_searched_where_it_is_new() -> None:
    chance = random.Random(3)
    values, tokens = Values("s3cr3t-value"), Tokens()
    pipeline = Pipeline([values, tokens])
    messages = [message(chance, " tok_1 s3cr3t-value") for _ in range(300)]
    first = pipeline.redact(body(messages))
    assert values.seen >= len(body(messages))
    values.seen = tokens.seen = 0
    messages.append(message(chance, " tok_2"))
    second = pipeline.redact(body(messages))
    assert values.seen < 2 * LONGEST
    assert tokens.seen < 2 * LONGEST
    assert second.startswith(first[:-LONGEST])
    assert second.count(b"[REDACTED:token]") == 301
    assert second.count(b"SECRET_REF(v0)") == 300


def test_what_was_left_out_further_up_changes_few_blocks() -> None:
    chance = random.Random(4)
    tokens = Tokens()
    pipeline = Pipeline([tokens])
    messages = [message(chance, " tok_1") for _ in range(300)]
    pipeline.redact(body(messages))
    tokens.seen = 0
    assert pipeline.redact(body(messages[40:])).count(b"[REDACTED:token]") == 260
    assert tokens.seen < len(body(messages)) // 3


@settings(max_examples=25, deadline=None)
@given(st.integers(), st.integers(0, 10), st.booleans())
def test_the_same_with_and_without_remembering(
    seed: int, turns: int, split: bool
) -> None:
    chance = random.Random(seed)
    values = ["s3cr3t-value", 'text"},{"role": "user", "content": "more', "over"]
    remembering = Pipeline([Values(*values), Tokens()])
    whole = Pipeline([forgetful(Values(*values)), forgetful(Tokens())])
    messages = [
        message(chance, chance.choice(["", " tok_1", " s3cr3t-value"]))
        for _ in range(60)
    ]
    for _ in range(turns):
        del messages[: chance.choice([0, 0, 7])]
        messages += [message(chance, " tok_9"), message(chance, " over")]
        if split:
            messages[-2]["content"] += "text"
            messages[-1] = {"role": "user", "content": "more" + " x" * 9000}
        text = body(messages).replace(b"}, {", b"},{")
        fresh = Pipeline([Values(*values), Tokens()])
        expected = whole.redact(text)
        assert remembering.redact(text) == expected
        assert fresh.redact(text) == expected


def test_a_value_over_a_seam_is_found() -> None:
    chance = random.Random(5)
    text = body([message(chance) for _ in range(200)])
    offsets = cuts(text)[1:-1]
    assert offsets
    for cut in offsets:
        for reach in (3, 40):
            value = text[cut - reach : cut + reach].decode()
            assert Pipeline([Values(value)]).find(text)
    value = text[offsets[0] - 60 : offsets[0] + 60].decode()
    assert Pipeline([Values(value, reach=120)]).find(text)
    assert Pipeline([Values(value, reach=FARTHEST + 1)]).find(text)


def test_the_same_block_twice() -> None:
    chance = random.Random(10)
    messages = [message(chance, " tok_1 s3cr3t-value") for _ in range(40)]
    text = body(messages * 6)
    pipeline = Pipeline([Values("s3cr3t-value"), Tokens()])
    once = pipeline.redact(text)
    assert once.count(b"SECRET_REF(v0)") == once.count(b"[REDACTED:token]") == 240
    assert pipeline.redact(text) == once
    assert len(pipeline.find(text)) == 480


def test_a_value_over_a_seam_is_remembered_there() -> None:
    chance = random.Random(12)
    messages = [message(chance) for _ in range(200)]
    text = body(messages)
    cut = cuts(text)[2]
    value = text[cut - 30 : cut + 30].decode()
    pipeline = Pipeline([Values(value), Tokens()])
    for more in range(3):
        longer = body(messages + [message(chance) for _ in range(more)])
        redacted = pipeline.redact(longer)
        assert redacted.count(b"SECRET_REF(v0)") == 1
        assert redacted == Pipeline([forgetful(Values(value))]).redact(longer)


def test_a_new_secret_is_found_in_what_was_clean() -> None:
    chance = random.Random(6)
    values = Values("nothing-here")
    pipeline = Pipeline([values])
    text = body([message(chance, " late-value") for _ in range(100)])
    assert pipeline.redact(text) is text
    values.values.append("late-value")
    assert pipeline.redact(text).count(b"SECRET_REF(v1)") == 100


def test_a_layer_that_tells_no_state_sees_everything_each_time() -> None:
    chance = random.Random(7)
    tokens = Tokens()
    pipeline = Pipeline([forgetful(tokens), Values("x-y-z")])
    text = body([message(chance, " tok_1") for _ in range(100)])
    once = pipeline.redact(text)
    assert pipeline.redact(text) == once
    assert tokens.seen == 2 * len(text)


@pytest.mark.parametrize("state", [None, ("1", 0), (1, -1), (True, 0), (1, 2, 3)])
def test_a_state_that_is_none_withholds_the_text(state: object) -> None:
    class Odd(Tokens):
        @override
        def state(self) -> State:
            return state  # type: ignore[return-value]  # on purpose

    text = b"x" * SHORTEST
    with pytest.raises(OutputWithheld, match="tokens"):
        Pipeline([Odd()]).redact(text)


@settings(max_examples=20, deadline=None)
@given(st.integers(), st.integers(1, 60))
def test_searching_first_finds_the_same(seed: int, step: int) -> None:
    chance = random.Random(seed)
    first = Pipeline([FirstSearched(), Values("over")])
    messages = [message(chance, " over tok_1 to") for _ in range(20)]
    for _ in range(4):
        messages += [
            message(chance, chance.choice(["", " tok_2"])) for _ in range(step)
        ]
        text = body(messages)
        expected = Pipeline([Tokens(), Values("over")]).redact(text)
        assert first.redact(text) == expected
        assert Pipeline([FirstSearched(), Values("over")]).redact(text) == expected


@pytest.mark.parametrize(
    "places",
    [
        Places([1, 2], [0]), Places([2, 1], [0, 0]), Places([-1], [0]), (1, 2), None,
        Places([10**9], [0]), Places(["1"], [0]),  # type: ignore[list-item]  # as a bad plugin does
    ],
)  # fmt: skip
def test_a_search_that_goes_wrong_withholds_the_text(places: Places) -> None:
    class Odd(FirstSearched):
        @override
        def search(self, text: bytes) -> Places:
            return places

    text = b'{"a": "x"}' * SHORTEST
    with pytest.raises(OutputWithheld):
        Pipeline([Odd()]).redact(text)


def test_a_failure_is_not_remembered_as_clean() -> None:
    class Failing(Tokens):
        failing = True

        @override
        def find(self, text: bytes) -> Iterator[Finding]:
            if self.failing:
                raise OSError("no")
            return super().find(text)

    layer = Failing()
    pipeline = Pipeline([layer])
    text = b"tok_1 " * SHORTEST
    for _ in range(2):
        with pytest.raises(OutputWithheld):
            pipeline.redact(text)
    layer.failing = False
    assert b"tok_1" not in pipeline.redact(text)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ENTRIES", 5)
    monkeypatch.setattr(memory, "PLACES", 100)
    chance = random.Random(8)
    pipeline = Pipeline([Tokens()])
    for _ in range(8):
        text = body([message(chance, " tok_1") for _ in range(60)])
        assert pipeline.redact(text).count(b"[REDACTED:token]") == 60
    kept = pipeline._search._memory
    assert len(kept._known) <= 5
    assert kept._places == sum(map(len, kept._known.values())) <= 100


def test_many_threads_get_the_same() -> None:
    chance = random.Random(9)
    values = Values("s3cr3t-value")
    pipeline = Pipeline([values])
    texts = [
        body([message(chance, f" s3cr3t-value {n}") for n in range(60)])
        for _ in range(6)
    ]
    expected = [text.replace(b"s3cr3t-value", b"SECRET_REF(v0)") for text in texts]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            values.values.append(f"unused-{len(values.values)}")
            assert list(pool.map(pipeline.redact, texts * 4)) == expected * 4


@given(st.binary(max_size=300), st.integers(0, 200))
@settings(max_examples=30)
def test_cuts_are_in_order_and_whole(piece: bytes, count: int) -> None:
    text = (piece + b'},{"role":') * count
    found = cuts(text)
    assert found[0] == 0
    assert found[-1] == len(text)
    assert found == sorted(found)
    assert all(b - a >= SHORTEST for a, b in pairwise(found[:-1]))
