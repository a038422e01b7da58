"""Redaction of JSON values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import OutputWithheld
from letsbe.redaction.documents import MAX_DEPTH
from letsbe.redaction.finding import RedactionLayer
from letsbe.redaction.pipeline import Pipeline

CANARY = "canary-7f3a"
MakeLayer = Callable[[Mapping[str, str]], RedactionLayer]


@pytest.fixture
def pipeline(literals: MakeLayer) -> Pipeline:
    values = {"token": CANARY, "pin": "123456", "quoted": 'a"b\nc', "flag": "false"}
    return Pipeline([literals(values)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CANARY, "SECRET_REF(token)"),
        ({"a": [CANARY, 1]}, {"a": ["SECRET_REF(token)", 1]}),
        ({CANARY: 1}, {"SECRET_REF(token)": 1}),
        (
            {CANARY: 1, "SECRET_REF(token)": 2, "SECRET_REF(token)#2": 3},
            {
                "SECRET_REF(token)": 1,
                "SECRET_REF(token)#3": 2,
                "SECRET_REF(token)#2": 3,
            },
        ),
        (123456, "SECRET_REF(pin)"),
        (-123456.5, "SECRET_REF(pin)"),
        ([0.1, 10**30, None], [0.1, 10**30, None]),
        (["false", False], ["SECRET_REF(flag)", "SECRET_REF(flag)"]),
        ('x a"b\nc', "x SECRET_REF(quoted)"),
        ({'a"b\nc': 1}, {"SECRET_REF(quoted)": 1}),
    ],
)
def test_values_keys_and_numbers(pipeline: Pipeline, before: Any, after: Any) -> None:
    assert pipeline.redact_json(before) == after
    assert pipeline.redact_json(after) == after


def test_untouched_parts_are_equal(pipeline: Pipeline) -> None:
    value: Any = {"a": CANARY, "é": ["\ud800", "\n", 1.5, True], "": {}}
    assert pipeline.redact_json(value) == value | {"a": "SECRET_REF(token)"}


_LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.just(CANARY)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.text().map(lambda t: t + CANARY), inner)
    ),
)


@given(_JSON)
def test_json_in_json_out_and_no_item_lost(literals: MakeLayer, value: Any) -> None:
    pipeline = Pipeline([literals({"token": CANARY})])
    redacted = pipeline.redact_json(value)
    text = json.dumps(redacted)
    assert CANARY not in text
    assert pipeline.redact_json(redacted) == redacted
    assert _count(redacted) == _count(value)
    if CANARY not in json.dumps(value):
        assert redacted is value


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_count, value))
    return 1


def test_deep_values_are_withheld_and_never_overflow(pipeline: Pipeline) -> None:
    value: Any = CANARY
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert CANARY not in json.dumps(pipeline.redact_json(value))
    for _ in range(100_000):
        value = {"a": value}
    with pytest.raises(OutputWithheld, match="nested deeper"):
        pipeline.redact_json(value)
    while isinstance(value, dict):
        value = value["a"]


def test_a_value_that_holds_itself_is_withheld(pipeline: Pipeline) -> None:
    value: Any = []
    value.append(value)
    with pytest.raises(OutputWithheld):
        pipeline.redact_json(value)


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, {(1, 2): 3}])
def test_what_is_not_json_is_withheld(pipeline: Pipeline, value: Any) -> None:
    with pytest.raises(OutputWithheld) as caught:
        pipeline.redact_json(value)
    assert caught.value.__context__ is None
