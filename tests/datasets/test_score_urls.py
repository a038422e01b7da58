"""The set of URLs is judged without error, and its scorer would tell."""

import json
from pathlib import Path
from typing import Any

DATASET = Path(__file__).with_name("urls.jsonl")


def test_no_url_of_the_set_is_judged_wrongly(score: Any) -> None:
    run = score()

    assert run.returncode == 0, run.stdout + run.stderr
    assert len(DATASET.read_text(encoding="utf-8").splitlines()) >= 80


def test_each_kind_of_error_is_counted_and_shown(score: Any, tmp_path: Path) -> None:
    rows = [
        {"class": "one", "expected": "refuse", "url": "http://8.8.8.8/"},
        {"class": "one", "expected": "allow", "url": "http://10.0.0.1/"},
        {"class": "two", "expected": "refuse", "url": "http://10.0.0.1/"},
    ]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    run = score(dataset)
    table = [line.split() for line in run.stdout.splitlines()]

    assert run.returncode == 1
    assert ["one", "2", "1", "1", "0"] in table
    assert ["two", "1", "0", "0", "0"] in table
    assert sum(line[0] == "wrong:" for line in table) == 2
