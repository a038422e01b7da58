"""Prompt caches stay warm: what was sent once is sent again, byte for byte."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from letsbe.configuration import load_configuration
from letsbe.home import Home
from letsbe.proxy.opening import load_redactors
from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.secret import Secret

TURNS = 30
WORDS = ["invoice", "folder", "customer", "report", "table", "backup", "server", "mail"]


class Secrets:
    """Registered secrets that grow while people talk."""

    def __init__(self) -> None:
        self.version = 1
        self._values: list[Secret] = []

    def current(self) -> tuple[Secret, ...]:
        return tuple(self._values)

    def add(self, name: str, value: str) -> None:
        self._values.append(Secret(name, value))
        self.version += 1


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture
def pipeline(tenant: Any, secrets: Secrets) -> Pipeline:
    home = Home(Path(tenant.home))
    plugins = load_redactors(home, load_configuration(home), secrets)
    return Pipeline(plugins.redaction_layers)


def prose(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)) + ".\n"


def turn(chance: random.Random, number: int, value: str) -> list[dict[str, Any]]:
    """A question, a tool call and its result, and an answer; secrets in all of them."""
    call = {"path": f"/srv/app{number}/.env", "note": f"login with {value}"}
    env = (
        f"HOST=app{number}\nDB_PASSWORD={value}\nAPI_KEY=ghp_{'x7Kq2mVb9R' * 3}wP4nLs\n"
    )
    kept = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": f"call_{chance.randbytes(12).hex()}",
                "type": "function",
                "function": {"name": "file_read", "arguments": json.dumps(call)},
            }
        ],
    }
    result = {"role": "tool", "tool_call_id": "c", "content": json.dumps({"out": env})}
    return [
        {"role": "user", "content": prose(chance, 60) + f"use {value} please"},
        kept,
        result,
        {"role": "assistant", "content": prose(chance, 150)},
    ]


def body(messages: list[dict[str, Any]]) -> bytes:
    tools = [
        {
            "type": "function",
            "function": {
                "name": f"tool_{n}",
                "description": prose(random.Random(n), 90),
            },
        }
        for n in range(40)
    ]
    asked = {"model": "m", "messages": messages, "tools": tools, "stream": True}
    return json.dumps(asked, separators=(",", ":")).encode()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_redacted_prefix_stays_the_same_turn_after_turn(
    pipeline: Pipeline, secrets: Secrets, seed: int
) -> None:
    chance = random.Random(seed)
    system = {"role": "system", "content": prose(chance, 2000)}
    messages: list[dict[str, Any]] = [system]
    before: list[Any] = []
    values: list[str] = []
    for number in range(TURNS):
        value = f"{chance.choice(['Sk', 'pw', 'tok'])}-{chance.randbytes(9).hex()}Q!"
        values.append(value)
        # Some are registered before they are said, and some are never.
        if number % 3 != 2:
            secrets.add(f"secret_{number}", value)
        messages += turn(chance, number, value)
        sent = pipeline.redact(body(messages))
        now = json.loads(sent)["messages"]
        assert len(now) == len(messages)
        # The bytes of every message that was sent before are those sent now.
        prefix = json.dumps(before, separators=(",", ":"))[1:-1]
        assert prefix.encode() in sent
        assert now[: len(before)] == before
        for registered in values[::3]:
            assert registered.encode() not in sent
        before = now


def test_two_processes_agree(tenant: Any) -> None:
    chance = random.Random(7)
    messages = [m for n in range(20) for m in turn(chance, n, f"plain-value-{n}")]
    path = tenant.workspace / "body.json"
    path.write_bytes(body(messages))
    outputs = {tenant.letsbe("redact", str(path)).stdout for _ in range(3)}
    assert len(outputs) == 1
    json.loads(outputs.pop())
