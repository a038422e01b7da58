"""How a reply is written in each of the three APIs, streamed or whole."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.openclaw.scripted_llm import Reply

_numbers = itertools.count(1)
_Event = tuple[str | None, dict[str, Any]]


def wire(path: str, asked: dict[str, Any], reply: Reply) -> tuple[str, list[bytes]]:
    """Return the content type and the pieces of an answer."""
    if reply.status != 200:
        error = {"message": reply.text, "type": "invalid_request_error"}
        return "application/json", [json.dumps({"error": error}).encode()]
    if path.endswith("/chat/completions"):
        events, whole = _completions(asked, reply)
    elif path.endswith("/responses"):
        events, whole = _responses(asked, reply)
    elif path.endswith("/messages"):
        events, whole = _messages(asked, reply)
    else:
        raise ValueError(path)
    if not asked.get("stream"):
        return "application/json", [json.dumps(whole).encode()]
    pieces = [_event(name, data) for name, data in events]
    if path.endswith("/chat/completions"):
        pieces.append(b"data: [DONE]\n\n")
    return "text/event-stream", pieces


def _event(name: str | None, data: dict[str, Any]) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


def _completions(asked: dict[str, Any], reply: Reply) -> tuple[list[_Event], Any]:
    number = next(_numbers)
    base = {"id": f"chatcmpl-{number}", "created": 1, "model": asked["model"]}
    calls = [
        {
            "index": index,
            "id": f"call_{number}_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for index, call in enumerate(reply.calls)
    ]
    reads, writes, cached = reply.usage
    usage = {
        "prompt_tokens": reads,
        "completion_tokens": writes,
        "total_tokens": reads + writes,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    finish = "tool_calls" if calls else "stop"
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in _words(reply.text)]
    deltas += [{"tool_calls": [call]} for call in calls]
    chunk = {**base, "object": "chat.completion.chunk"}

    def choice(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return {**chunk, "choices": choices}

    events: list[_Event] = [(None, choice(delta, None)) for delta in deltas]
    events.append((None, choice({}, finish)))
    events.append((None, {**chunk, "choices": [], "usage": usage}))
    message = {"role": "assistant", "content": reply.text or None, "tool_calls": calls}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    whole = {**base, "object": "chat.completion", "choices": choices, "usage": usage}
    return events, whole


def _responses(asked: dict[str, Any], reply: Reply) -> tuple[list[_Event], Any]:
    number = next(_numbers)
    items, events = [], list[tuple[str, dict[str, Any]]]()
    if reply.text:
        part = {"type": "output_text", "text": reply.text, "annotations": []}
        item = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        opened = {**item, "status": "in_progress", "content": []}
        events.append(
            ("response.output_item.added", {"output_index": 0, "item": opened})
        )
        empty = {**place, "part": {**part, "text": ""}}
        events.append(("response.content_part.added", empty))
        events += [
            ("response.output_text.delta", {**place, "delta": word})
            for word in _words(reply.text)
        ]
        events.append(("response.output_text.done", {**place, "text": reply.text}))
        events.append(("response.content_part.done", {**place, "part": part}))
        events.append(("response.output_item.done", {"output_index": 0, "item": item}))
        items.append(item)
    for call in reply.calls:
        index, text = len(items), json.dumps(call.arguments)
        item = {
            "id": f"fc_{number}_{index}",
            "type": "function_call",
            "status": "completed",
            "call_id": f"call_{number}_{index}",
            "name": call.name,
            "arguments": text,
        }
        place = {"item_id": item["id"], "output_index": index}
        opened = {**item, "status": "in_progress", "arguments": ""}
        events += [
            ("response.output_item.added", {"output_index": index, "item": opened}),
            ("response.function_call_arguments.delta", {**place, "delta": text}),
            ("response.function_call_arguments.done", {**place, "arguments": text}),
            ("response.output_item.done", {"output_index": index, "item": item}),
        ]
        items.append(item)
    reads, writes, cached = reply.usage
    base = {"id": f"resp_{number}", "object": "response", "created_at": 1}
    base["model"] = asked["model"]
    usage = {
        "input_tokens": reads,
        "output_tokens": writes,
        "total_tokens": reads + writes,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    begun = {**base, "status": "in_progress", "output": []}
    whole = {**base, "status": "completed", "output": items, "usage": usage}
    events.insert(0, ("response.created", {"response": begun}))
    events.append(("response.completed", {"response": whole}))
    return _numbered(events), whole


def _numbered(events: Iterable[tuple[str, dict[str, Any]]]) -> list[_Event]:
    return [
        (name, {"type": name, "sequence_number": number, **data})
        for number, (name, data) in enumerate(events)
    ]


def _messages(asked: dict[str, Any], reply: Reply) -> tuple[list[_Event], Any]:
    number = next(_numbers)
    reads, writes, cached = reply.usage
    usage = {
        "input_tokens": reads,
        "output_tokens": writes,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
    }
    message: dict[str, Any] = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    events: list[tuple[str, dict[str, Any]]] = [("message_start", {"message": message})]
    blocks: list[dict[str, Any]] = []
    if reply.text:
        blocks.append({"type": "text", "text": reply.text})
        start = {"index": 0, "content_block": {"type": "text", "text": ""}}
        events.append(("content_block_start", start))
        for word in _words(reply.text):
            delta = {"type": "text_delta", "text": word}
            events.append(("content_block_delta", {"index": 0, "delta": delta}))
        events.append(("content_block_stop", {"index": 0}))
    for call in reply.calls:
        index = len(blocks)
        block = {"type": "tool_use", "id": f"toolu_{number}_{index}", "name": call.name}
        blocks.append({**block, "input": call.arguments})
        opened = {"index": index, "content_block": {**block, "input": {}}}
        text = json.dumps(call.arguments)
        delta = {"type": "input_json_delta", "partial_json": text}
        events += [
            ("content_block_start", opened),
            ("content_block_delta", {"index": index, "delta": delta}),
            ("content_block_stop", {"index": index}),
        ]
    reason = "tool_use" if reply.calls else "end_turn"
    end = {"delta": {"stop_reason": reason, "stop_sequence": None}}
    events.append(("message_delta", {**end, "usage": {"output_tokens": writes}}))
    events.append(("message_stop", {}))
    typed: list[_Event] = [(name, {"type": name, **data}) for name, data in events]
    return typed, {**message, "content": blocks, "stop_reason": reason}


def tool_results(asked: dict[str, Any]) -> list[str]:
    """Return the texts of the tool results in a request, oldest first."""
    found = []
    for item in asked.get("messages") or asked.get("input") or []:
        if item.get("role") == "tool":
            found.append(_text(item.get("content")))
        elif item.get("type") == "function_call_output":
            found.append(_text(item.get("output")))
        elif isinstance(item.get("content"), list):
            found += [
                _text(part.get("content"))
                for part in item["content"]
                if part.get("type") == "tool_result"
            ]
    return found


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return str(content)
