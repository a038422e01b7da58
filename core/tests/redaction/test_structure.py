"""JSON stays JSON, whatever is taken out of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.redaction.finding import RedactionLayer
from letsbe.redaction.pipeline import Pipeline

MakeLayer = Callable[[Mapping[str, str]], RedactionLayer]


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        ("12345678", b'{"pin": 12345678}', b'{"pin": "SECRET_REF(s)"}'),
        ("12345678", b"[-12345678.5e3, 1]", b'["SECRET_REF(s)", 1]'),
        ("12345678", b"12345678", b"SECRET_REF(s)"),
        (
            "12345678",
            b'{"12345678": "12345678"}',
            b'{"SECRET_REF(s)": "SECRET_REF(s)"}',
        ),
        ('{"a": 1}', b'[{"a": 1}, 2]', b'["SECRET_REF(s)", 2]'),
        ('"a", "b"', b'["a", "b", 2]', b'"SECRET_REF(s)"'),
        ('"a"', b'{"a": 1}', b'{"SECRET_REF(s)": 1}'),
        ('a": 1', b'{"x": {"a": 1}}', b'{"x": "SECRET_REF(s)"}'),
        ("nabc", b'["\\nabc"]', b'["SECRET_REF(s)"]'),
        ("00e9ab", b'["\\u00e9ab"]', b'["SECRET_REF(s)"]'),
        ("ab\\", b'["ab\\n"]', b'["SECRET_REF(s)"]'),
        ("ab\\u00", b'["ab\\u00e9"]', b'["SECRET_REF(s)"]'),
        ("nabc", b'["\\\\nabc"]', b'["\\\\SECRET_REF(s)"]'),
        ("abc", b'{"a": 1}\n{"b": "abc"}\n', b'{"a": 1}\n{"b": "SECRET_REF(s)"}\n'),
        ("123456", b'{"a": 1}\n{"b": 123456}\n', b'{"a": 1}\n{"b": "SECRET_REF(s)"}\n'),
        ("123456", b'data: {"b":123456}\n\n', b'data: {"b":"SECRET_REF(s)"}\n\n'),
        ("123456", b"port 123456 {", b"port SECRET_REF(s) {"),
        ('"', b'say "hello" once', b"say SECRET_REF(s)helloSECRET_REF(s) once"),
        ("\\s", b"C:\\s", b"C:SECRET_REF(s)"),
    ],
)
def test_spans_are_fitted(
    literals: MakeLayer, value: str, before: bytes, after: bytes
) -> None:
    pipeline = Pipeline([literals({"s": value})])
    assert pipeline.redact(before) == after
    assert pipeline.redact(after) == after


def nested(value: object, depth: int) -> str:
    """A document in a string in a document, and so on."""
    text = json.dumps(value)
    for _ in range(depth):
        text = json.dumps({"inner": text, "other": "é\n"})
    return text


@pytest.mark.parametrize("depth", range(5))
def test_numbers_in_documents_in_strings(literals: MakeLayer, depth: int) -> None:
    pipeline = Pipeline([literals({"pin": "12345678"})])
    value = {"a": 12345678, "b": [-12345678.5, "x 12345678", {"\u00e9": 12345678}]}
    redacted = pipeline.redact_text(nested(value, depth))
    reference = "SECRET_REF(pin)"
    expected = {"a": reference, "b": [reference, f"x {reference}", {"é": reference}]}
    assert redacted == nested(expected, depth)
    assert pipeline.redact_text(redacted) == redacted


def test_objects_in_documents_in_strings(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"s": '{\\"a\\": 1}'})])
    redacted = pipeline.redact_text(nested({"x": {"a": 1}, "y": 2}, 1))
    assert redacted == nested({"x": "SECRET_REF(s)", "y": 2}, 1)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('ab1\\"n\n{é'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab1\\"é'), inner),
    max_leaves=12,
)


@given(_JSON, st.booleans(), st.sampled_from([None, 1]), st.data())
def test_any_piece_of_a_document_can_be_a_secret(
    literals: MakeLayer,
    value: object,
    ascii_only: bool,
    indent: int | None,
    data: st.DataObject,
) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only, indent=indent)
    for _ in range(data.draw(st.integers(0, 2))):
        text = json.dumps([text], ensure_ascii=ascii_only)
    start = data.draw(st.integers(0, len(text) - 1))
    secret = text[start : data.draw(st.integers(start + 1, len(text)))]
    if not secret.strip():
        return
    pipeline = Pipeline([literals({"s": secret})])
    redacted = pipeline.redact(text.encode())
    inner = json.loads(redacted)
    before = json.loads(text)
    # A string that held a document still does, as far as it was not taken itself.
    while isinstance(inner, list) and inner and isinstance(before[0], str):
        kept = re.search(r"\A[\[{]", inner[0] if isinstance(inner[0], str) else "")
        if not kept or not before[0].startswith("["):
            break
        inner, before = json.loads(inner[0]), json.loads(before[0])
    if not {'"', "\\"} & set(secret):  # the placeholder's own quotes
        assert secret.encode() not in redacted.replace(b"SECRET_REF(s)", b"\0")


def test_a_deep_document_is_left_as_text(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"s": "123456"})])
    text = b"[" * 100_000 + b"123456" + b"]" * 100_000
    assert b"123456" not in pipeline.redact(text)


def test_many_doubtful_spans_cost_one_look_at_the_document(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"pin": "904512", "half": "00e9ab"})])
    rows = [{"a": 904512, "b": "\u00e9abc", "c": ["x", {"d": 1}]}] * 5_000
    text = json.dumps(rows).encode()
    started = time.process_time()
    redacted = json.loads(pipeline.redact(text))
    assert time.process_time() - started < 5
    assert redacted[-1]["a"] == "SECRET_REF(pin)"
    assert redacted[-1]["b"] == "SECRET_REF(half)c"


def test_escapes_are_told_however_many_backslashes_stand_there(
    literals: MakeLayer,
) -> None:
    pipeline = Pipeline([literals({"s": "nabcdef"})])
    for count in range(9):
        value = ["x" + "\\" * count + "\nabcdef", "\\" * count + "nabcdef"]
        redacted = json.loads(pipeline.redact(json.dumps(value).encode()))
        assert redacted == [
            "x" + "\\" * count + "SECRET_REF(s)",
            "\\" * count + "SECRET_REF(s)",
        ]
