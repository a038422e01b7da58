"""``letsbe redact``, as people and programs call it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CANARY = "canary-Zk3v9QpL7wXr2TbN"


def redact(
    stdin: str | bytes, *arguments: str, check: int = 0, home: str = "/nonexistent"
) -> subprocess.CompletedProcess[bytes]:
    """Run the command without a home."""
    ended = subprocess.run(
        [sys.executable, "-m", "letsbe", "redact", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**os.environ, "LETSBE_HOME": home},
        timeout=60,
        check=False,
    )
    assert ended.returncode == check, ended.stderr
    return ended


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_text_goes_in_and_comes_out_without_secrets(tenant: Any) -> None:
    tenant.provide("canary", CANARY)
    ended = tenant.letsbe("redact", stdin=f"it is {CANARY}\n")
    assert ended.stdout == "it is SECRET_REF(canary)\n"


def test_files_come_one_after_the_other(tenant: Any) -> None:
    tenant.provide("canary", CANARY)
    for name in ("a", "b"):
        (tenant.workspace / name).write_text(f"{name}: {CANARY}\n")
    ended = tenant.letsbe("redact", "a", "b")
    assert ended.stdout == "a: SECRET_REF(canary)\nb: SECRET_REF(canary)\n"


def test_it_explains_without_values(tenant: Any) -> None:
    tenant.provide("canary", CANARY)
    text = f"it is {CANARY} and password=Hk82-pLw9-Qz\n"
    ended = tenant.letsbe("redact", "--explain", stdin=text)
    assert "6-29  registered  registry  plain  SECRET_REF(canary)" in ended.stderr
    assert "password" in ended.stderr
    assert CANARY not in ended.stderr
    assert "Hk82" not in ended.stderr


def test_bytes_that_are_no_text_pass(tenant: Any) -> None:
    data = bytes(range(256)) * 10
    assert redact(data).stdout == data


def test_each_line_has_its_own_secrets() -> None:
    text = f"it is {CANARY}"
    ended = redact(
        lines(
            {"id": 1, "text": text, "secrets": {"first": CANARY}},
            {"id": 2, "text": text, "secrets": {"second": CANARY}},
            {"id": 3, "text": text},
            {"id": 4, "text": text, "secrets": {"first": CANARY}},
        ),
        "--jsonl",
    )
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [row["id"] for row in rows] == [1, 2, 3, 4]
    assert [row["text"] for row in rows] == [
        "it is SECRET_REF(first)",
        "it is SECRET_REF(second)",
        text,
        "it is SECRET_REF(first)",
    ]
    (finding,) = rows[0]["findings"]
    assert finding == {
        "start": 6,
        "end": 29,
        "kind": "registered",
        "name": "first",
        "layer": "registry",
        "rule": "plain",
    }
    assert all(row["elapsed_ms"] >= 0 for row in rows)


def test_a_homes_secrets_count_beside_a_lines(tenant: Any) -> None:
    tenant.provide("canary", CANARY)
    row = {
        "id": "x",
        "text": f"{CANARY} other-value-1",
        "secrets": {"o": "other-value-1"},
    }
    ended = tenant.letsbe("redact", "--jsonl", stdin=lines(row))
    assert json.loads(ended.stdout)["text"] == "SECRET_REF(canary) SECRET_REF(o)"


@pytest.mark.parametrize("size", ["1", "3", "64"])
def test_a_stream_gives_the_same(size: str) -> None:
    text = (f"a line with {CANARY}\nand password=Hk82-pLw9-Qz there\n" * 80) + "end"
    row = {"id": 1, "text": text, "secrets": {"canary": CANARY}}
    (whole,) = redact(lines(row), "--jsonl").stdout.splitlines()
    (streamed,) = redact(lines(row), "--jsonl", "--stream", size).stdout.splitlines()
    first, second = json.loads(whole), json.loads(streamed)
    assert first["text"] == second["text"]
    assert first["findings"] == second["findings"]
    assert len(first["findings"]) == 160


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"id": 7}',
        '{"id": 7, "text": 5}',
        '{"id": 7, "text": "x", "secrets": []}',
        '{"id": 7, "text": "x", "secrets": {"a": 5}}',
        '{"id": 7, "text": "x", "secrets": {"a": ""}}',
        '{"id": 7, "text": "x", "secrets": {"a b": "value-of-it"}}',
        "[" * 100_000,
    ],
)
def test_a_bad_line_is_answered_and_the_next_one_too(line: str) -> None:
    good = lines({"id": 8, "text": "fine"})
    ended = redact(f"{line}\n\n{good}", "--jsonl", check=1)
    first, second = map(json.loads, ended.stdout.splitlines())
    assert first["error"]["message"]
    assert first["id"] == (7 if '"id": 7' in line else None)
    assert b"value-of-it" not in ended.stdout
    assert second["text"] == "fine"


def test_surrogates_and_newlines_survive() -> None:
    text = "half \ud800 of a pair\nand \u2028 more"
    (line,) = redact(lines({"id": 1, "text": text}), "--jsonl").stdout.splitlines()
    assert json.loads(line)["text"] == text


def test_it_answers_line_by_line() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "letsbe", "redact", "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LETSBE_HOME": "/nonexistent"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for number in range(3):
            process.stdin.write(lines({"id": number, "text": "x"}))
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()


def processor_seconds() -> float:
    """What the ended children took, which other load does not change."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_same_secrets_are_compiled_once() -> None:
    secrets = {f"s{n}": f"value-{n}-{n * 7919:x}" for n in range(500)}
    row = {"id": 1, "text": f"it is {secrets['s77']} here", "secrets": secrets}
    begun = processor_seconds()
    redact(lines(row), "--jsonl")
    one = processor_seconds() - begun
    begun = processor_seconds()
    ended = redact(lines(*[row] * 10), "--jsonl")
    assert processor_seconds() - begun < one * 3
    assert b"SECRET_REF(s77)" in ended.stdout.splitlines()[-1]


def test_a_home_that_is_broken_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    ended = redact("text", check=1, home=str(tmp_path / "home"))
    assert not ended.stdout
    assert b"letsbe init" in ended.stderr


@pytest.mark.parametrize("size", [None, "1", "40", "100000"])
def test_an_event_stream_is_redacted_as_what_it_says(size: str | None) -> None:
    pieces = ["The key is ", *(CANARY[at : at + 3] for at in range(0, 24, 3)), " ok"]
    stream = "".join(
        f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n"
        for piece in pieces
    )
    row = {"id": 1, "text": stream, "secrets": {"canary": CANARY}}
    pace = ["--stream", size] if size else []
    (line,) = redact(lines(row), "--jsonl", *pace).stdout.splitlines()
    answer = json.loads(line)
    events = [json.loads(each[6:]) for each in answer["text"].split("\n\n") if each]
    said = [each["choices"][0]["delta"]["content"] for each in events]
    assert said == ["The key is ", "SECRET_REF(canary)", *[""] * 7, " ok"]
    assert {found["name"] for found in answer["findings"]} == {"canary"}


GITHUB = "ghp_" + "x7Kq2mVb9RtYwP4nLsD8" + "cFgH1jZaE3uT6oQ2"


def test_a_plain_event_stream_is_joined_too() -> None:
    pieces = ["see ", GITHUB[:15], GITHUB[15:] + " ok"]
    deltas = [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
    stream = "".join(f"data: {json.dumps(delta)}\n\n" for delta in deltas)
    ended = redact(stream, "--explain")
    assert b"[REDACTED:github_token]" in ended.stdout
    assert GITHUB[15:].encode() not in ended.stdout
    assert ended.stdout.count(b"data: ") == 3
    assert b"(goes on)" in ended.stderr
    again = redact(ended.stdout)
    assert again.stdout == ended.stdout


@pytest.mark.parametrize(
    "text",
    [
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA",
        "data: 12 invoices\nevent: the fair on Friday\n",
        "event: x\n\n",
        'data: {"one": "event"}\n\n',
    ],
)
def test_what_only_begins_like_an_event_stream_is_text(text: str) -> None:
    assert redact(text).stdout == text.encode()
    secret = f"{text}\n{GITHUB}\n"
    assert b"[REDACTED:github_token]" in redact(secret).stdout
