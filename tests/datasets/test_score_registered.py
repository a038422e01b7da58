"""Registered values in disguise meet their target, and the scorer would tell."""

import json
from pathlib import Path
from typing import Any

DATASET = Path(__file__).with_name("registered.jsonl")


def test_recall_and_keep_meet_the_targets(score: Any) -> None:
    run = score()

    assert run.returncode == 0, run.stdout + run.stderr
    assert len(DATASET.read_text(encoding="utf-8").splitlines()) >= 200


def test_each_kind_of_error_is_counted_and_shown(score: Any, tmp_path: Path) -> None:
    rows = [
        {"category": "case: none", "text": "this is «no registered value at all»"},
        {"category": "case: upper", "text": "it is «HR7KQ2ZPWV9T» now"},
        {"category": "reversed", "text": "it is «nobody will ever know» now"},
        {"category": "keep: not", "text": "HR7KQ2ZPWV9T"},
        {"category": "keep: so", "text": "HR7KQ2ZPWV9"},
    ]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    run = score(dataset)
    lines = run.stdout.splitlines()

    assert run.returncode == 1
    assert lines[-3:] == [
        "macro recall 0.5000",
        "with further forms 0.3333",
        "keep 0.5000",
    ]
    assert sum(line.startswith("wrong") for line in lines) == 9
