"""A working day asks a person seldom, never for a read, and the replay would tell."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

REPLAY = Path(__file__).with_name("replay_day.py")
ROWS = [
    json.loads(line)
    for line in REPLAY.with_name("day.jsonl").read_text(encoding="utf-8").splitlines()
]


def replay(*arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, REPLAY, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_day_is_a_working_day() -> None:
    kinds = Counter(row["does"] for row in ROWS)
    assert len(ROWS) == 300
    assert kinds["read"] > 200
    assert kinds["write"] > 30
    assert min(kinds["external"], kinds["code"], kinds["destroy"]) >= 2
    tools = {row["tool_name"] for row in ROWS}
    assert tools >= {"shell", "file_read", "file_write", "env_read", "env_update"}


def test_a_person_is_asked_seldom_and_never_for_a_read() -> None:
    run = replay()
    assert run.returncode == 0, run.stdout + run.stderr
    asked = {
        tuple(line.split()[:2]): line.split()
        for line in run.stdout.splitlines()
        if line[:1] in {"1", "2", "3"} and "locked" in line
    }
    # What goes outside, destroys or is code asks at level 2: the gate is no sieve.
    harmful = sum(row["does"] in {"external", "code", "destroy"} for row in ROWS)
    assert int(asked["2", "locked"][2]) == harmful < 0.03 * len(ROWS)
    changes = sum(row["does"] != "read" for row in ROWS)
    assert int(asked["1", "locked"][2]) >= changes
    external = sum(row["does"] == "external" for row in ROWS)
    assert int(asked["3", "locked"][2]) == external
    assert int(asked["3", "unlocked"][2]) == 0


def test_a_read_that_asks_is_told(tmp_path: Path) -> None:
    rows = [
        {"does": "read", "tool_name": "shell", "tool_args": {"command": "rm x"}},
        {"does": "read", "tool_name": "shell", "tool_args": {"command": "ls $HOME"}},
    ]
    other = tmp_path / "rows.jsonl"
    other.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    run = replay(other)
    assert run.returncode == 1
    assert "a read asks at 2: {'command': 'rm x'}" in run.stdout
    assert "refused: {'command': 'ls $HOME'}" in run.stdout
    assert "1 of 2 calls ask at level 2" in run.stdout
