"""Remembered findings are those that would have been found anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from letsbe.proxy import recall
from letsbe.proxy.recall import LONGEST, SHORTEST, cuts, recalling
from letsbe.redaction.finding import Finding
from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.secret import Secret


class Tokens:
    """Finds ``tok_`` and digits, and counts what it is shown."""

    name = "tokens"
    order = 20

    def __init__(self) -> None:
        self.seen = 0

    def find(self, text: bytes) -> Iterator[Finding]:
        self.seen += len(text)
        for match in re.finditer(rb"tok_\d+", text):
            yield Finding(*match.span(), "token")


class Changing:
    """Registered secrets whose version can be moved."""

    version = 1

    def current(self) -> tuple[Secret, ...]:
        return ()


def message(number: int, size: int = 3000) -> dict[str, str]:
    text = f"message {number} with tok_{number} " * (size // 30)
    return {"role": "user", "content": text}


def request(turns: int, size: int = 3000, spaced: bool = False) -> bytes:
    value = {
        "model": "m",
        "messages": [message(n, size) for n in range(turns)],
        "tools": [{"name": f"tool{n}", "description": "x" * 1500} for n in range(40)],
    }
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps(value, separators=separators).encode()


def pipeline() -> tuple[Pipeline, Tokens, Changing]:
    layer, secrets = Tokens(), Changing()
    return Pipeline(recalling([layer], secrets)), layer, secrets


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=12), st.booleans())
def test_what_is_remembered_is_what_is_there(sizes: list[int], indent: bool) -> None:
    remembering, _, _ = pipeline()
    plain = Pipeline([Tokens()])
    for end in range(1, len(sizes) + 1):
        value = [message(n, size) for n, size in enumerate(sizes[:end])]
        text = json.dumps(value, indent=1 if indent else None).encode()
        assert remembering.redact(text) == plain.redact(text)


def test_a_next_turn_is_searched_for_what_is_new_alone() -> None:
    remembering, layer, _ = pipeline()
    for turns in range(200, 220):
        text = request(turns)
        layer.seen = 0
        remembering.find(text)
        if turns > 200:
            assert layer.seen < 3 * LONGEST < len(text) / 2


def test_the_same_text_costs_nothing() -> None:
    remembering, layer, _ = pipeline()
    text = request(60, spaced=True)
    first = remembering.redact(text)
    layer.seen = 0
    assert remembering.redact(bytes(bytearray(text))) == first
    assert layer.seen == 0


def test_blocks_are_neither_small_nor_large() -> None:
    text = request(400, size=700)
    lengths = [end - start for start, end in pairwise(cuts(text))]
    assert min(lengths[:-1]) >= SHORTEST
    assert max(lengths) <= LONGEST + 3 * 1600
    assert sum(lengths) == len(text)


def test_a_new_version_of_the_secrets_forgets() -> None:
    remembering, layer, secrets = pipeline()
    text = request(60)
    remembering.find(text)
    layer.seen = 0
    secrets.version = 2
    remembering.find(text)
    assert layer.seen == len(text)


def test_memory_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(recall, "ENTRIES", 8)
    monkeypatch.setattr(recall, "FINDINGS", 1000)
    secrets = Changing()
    layers = recalling([Tokens()], secrets)
    remembering = Pipeline(layers)
    for n in range(30):
        remembering.find(request(30 + n, size=2500))
    known: Any = layers[0]
    assert len(known._known) <= 8
    assert sum(len(found) for found in known._known.values()) <= 1000


def test_no_text_is_kept() -> None:
    secrets = Changing()
    layers = recalling([Tokens()], secrets)
    Pipeline(layers).find(request(60))
    first: Any = layers[0]
    assert first._sliced.text == b""
    assert all(len(key) == 32 for key in first._known)


def test_short_texts_go_straight_to_the_layer() -> None:
    remembering, layer, _ = pipeline()
    for _ in range(2):
        assert remembering.redact(b"a tok_1 b") == b"a [REDACTED:token] b"
    assert layer.seen == 18
