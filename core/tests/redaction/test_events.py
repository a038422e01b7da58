"""Secrets spread over the events of a stream go, and nothing else changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letsbe.redaction.events import AnyStreamRedactor, EventStreamRedactor
from letsbe.redaction.finding import Finding
from letsbe.redaction.pipeline import Pipeline
from letsbe.redaction.streams import StreamRedactor
from letsbe.vault.secret import Secret

VALUE = 'v9-Qx"7 spaced\n value'
REDACTED = "Use [REDACTED:token] with SECRET_REF(db), or else. "
PLAIN = f"Use tok_aB3kQ9 with {VALUE}, or else. "


class Registered:
    """Registered secrets, and the layer that finds them."""

    name = "registry"
    order = 10
    version = 1

    def current(self) -> tuple[Secret, ...]:
        return (Secret("db", VALUE),)

    def names(self) -> frozenset[str]:
        return frozenset({"db"})

    def find(self, text: bytes) -> Iterator[Finding]:
        for match in re.finditer(re.escape(VALUE.encode()), text):
            yield Finding(*match.span(), "registered", "db")


class Tokens:
    """Finds tokens."""

    name = "tokens"
    order = 20

    def find(self, text: bytes) -> Iterator[Finding]:
        for match in re.finditer(rb"tok_\w+", text):
            yield Finding(*match.span(), "token")


SECRETS = Registered()
PIPELINE = Pipeline([SECRETS, Tokens()])


def pieces_of(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def event(value: Any, name: str = "", end: str = "\n\n") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value)}{end}".encode()


def completions(pieces: Iterable[str]) -> bytes:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return event({"id": "c1", "choices": [choice]})

    parts = [chunk({"content": piece}) for piece in pieces]
    return b"".join([*parts, chunk({}, "stop"), b"data: [DONE]\n\n"])


def responses(pieces: Iterable[str]) -> bytes:
    def delta(piece: str) -> bytes:
        kind = "response.output_text.delta"
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        return event({"type": kind, **where, "delta": piece}, kind)

    pieces = list(pieces)
    kind = "response.output_text.done"
    done = event({"type": kind, "item_id": "msg_1", "text": "".join(pieces)}, kind)
    return b"".join([*map(delta, pieces), done])


def messages(pieces: Iterable[str]) -> bytes:
    def delta(piece: str) -> bytes:
        inner = {"type": "text_delta", "text": piece}
        value = {"type": "content_block_delta", "index": 0, "delta": inner}
        return event(value, "content_block_delta", "\r\n\r\n")

    ping = event({"type": "ping"}, "ping", "\r\n\r\n")
    stop = event({"type": "content_block_stop", "index": 0}, "content_block_stop")
    parts = [part for piece in pieces for part in (delta(piece), ping)]
    return b"".join([*parts, stop])


def text_of(stream: bytes) -> str:
    """Join what the pieces of a stream say."""
    said = []
    for line in stream.splitlines():
        if not line.startswith(b"data: {"):
            continue
        value = json.loads(line[6:])
        delta = value["choices"][0]["delta"] if "choices" in value else value
        delta = delta.get("delta", delta)
        if isinstance(delta, str):
            said.append(delta)
        elif "type" not in delta or delta["type"] == "text_delta":
            said.append(delta.get("content", delta.get("text", "")))
    return "".join(said)


def run(stream: bytes, size: int) -> bytes:
    redactor = AnyStreamRedactor(PIPELINE, SECRETS)
    parts = [
        redactor.feed(stream[start : start + size])
        for start in range(0, len(stream), size)
    ]
    return b"".join([*parts, redactor.close()])


APIS = [completions, responses, messages]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_secret_in_pieces_goes(api: Any, size: int) -> None:
    stream = api(pieces_of(PLAIN * 3, size))
    clean = run(stream, 64)
    assert text_of(clean) == REDACTED * 3
    assert b"aB3kQ9" not in clean
    assert clean.count(b"data:") == stream.count(b"data:")


@settings(deadline=None)
@given(st.sampled_from(APIS), st.integers(1, 12), st.integers(1, 4000))
def test_the_same_however_it_is_cut(api: Any, size: int, cut: int) -> None:
    stream = api(pieces_of(PLAIN, size))
    whole = run(stream, len(stream))
    assert run(stream, cut) == whole
    assert run(whole, cut) == whole


@settings(deadline=None)
@given(st.lists(st.text(max_size=6)))
def test_what_holds_no_secret_stays_as_it_is(pieces: list[str]) -> None:
    stream = completions(pieces)
    assert run(stream, 50) == stream


def test_a_word_is_held_back_until_it_has_ended() -> None:
    redactor = EventStreamRedactor(PIPELINE, SECRETS)
    head, *rest = completions(["The ", "answer", " is tok", "_1a", "2b ok "]).split(
        b"\n\n"
    )
    assert redactor.feed(head + b"\n\n") == head + b"\n\n"
    assert redactor.feed(rest[0] + b"\n\n") == b""
    assert redactor.feed(rest[1] + b"\n\n") == rest[0] + b"\n\n"
    assert redactor.feed(rest[2] + b"\n\n") == b""
    last = redactor.feed(rest[3] + b"\n\n")
    assert text_of(last) == " is [REDACTED:token] ok "


def test_a_value_with_spaces_is_held_back_whole() -> None:
    redactor = EventStreamRedactor(PIPELINE, SECRETS)
    head, tail = VALUE[:10], VALUE[10:] + " "
    events = completions([f"so {head}", tail]).split(b"\n\n")
    assert redactor.feed(events[0] + b"\n\n") == b""
    assert text_of(redactor.feed(events[1] + b"\n\n")) == "so SECRET_REF(db) "


def test_two_texts_of_one_stream_are_not_mixed() -> None:
    def chunk(index: int, piece: str) -> bytes:
        return event({"choices": [{"index": index, "delta": {"content": piece}}]})

    pieces = zip(["to", "k_s3", "cret "], ["one ", "two ", "three "], strict=True)
    stream = b"".join(chunk(0, a) + chunk(1, b) for a, b in pieces)
    clean = run(stream, 10)
    assert clean.count(b"[REDACTED:token]") == 1
    assert b"k_s3" not in clean
    assert b"one " in clean
    assert b"three " in clean


@pytest.mark.parametrize(
    "stream",
    [
        b"data: not json tok_abc1\n\n",
        b'data: {"choices": [{"delta": {"content": "tok_abc1"}}\n\n',
        b": tok_abc1\n\ndata: x\n\n",
        b'data: {"delta": "tok_abc1 \xff"}\n\n',
        b'event: x\ndata: {"a": "tok_abc1"}',
        b'data: {"name": "tok_abc1", "delta": "b"}\n\n',
    ],
)
def test_what_is_no_piece_of_text_is_redacted_by_itself(stream: bytes) -> None:
    clean = run(b"data: 1\n\n" + stream, 5)
    assert clean == b"data: 1\n\n" + stream.replace(b"tok_abc1", b"[REDACTED:token]")


def test_what_is_found_is_told_with_its_place() -> None:
    stream = completions(["a tok_", "xy1 ", "b "])
    redactor = EventStreamRedactor(PIPELINE, SECRETS)
    redactor.feed(stream)
    redactor.close()
    taken = [stream[span.start : span.end] for span in redactor.spans]
    assert taken == [b"tok_", b"xy1"]


def test_what_is_no_event_stream_is_a_text() -> None:
    redactor = AnyStreamRedactor(PIPELINE, SECRETS)
    assert redactor.feed(b"da") == b""
    assert redactor.spans == []
    assert redactor.close() == b"da"
    redactor = AnyStreamRedactor(PIPELINE, SECRETS)
    redactor.feed(b'{"data: 1')
    assert isinstance(redactor._chosen, StreamRedactor)
    assert AnyStreamRedactor(PIPELINE).close() == b""


def test_nothing_is_kept_of_what_was_given_out() -> None:
    redactor = EventStreamRedactor(PIPELINE, SECRETS)
    stream = completions(["words and tok_", "xy1 more ", "b "])
    pieces = stream[: stream.index(b'"delta": {}')].rpartition(b"data:")[0]
    for _ in range(300):
        redactor.feed(pieces)
    (text,) = redactor._texts.values()
    assert len(text._kept) < 4000
    assert len(text.spans) < 5
    assert len(redactor._waiting) < 5
