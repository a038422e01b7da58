"""The pipeline: what it takes out, what it leaves alone, and how it fails."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from letsbe.errors import OutputWithheld
from letsbe.redaction.documents import JSON
from letsbe.redaction.finding import Finding, Findings, RedactionLayer
from letsbe.redaction.pipeline import Pipeline

CANARY = "canary-7f3a"
MakeLayer = Callable[[Mapping[str, str]], RedactionLayer]


class Fixed:
    """A layer that returns what it was given, or raises it."""

    def __init__(self, name: str, answer: Any, order: int = 50) -> None:
        self.name = name
        self.order = order
        self._answer = answer

    def find(self, text: bytes) -> Iterable[Finding]:
        if isinstance(self._answer, BaseException):
            raise self._answer
        result: Iterable[Finding] = self._answer
        return result


class Words:
    """Takes ``word=...`` for a credential, as a pattern layer does."""

    name = "words"
    order = 20

    def find(self, text: bytes) -> Iterable[Finding]:
        for match in re.finditer(rb"word=(\S+)", text):
            yield Finding(*match.span(1), "password", rule="word")


def test_clean_input_comes_back_as_the_same_object(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"token": CANARY})])
    data, text = b"nothing here", "nothing there"
    value: JSON = {"a": ["b\n", 1, None]}
    assert pipeline.redact(data) is data
    assert pipeline.redact_text(text) is text
    assert pipeline.redact_json(value) is value


def test_no_layers_find_nothing() -> None:
    assert Pipeline([]).redact(b"abc") == b"abc"


def test_registered_values_become_references(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"token": CANARY, "other": "hunter-22"})])
    given_text = f"a {CANARY} b hunter-22{CANARY}"
    assert pipeline.redact_text(given_text) == (
        "a SECRET_REF(token) b SECRET_REF(other)SECRET_REF(token)"
    )


def test_other_findings_are_named_by_kind() -> None:
    layer = Fixed("tokens", [Finding(2, 5, "github_token")])
    assert Pipeline([layer]).redact(b"a xyz b") == b"a [REDACTED:github_token] b"


def test_overlapping_spans_are_one(literals: MakeLayer) -> None:
    layers = [
        Fixed("late", [Finding(0, 12, "late")], order=30),
        Fixed("early", [Finding(8, 20, "early")], order=20),
    ]
    assert Pipeline(layers).redact(b"x" * 25) == b"[REDACTED:early]xxxxx"


def test_a_registered_name_labels_what_it_overlaps(literals: MakeLayer) -> None:
    layers = [
        literals({"token": CANARY}),
        Fixed("early", [Finding(0, 20, "early")], order=1),
    ]
    text = b"xx" + CANARY.encode() + b"x" * 20
    assert Pipeline(layers).redact(text).startswith(b"SECRET_REF(token)xxx")


def test_secrets_in_one_another(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"inner": "word12", "outer": "pass-word12-long"})])
    assert pipeline.redact(b"pass-word12-long") == b"SECRET_REF(outer)"
    assert pipeline.redact(b"word12 word12-long") == (
        b"SECRET_REF(inner) SECRET_REF(inner)-long"
    )


def test_layers_run_in_order_whatever_order_they_come_in() -> None:
    asked: list[str] = []

    class Asking(Fixed):
        @override
        def find(self, text: bytes) -> Iterable[Finding]:
            asked.append(self.name)
            return ()

    Pipeline([Asking("b", 0, 2), Asking("c", 0, 1), Asking("a", 0, 2)]).redact(b"x")
    assert asked == ["c", "a", "b"]


def test_a_layer_may_be_told_what_registered_values_were_found(
    literals: MakeLayer,
) -> None:
    class Rest(Fixed):
        told: ClassVar[list[tuple[list[int], list[int]]]] = []

        def find_beside(
            self, text: bytes, starts: Sequence[int], ends: Sequence[int]
        ) -> Iterable[Finding]:
            self.told.append((list(starts), list(ends)))
            return [Finding(0, 1, "rest")]

    rest = Rest("rest", [Finding(1, 2, "alone")])
    unnamed = Fixed("unnamed", [Finding(2, 3, "kind")], order=20)
    pipeline = Pipeline([literals({"token": CANARY}), unnamed, rest])
    assert pipeline.redact(b"abc") == b"a[REDACTED:alone][REDACTED:kind]"
    text = f"abc {CANARY}".encode()
    assert pipeline.redact(text) == b"[REDACTED:rest]b[REDACTED:kind] SECRET_REF(token)"
    long_text = b'{"role":"x","content":"%b"},' % (b"abc " * 400)
    pipeline.redact(b"abc " + long_text * 80 + CANARY.encode())
    assert rest.told[0] == ([4], [4 + len(CANARY)])
    assert len(rest.told) == 2


NONSENSE = {
    "negative": [Finding(-1, 3, "kind")],
    "beyond the end": [Finding(0, 99, "kind")],
    "reversed": [Finding(3, 1, "kind")],
    "empty": [Finding(2, 2, "kind")],
    "not integers": [Finding("0", 3, "kind")],  # type: ignore[arg-type]  # on purpose
    "truth values": [Finding(False, True, "kind")],
    "floats": [Finding(0.0, 3.0, "kind")],  # type: ignore[arg-type]  # on purpose
    "not findings": [(0, 3, "kind", None, "")],
    "a value as kind": [Finding(0, 3, CANARY + " \n")],
    "a value as name": [Finding(0, 3, "kind", "not a name!")],
    "a value as rule": [Finding(0, 3, "kind", None, "a b")],
    "a kind that is no text": [Finding(0, 3, b"kind")],  # type: ignore[arg-type]
    "columns of several lengths": Findings([0, 4], [3, 5], [("kind", None, "")]),
    "none": None,
    "a number": 7,
    "error": ValueError(CANARY),
    "exit": SystemExit(CANARY),
    "deep": RecursionError(CANARY),
    "hash": [Finding(0, 3, "kind", [])],  # type: ignore[arg-type]  # on purpose
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_a_failing_layer_withholds_everything(answer: object) -> None:
    pipeline = Pipeline([Fixed("broken", answer)])
    for call in (
        lambda: pipeline.redact(b"0123456789"),
        lambda: pipeline.redact_text("0123456789"),
        lambda: pipeline.redact_json(["0123456789"]),
    ):
        with pytest.raises(OutputWithheld) as caught:
            call()
        shown = "".join(traceback.format_exception(caught.value))
        assert CANARY not in shown
        assert "broken" in caught.value.message
        assert caught.value.__context__ is None


def test_a_layer_failing_half_way_withholds_everything() -> None:
    def half_way() -> Iterable[Finding]:
        yield Finding(0, 2, "kind")
        raise ValueError(CANARY)

    with pytest.raises(OutputWithheld):
        Pipeline([Fixed("broken", half_way())]).redact(b"0123456789")


def test_ctrl_c_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        Pipeline([Fixed("slow", KeyboardInterrupt())]).redact(b"x")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SECRET_REF(token)", "SECRET_REF(token)"),
        ("x [REDACTED:password] y", "x [REDACTED:password] y"),
        ("word=SECRET_REF(token)", "word=SECRET_REF(token)"),
        ("word=[REDACTED:password]", "word=[REDACTED:password]"),
        ("word=SECRET_REF(gone)", "word=SECRET_REF(gone)"),
        ("word=abSECRET_REF(token)cd", None),
        ("SECRET and SECRET_REF", "SECRET_REF(word) and SECRET_REF(word)_REF"),
        (f"SECRET_REF({CANARY})", "SECRET_REF(token)"),
        ("SECRET_REF(SECRET_REF(token))", None),
        ("pre-SECRET_REF(token)", "pre-SECRET_REF(token)"),
    ],
)
def test_what_was_redacted_stays(
    literals: MakeLayer, before: str, after: str | None
) -> None:
    names = {"token": CANARY, "word": "SECRET", "edge": "pre-SECRET_", "same": "token"}
    pipeline = Pipeline([literals(names), Words()])
    once = pipeline.redact_text(before)
    if after is not None:
        assert once == after
    assert pipeline.redact_text(once) == once
    assert CANARY not in once


_PIECES = ["SECRET", "_REF", "(", ")", "token", "[REDACTED:", "kind", "]", CANARY]


@given(
    st.lists(st.sampled_from([*_PIECES, " ", '"', "\\", "x"])).map("".join),
    st.dictionaries(
        st.sampled_from(["token", "kind", "b"]),
        st.lists(st.sampled_from(_PIECES), min_size=1, max_size=3).map("".join),
    ),
)
def test_redacting_twice_changes_nothing(
    literals: MakeLayer, text: str, values: dict[str, str]
) -> None:
    pipeline = Pipeline([literals(values)])
    once = pipeline.redact_text(text)
    assert pipeline.redact_text(once) == once


@given(st.text(), st.text(), st.text(min_size=1))
def test_a_value_is_gone_from_any_text(
    literals: MakeLayer, before: str, after: str, value: str
) -> None:
    value = f"{value}~{CANARY}"
    pipeline = Pipeline([literals({"token": value})])
    assert pipeline.redact_text(before + value + after).count(CANARY) == (
        before + after
    ).count(CANARY)


@given(st.binary())
def test_any_bytes_are_taken(literals: MakeLayer, data: bytes) -> None:
    pipeline = Pipeline([literals({"token": CANARY})])
    assert pipeline.redact(data) is data
    redacted = pipeline.redact(data + CANARY.encode() + data)
    assert redacted == data + b"SECRET_REF(token)" + data


def test_lone_surrogates_survive(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"token": CANARY})])
    assert pipeline.redact_text(f"\ud800{CANARY}\udfff") == (
        "\ud800SECRET_REF(token)\udfff"
    )


def test_a_span_through_a_character_leaves_valid_text() -> None:
    pipeline = Pipeline([Fixed("rough", [Finding(1, 2, "kind")])])
    assert pipeline.redact_text("é").isprintable()


def test_explaining_gives_layer_kind_and_rule(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"token": CANARY}), Words()])
    spans = pipeline.find(f"word=abc {CANARY}".encode())
    assert [(span.label.layer, span.label.kind, span.label.rule) for span in spans] == [
        ("words", "password", "word"),
        ("literals", "registered", "plain"),
    ]
    assert CANARY not in repr(spans)


def test_ten_thousand_findings_are_spliced_once(literals: MakeLayer) -> None:
    pipeline = Pipeline([literals({"token": CANARY})])
    text = json.dumps([CANARY] * 10_000).encode()
    assert pipeline.redact(text).count(b"SECRET_REF(token)") == 10_000


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 9), st.sampled_from("abc")),
        max_size=30,
    )
)
def test_what_overlaps_is_one_and_nothing_else(
    found: list[tuple[int, int, str]],
) -> None:
    findings = [Finding(start, start + size, kind) for start, size, kind in found]
    spans = list(Pipeline([Fixed("any", findings)]).find(bytes(80)))
    covered = {place for f in findings for place in range(f.start, f.end)}
    assert {place for s in spans for place in range(s.start, s.end)} == covered
    assert all(a.end <= b.start for a, b in pairwise(spans))
    for span in spans:
        inside = [f for f in findings if span.start <= f.start and f.end <= span.end]
        longest = max(f.end - f.start for f in inside)
        assert span.label.kind in {f.kind for f in inside if f.end - f.start == longest}
