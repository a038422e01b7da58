"""A stream gives what the whole text would have given, however it is cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letsbe.errors import OutputWithheld
from letsbe.redaction.finding import Finding
from letsbe.redaction.pipeline import Pipeline
from letsbe.redaction.streams import KEY_BLOCK, LINE, REACH, StreamRedactor
from letsbe.vault.secret import Secret

SECRETS = {
    "short": "s3cr3t",
    "two_lines": "line one\nline two",
    "number": "4711471147",
    "long": "L0ng-" * 300,
}


class Assigned:
    """Finds values behind ``password = `` and key blocks."""

    name = "assigned"
    order = 20

    def find(self, text: bytes) -> Iterator[Finding]:
        for match in re.finditer(rb"password = (\w+)", text):
            yield Finding(*match.span(1), "password")
        for match in re.finditer(
            rb"-----BEGIN K.*?(?:-----END K-----|\Z)", text, re.DOTALL
        ):
            yield Finding(*match.span(), "key")


class Known:
    """The registered secrets."""

    version = 1

    def current(self) -> tuple[Secret, ...]:
        return tuple(Secret(name, value) for name, value in SECRETS.items())


@pytest.fixture(scope="module")
def pipeline(literals: Callable[[Mapping[str, str]], Any]) -> Pipeline:
    return Pipeline([literals(SECRETS), Assigned()])


def streamed(pipeline: Pipeline, text: bytes, cuts: list[int]) -> tuple[bytes, Any]:
    stream = StreamRedactor(pipeline, Known())
    parts, start = [], 0
    for cut in [*sorted(cuts), len(text)]:
        parts.append(stream.feed(text[start:cut]))
        start = max(start, cut)
    parts.append(stream.close())
    return b"".join(parts), stream.spans


PIECES = st.one_of(
    st.sampled_from([*SECRETS.values(), "password = abc", "\n", " ", "s3cr", "\n\n"]),
    st.sampled_from(["-----BEGIN K-----\nabc\n-----END K-----\n", "é", '{"a": 1}\n']),
    st.integers(1, 900).map(lambda size: "plain " * size),
    st.integers(1, 40).map(lambda size: "a line of text\n" * size),
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_cutting_gives_the_same_bytes(pipeline: Pipeline, data: Any) -> None:
    text = "".join(data.draw(st.lists(PIECES, max_size=25))).encode()
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    out, spans = streamed(pipeline, text, cuts)
    assert out == pipeline.redact(text)
    assert spans == list(pipeline.find(text))


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_pieces_of_one_size_too(pipeline: Pipeline, size: int) -> None:
    line = "a line with s3cr3t, password = hunter and L0ng-" + "L0ng-" * 299 + "\n"
    text = (line * 30).encode()
    out, _ = streamed(pipeline, text, list(range(0, len(text), size)))
    assert out == pipeline.redact(text)


@pytest.mark.parametrize("indent", [None, 1])
def test_json_stays_json(pipeline: Pipeline, indent: int | None) -> None:
    value = [{"pin": 4711471147, "text": "s3cr3t"}] * 500
    text = json.dumps(value, indent=indent).encode()
    out, _ = streamed(pipeline, text, list(range(0, len(text), 1000)))
    assert out == pipeline.redact(text)
    assert json.loads(out)[499] == {
        "pin": "SECRET_REF(number)",
        "text": "SECRET_REF(short)",
    }


def test_text_is_given_out_while_it_comes(pipeline: Pipeline) -> None:
    stream = StreamRedactor(pipeline)
    given_out = held = 0
    for _ in range(1000):
        line = b"a line of ordinary text, not very long\n"
        given_out += len(stream.feed(line))
        held += len(line)
        assert held - given_out < 2 * REACH + 100
    assert given_out > 0


def test_a_line_without_end_is_not_held_for_ever(pipeline: Pipeline) -> None:
    stream = StreamRedactor(pipeline)
    given_out = sum(len(stream.feed(b"x" * 65536)) for _ in range(40))
    assert 40 * 65536 - given_out < LINE + 2 * 65536


def test_a_key_block_is_held_until_its_end(pipeline: Pipeline) -> None:
    text = b"before\n-----BEGIN K-----\n" + b"abc\n" * 2000 + b"-----END K-----\nend\n"
    out, _ = streamed(pipeline, text, list(range(0, len(text), 500)))
    assert out == b"before\n[REDACTED:key]\nend\n"


def test_a_key_block_without_end_is_not_held_for_ever(pipeline: Pipeline) -> None:
    stream = StreamRedactor(Pipeline([]))
    stream.feed(b"-----BEGIN K-----\n")
    given_out = sum(len(stream.feed(b"abc\n" * 1000)) for _ in range(60))
    assert 240_000 - given_out < KEY_BLOCK + 10_000


def test_nothing_is_given_out_when_a_layer_fails() -> None:
    class Broken:
        name = "broken"
        order = 1

        def find(self, text: bytes) -> list[Finding]:
            raise ValueError

    stream = StreamRedactor(Pipeline([Broken()]))
    with pytest.raises(OutputWithheld):
        stream.feed(b"x\n" * 5000)
    assert stream.spans == []


def test_an_empty_stream_is_empty(pipeline: Pipeline) -> None:
    assert streamed(pipeline, b"", []) == (b"", [])
