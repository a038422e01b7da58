"""The set of docker commands meets its aims, and its scorer would tell."""

import json
from pathlib import Path
from typing import Any

DATASET = Path(__file__).with_name("docker.jsonl")


def test_the_set_meets_its_aims(score: Any) -> None:
    run = score()

    assert run.returncode == 0, run.stdout + run.stderr
    assert len(DATASET.read_text(encoding="utf-8").splitlines()) >= 150


def test_each_kind_of_error_is_counted_and_shown(score: Any, tmp_path: Path) -> None:
    rows = [
        {"command": "docker ps", "class": "one", "min": "RED", "max": "RED"},
        {"command": "docker stop x", "class": "one", "min": "GREEN", "max": "GREEN"},
        {"command": "docker stop x", "class": "two", "min": "RED", "max": "RED"},
    ]
    reads = [{**row, "read_only": row["min"] == "GREEN"} for row in rows]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(map(json.dumps, reads)), encoding="utf-8")

    run = score(dataset)
    table = [line.split() for line in run.stdout.splitlines()]

    assert run.returncode == 1
    assert ["one", "2", "1", "1", "1", "1"] in table
    assert ["two", "1", "0", "1", "0", "0"] in table
    assert "leak+below: 'docker ps' is GREEN" in run.stdout
