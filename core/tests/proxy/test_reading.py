"""Usage is read from the answers of every API, however they are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letsbe.proxy.reading import (
    PARSED_LIMIT,
    Reader,
    asked_model,
    reader_for,
)
from letsbe.proxy.usage import Usage, usage_from

EVENTS = b"text/event-stream; charset=utf-8"


def event(value: Any, name: str = "") -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value)}\n\n"


def completions() -> bytes:
    def chunk(delta: dict[str, Any], **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        value = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "model": "gpt-5-mini-2026-08-07",
            "choices": [choice],
            "usage": None,
        }
        return event({**value, **more})

    usage = {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 192},
    }
    parts = [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": 'it says "usage": {"prompt_tokens": 1}'}),
        chunk({"content": "\n\ndata: [DONE] \u2028"}),
        chunk({}, choices=[], usage=usage),
        "data: [DONE]\n\n",
    ]
    return "".join(parts).encode()


def openrouter() -> bytes:
    usage = {
        "prompt_tokens": 194,
        "completion_tokens": 2,
        "cost": 0.00095,
        "cost_details": {"upstream_inference_cost": 19},
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    value = {"id": "gen-1", "model": "anthropic/sonnet-5", "choices": []}
    comment = ": OPENROUTER PROCESSING\n\n"
    parts = [comment, event({**value, "usage": usage}), "data: [DONE]\n\n"]
    return "".join(parts).encode()


def responses() -> bytes:
    usage = {
        "input_tokens": 328,
        "input_tokens_details": {"cached_tokens": 300},
        "output_tokens": 52,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 380,
    }
    begun: dict[str, Any] = {
        "id": "resp_1",
        "model": "gpt-5",
        "usage": None,
        "output": [],
    }
    done = {**begun, "status": "completed", "usage": usage, "output": ["x" * 9000]}
    parts = [
        event({"type": "response.created", "response": begun}, "response.created"),
        event(
            {"type": "response.output_text.delta", "delta": "Hi"},
            "response.output_text.delta",
        ),
        event({"type": "response.completed", "response": done}, "response.completed"),
    ]
    return "".join(parts).encode()


def anthropic() -> bytes:
    begun = {
        "id": "msg_1",
        "model": "sonnet-5",
        "usage": {
            "input_tokens": 25,
            "cache_creation_input_tokens": 100,
            "cache_read_input_tokens": 5000,
            "output_tokens": 1,
        },
    }
    tool = {"type": "tool_use", "input": {"usage": {"input_tokens": 9}}}
    parts = [
        event({"type": "message_start", "message": begun}, "message_start"),
        event({"type": "content_block_start", "content_block": tool}),
        event({"type": "ping"}, "ping"),
        event(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 15},
            },
            "message_delta",
        ),
        event({"type": "message_stop"}, "message_stop"),
    ]
    return "".join(parts).encode()


STREAMS = {
    "completions": (
        completions(),
        "gpt-5-mini-2026-08-07",
        Usage(2006, 300, 1920, 192),
    ),
    "openrouter": (
        openrouter(),
        "anthropic/sonnet-5",
        Usage(194, 2, cost_micros=950),
    ),
    "responses": (responses(), "gpt-5", Usage(328, 52, 300, 20)),
    "anthropic": (anthropic(), "sonnet-5", Usage(5125, 15, 5000)),
}


def fed(stream: bytes, size: int, kind: bytes = EVENTS) -> Reader:
    reader = reader_for(kind, None, None)
    for start in range(0, len(stream), size):
        reader.feed(stream[start : start + size])
    reader.finish()
    return reader


@pytest.mark.parametrize("api", STREAMS)
@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 3000), crlf=st.booleans())
def test_streams_tell_their_usage(api: str, size: int, crlf: bool) -> None:
    stream, model, usage = STREAMS[api]
    if crlf:
        stream = stream.replace(b"\n", b"\r\n")
    reader = fed(stream, size)
    assert (reader.model, reader.usage(1)) == (model, usage)
    assert reader.complete


@pytest.mark.parametrize("api", STREAMS)
def test_a_stream_is_complete_when_its_usage_is(api: str) -> None:
    stream, _, usage = STREAMS[api]
    reader = reader_for(EVENTS, None, None)
    for byte in range(len(stream)):
        reader.feed(stream[byte : byte + 1])
        if reader.complete:
            break
    assert reader.usage(1) == usage


def test_a_body_tells_its_usage_with_its_last_byte() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "cost": 1}
    body = json.dumps({"model": "m/x:free", "choices": [], "usage": usage}).encode()
    reader = reader_for(b"application/json", b"identity", len(body))
    whole = []
    for piece in (body[:-1], body[-1:]):
        reader.feed(piece)
        whole.append(reader.complete)
    assert whole == [False, True]
    assert reader.model == "m/x:free"
    assert reader.usage(1) == Usage(10, 5, cost_micros=1_000_000)


def test_a_long_body_tells_it_too() -> None:
    usage = {"prompt_tokens": 10, "total_tokens": 10}
    data = [{"embedding": [0.25] * 100_000}]
    body = json.dumps({"data": data, "model": "embed", "usage": usage}).encode()
    assert len(body) > PARSED_LIMIT
    reader = fed(body, 70_000, b"application/json")
    assert (reader.model, reader.usage(1)) == ("embed", Usage(10))


def test_what_is_not_told_is_estimated() -> None:
    stream = b'data: {"choices": []}\n\n' * 7 + b"data: [DONE]\n\n"
    usage = fed(stream, 100).usage(4000)
    assert usage == Usage(1000, 8, estimated_requests=1)
    packed = reader_for(b"application/json", b"gzip", 10)
    packed.feed(b"x" * 400)
    assert packed.usage(40) == Usage(10, 100, estimated_requests=1)


@given(st.binary(max_size=400), st.sampled_from([EVENTS, b"application/json", None]))
def test_rubbish_is_read_as_nothing(stream: bytes, kind: bytes | None) -> None:
    reader = reader_for(kind, None, None)
    reader.feed(stream)
    reader.feed(b'\ndata: {"usage": 5, "x": "usage"}\n{"usage":[[')
    reader.finish()
    assert reader.usage(0).estimated_requests == 1


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.text(), st.none()
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("prompt_tokens", "completion_tokens", "input_tokens", "cost"),
                *("output_tokens", "prompt_tokens_details", "cache_read_input_tokens"),
            ]
        ),
        st.one_of(NUMBERS, st.dictionaries(st.just("cached_tokens"), NUMBERS)),
    )
)
def test_odd_numbers_are_no_numbers(said: dict[str, Any]) -> None:
    usage = usage_from(said)
    assert 0 <= usage.cached_tokens <= usage.input_tokens <= 4 * 10**12
    assert 0 <= usage.reasoning_tokens <= usage.output_tokens
    assert usage.cost_micros >= 0


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (b'{"model":"gpt-5","messages":[]}', "gpt-5"),
        (b'{"messages":["' + b"x" * 9000 + b'"],"model" : "a/b:c"}', "a/b:c"),
        (b'{"a":"' + b"x" * 9000 + b'","model":"m","b":"' + b"x" * 9000 + b'"}', "m"),
        (b'{"text":"\\"model\\":\\"no\\""}', None),
        (b'{"model":"<script>"}', None),
        (b"", None),
    ],
)
def test_the_model_is_read_from_the_request(body: bytes, model: str | None) -> None:
    assert asked_model(body) == model
