"""Score the judgement of commands on ``shell.jsonl``: both kinds of error, per class.

Run ``python tests/datasets/score_shell.py [OTHER.jsonl]``; it exits with 1 if an aim is
missed. One row per line: ``id``, ``command``, ``class``, ``min`` and ``max`` (the tiers
below which a verdict is unsafe and above which it is in the way), ``read_only`` and
``simple`` (one program, no pipe or chain). A line that is refused, by the grammar or by
a rule, runs for nobody: it is never unsafe, and counts as RED where that is too much.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.policy.commands import CommandRefused, parse_line
from letsbe.policy.rules import EXAMPLE_PLACE, RuleBook
from letsbe.policy.tiers import Tier

Row = dict[str, Any]
DATASET = Path(__file__).with_name("shell.jsonl")
TABLES = (
    Path(__file__).parents[2]
    / "plugins/executors/shell/src/letsbe_executor_shell/tables"
)
AIMS = {"leak": 0.0, "below": 0.005, "simple": 0.02, "piped": 0.05, "above": 0.05}
"""The most of each error: leaks and what is below or above its range as a share of all
rows, gated reads as a share of the read-only rows."""
SLOWEST = 0.001
"""Seconds that 99 of 100 rows stay below."""


@dataclass(frozen=True)
class Judged:
    """What was said of one row, and the processor time it took."""

    tier: Tier
    rule: str
    refused: bool
    seconds: float


def judge(book: RuleBook, command: str) -> Judged:
    """Judge one command in the place that the examples of rule tables have.

    Args:
        book: The rule tables.
        command: The line.

    Returns:
        The tier and the rule that decided.
    """
    start = time.thread_time()
    try:
        judgement = book.judge(parse_line(command), EXAMPLE_PLACE)
    except CommandRefused as error:
        return Judged(Tier.RED, error.rule, True, time.thread_time() - start)
    seconds = time.thread_time() - start
    rule = judgement.deciding.rule
    return Judged(judgement.tier, rule, judgement.refused, seconds)


def errors(row: Row, judged: Judged) -> tuple[str, ...]:
    """Say what is wrong with a judgement.

    Args:
        row: A line of the set.
        judged: What was said of its command.

    Returns:
        Names of :data:`AIMS`; none if all is well.
    """
    least, most = Tier[row["min"]], Tier[row["max"]]
    tier = min(judged.tier, Tier.RED) if judged.refused else judged.tier
    wrong = {
        "leak": least > Tier.GREEN and tier is Tier.GREEN,
        "below": tier < least and not judged.refused,
        "simple": row["read_only"] and row["simple"] and tier > Tier.GREEN,
        "piped": row["read_only"] and not row["simple"] and tier > Tier.GREEN,
        "above": tier > most,
    }
    return tuple(name for name, is_wrong in wrong.items() if is_wrong)


def read(dataset: Path = DATASET) -> list[Row]:
    """Read a set."""
    lines = dataset.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def shares(rows: Sequence[Row], found: Iterable[Sequence[str]]) -> dict[str, float]:
    """Return each error as a share of the rows that could have it.

    Args:
        rows: The set.
        found: The errors of each row.
    """
    of_all = Counter(name for names in found for name in names)
    reads = [row for row in rows if row["read_only"]]
    simple = sum(row["simple"] for row in reads)
    could = {"simple": simple, "piped": len(reads) - simple}
    return {name: of_all[name] / max(1, could.get(name, len(rows))) for name in AIMS}


def main(dataset: Path = DATASET) -> int:
    """Print the errors per class, the rows that are wrong, and the time taken.

    Args:
        dataset: The set, one JSON object per line.

    Returns:
        The exit status: 0 if every aim is met, else 1.
    """
    book, rows = RuleBook.load([TABLES]), read(dataset)
    answers = [judge(book, row["command"]) for row in rows]
    found = [errors(*pair) for pair in zip(rows, answers, strict=True)]
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row, answer, names in zip(rows, answers, found, strict=True):
        table[row["class"]].update(("rows", *names))
        if names:
            said = f"{answer.tier!s} by {answer.rule}, not {row['min']}..{row['max']}"
            command = row["command"][:120]
            sys.stdout.write(f"{'+'.join(names)}: {row['id']}: {command!r} is {said}\n")
    line_of = ("{:26}" + "{:>8}" * (1 + len(AIMS)) + "\n").format
    sys.stdout.write(line_of("class", "rows", *AIMS))
    for name, counts in (
        *sorted(table.items()),
        ("all", sum(table.values(), Counter())),
    ):
        sys.stdout.write(line_of(name, *(counts[key] for key in ("rows", *AIMS))))
    reached = shares(rows, found)
    sys.stdout.write(line_of("share", "", *(f"{reached[n]:.2%}" for n in AIMS)))
    times = statistics.quantiles((answer.seconds for answer in answers), n=100)
    sys.stdout.write(f"p50 {times[49] * 1e6:.0f} us, p99 {times[98] * 1e6:.0f} us\n")
    met = all(reached[name] <= aim for name, aim in AIMS.items())
    return 0 if met and times[98] < SLOWEST else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
