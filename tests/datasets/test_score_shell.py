"""The aims on the set of commands are met, and their scorer would tell."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCORER = Path(__file__).with_name("score_shell.py")


@pytest.fixture(scope="module")
def scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_shell", SCORER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_set_has_what_it_should(scorer: ModuleType) -> None:
    rows = scorer.read()
    assert len(rows) >= 600
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({row["command"] for row in rows}) == len(rows)
    tiers = ["GREEN", "YELLOW", "YELLOW_EXTERNAL", "RED", "CRITICAL_RED"]
    for row in rows:
        assert tiers.index(row["min"]) <= tiers.index(row["max"])
        assert row["min"] == "GREEN" or not row["read_only"]


@pytest.mark.slow
def test_the_aims_are_met(
    scorer: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    status = scorer.main()
    assert status == 0, capsys.readouterr().out


def test_each_kind_of_error_is_counted_and_shown(
    scorer: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = {"read_only": True, "simple": True, "min": "GREEN", "max": "GREEN"}
    other = {"read_only": False, "simple": True}
    rows = [
        {"id": "1", "class": "leak", "command": "ls", "min": "RED", "max": "RED"}
        | other,
        {"id": "2", "class": "low", "command": "mkdir x", "min": "RED", "max": "RED"}
        | other,
        {"id": "3", "class": "gated", "command": "rm x", **read},
        {"id": "4", "class": "gated", "command": "ls | sh", **read, "simple": False},
        {
            "id": "5",
            "class": "high",
            "command": "rm x",
            "min": "YELLOW",
            "max": "YELLOW",
        }
        | other,
        {"id": "6", "class": "well", "command": "ls", **read},
        {"id": "7", "class": "well", "command": "a `b`", "min": "RED", "max": "RED"}
        | other,
    ]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    assert scorer.main(dataset) == 1

    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines]
    assert ["leak", "1", "1", "1", "0", "0", "0"] in table
    assert ["low", "1", "0", "1", "0", "0", "0"] in table
    assert ["gated", "2", "0", "0", "1", "1", "2"] in table
    assert ["high", "1", "0", "0", "0", "0", "1"] in table
    assert ["well", "2", "0", "0", "0", "0", "0"] in table
    assert sum(line.startswith("leak+below: 1:") for line in lines) == 1
