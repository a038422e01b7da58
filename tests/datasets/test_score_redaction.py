"""The layers meet their targets on the set, and its scorer would tell."""

import json
from pathlib import Path
from typing import Any

DATASET = Path(__file__).with_name("redaction.jsonl")


def test_recall_and_keep_meet_the_targets(score: Any) -> None:
    run = score()

    assert run.returncode == 0, run.stdout + run.stderr
    assert len(DATASET.read_text(encoding="utf-8").splitlines()) >= 300


def test_each_kind_of_error_is_counted_and_shown(score: Any, tmp_path: Path) -> None:
    rows = [
        {"category": "one", "text": "this is «no secret that anybody could tell»"},
        {"category": "two", "text": "GITHUB=ghp_{base62:36}"},
        {"category": "three", "text": "GITHUB=«ghp_{base62:36}»"},
    ]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    run = score(dataset)
    table = [line.split() for line in run.stdout.splitlines()]

    assert run.returncode == 1
    assert ["one", "3", "0.000", "1.000", "0", "0"] in table
    assert ["two", "3", "-", "0.000", "0", "0"] in table
    assert ["three", "3", "1.000", "1.000", "0", "0"] in table
    assert sum(line[:1] == ["wrong"] for line in table) == 6
