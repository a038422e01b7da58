"""Replay the day of a working agent, and count how often a person is asked.

Run ``python tests/replay/replay_day.py [OTHER.jsonl]``. Nothing is executed: each call
is judged by the executors that ship and shown to the gate, at each autonomy level, with
external calls locked and unlocked. One call per line: ``id``, ``tool_name``,
``tool_args``, and ``does``, what a person who reads it would say it does: ``read``,
``write``, ``external``, ``code`` or ``destroy``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.cli.init import make_home
from letsbe.errors import LetsBeError
from letsbe.home import Home
from letsbe.policy.autonomy import AutonomyLevel
from letsbe.wrapper.agents import AgentSettings
from letsbe.wrapper.opening import Wrapper, open_wrapper
from letsbe.wrapper.requests import ToolRequest

Row = dict[str, Any]
DAY = Path(__file__).with_name("day.jsonl")
AGENT = "main"
SHARE = 0.03
"""The most questions per call at level 2, where external calls are locked."""


@dataclass(frozen=True)
class Count:
    """What one replay found.

    Args:
        level: The autonomy level.
        unlocked: Whether the tools' external calls were unlocked.
        calls: How many calls there were.
        asked: The calls that ask a person.
        refused: The calls that run for nobody.
    """

    level: AutonomyLevel
    unlocked: bool
    calls: int
    asked: Sequence[Row]
    refused: Sequence[Row]

    def line(self) -> str:
        kinds = Counter(row["does"] for row in self.asked)
        told = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        lock = "unlocked" if self.unlocked else "locked"
        share = len(self.asked) / self.calls
        return (
            f"{self.level:d}      {lock:8}  {len(self.asked):5}  {share:6.1%}"
            f"  {len(self.refused):7}  {told}"
        )


def rows_of(path: Path) -> list[Row]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def replay(rows: Sequence[Row], folder: Path) -> list[Count]:
    """Judge every call at every level, with a home made in an empty folder."""
    workspace = folder / "workspace"
    for name in ("archive", "backups", "cache", "content", "logs", "nginx", "reports"):
        (workspace / name).mkdir(parents=True)
    for name in ("config", "data", "src", "tests"):
        (workspace / "shop" / name).mkdir(parents=True)
    home = Home(folder / "home")
    make_home(home, (workspace,), (AGENT,))
    with open_wrapper(home) as wrapper:
        return [
            _counted(wrapper, rows, level, unlocked=unlocked)
            for level in AutonomyLevel
            for unlocked in (False, True)
        ]


def _counted(
    wrapper: Wrapper, rows: Sequence[Row], level: AutonomyLevel, *, unlocked: bool
) -> Count:
    tools = frozenset(row["tool_name"] for row in rows) if unlocked else frozenset()
    wrapper.policies.put(AgentSettings(agent_id=AGENT, level=level, unlocked=tools))
    asked, refused = [], []
    for row in rows:
        said = _said(wrapper, row)
        if said == "ask":
            asked.append(row)
        elif said == "refused":
            refused.append(row)
    return Count(level, unlocked, len(rows), asked, refused)


def _said(wrapper: Wrapper, row: Row) -> str:
    request = ToolRequest(
        session_id="day", tool_name=row["tool_name"], tool_args=row["tool_args"]
    )
    try:
        verdict, decision = wrapper.dispatcher.judge(request, AGENT)
    except LetsBeError:
        return "refused"
    return "refused" if verdict.refused else decision.outcome.value


def faults(counts: Iterable[Count]) -> list[str]:
    """Say where the gate asks more than it should, or stops what it should run."""
    found = []
    for count in counts:
        found += [f"refused: {row['tool_args']}" for row in count.refused]
        # At level 1 a read that reaches a server, or shows more than it may, asks too.
        if count.level >= AutonomyLevel.NORMAL and not count.unlocked:
            reads = [r["tool_args"] for r in count.asked if r["does"] == "read"]
            found += [f"a read asks at {count.level:d}: {read}" for read in reads]
        normal = count.level is AutonomyLevel.NORMAL and not count.unlocked
        if normal and len(count.asked) >= SHARE * count.calls:
            found.append(f"{len(count.asked)} of {count.calls} calls ask at level 2")
    return list(dict.fromkeys(found))


def main(arguments: Sequence[str]) -> int:
    rows = rows_of(Path(arguments[0]) if arguments else DAY)
    with tempfile.TemporaryDirectory() as folder:
        counts = replay(rows, Path(folder).resolve())
    sys.stdout.write(f"{len(rows)} calls\nlevel  external  asked   share  refused\n")
    sys.stdout.writelines(f"{count.line()}\n" for count in counts)
    wrong = faults(counts)
    sys.stdout.writelines(f"wrong: {fault}\n" for fault in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
