"""Score the judgement of docker commands on ``docker.jsonl``, per class.

Run ``python tests/datasets/score_docker.py [OTHER.jsonl]``; it exits with 1 if an aim
is missed. A row is one of ``shell.jsonl``: ``id``, ``command``, ``class``, ``min``
and ``max`` (the tiers below which a verdict is unsafe, above which it is in the way),
``read_only`` and ``simple``. What is refused runs for nobody, so it is never unsafe.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.plugin import LetsBeError, Site, Tier
from letsbe.testing import make_call
from letsbe_executor_docker.executor import DOCKER, DockerExecutor
from letsbe_executor_shell.judging import TABLES

Row = dict[str, Any]
DATASET = Path(__file__).with_name("docker.jsonl")
AIMS = {"leak": 0.0, "below": 0.005, "gated": 0.02, "above": 0.05}
"""The most of each error as a share of all rows, or of the reads for gated reads."""
SLOWEST = 0.001
"""Seconds that 99 of 100 rows stay below."""


@dataclass(frozen=True)
class Judged:
    """What was said of one row, and how long that took."""

    tier: Tier
    rule: str
    refused: bool
    seconds: float


def executor() -> DockerExecutor:
    """Return a docker executor for one allowed root, with the shell's rule tables."""
    site = Site(roots=(Path("/srv/work"),), closed_ports=frozenset({8100, 8200, 18789}))
    site.rules.add(TABLES)
    return DockerExecutor(site)


def judge(docker: DockerExecutor, command: str) -> Judged:
    """Judge one command."""
    call = make_call(DOCKER, {"command": command})
    times = []
    for _ in range(3):  # the machine may be busy with something else
        start = time.perf_counter()
        try:
            verdict = docker.classify(call)
        except LetsBeError as error:
            return Judged(Tier.RED, error.code, True, time.perf_counter() - start)
        times.append(time.perf_counter() - start)
    return Judged(verdict.tier, verdict.rule, verdict.refused, min(times))


def errors(row: Row, judged: Judged) -> Iterator[str]:
    """Yield what is wrong with a judgement: names of :data:`AIMS`."""
    least, most = Tier[row["min"]], Tier[row["max"]]
    tier = min(judged.tier, Tier.RED) if judged.refused else judged.tier
    if least > Tier.GREEN and tier is Tier.GREEN:
        yield "leak"
    if tier < least and not judged.refused:
        yield "below"
    if row["read_only"] and tier > Tier.GREEN:
        yield "gated"
    if tier > most:
        yield "above"


def main(dataset: Path = DATASET) -> int:
    """Print the errors per class, the rows that are wrong, and the time taken.

    Args:
        dataset: The set, one JSON object per line.

    Returns:
        The exit status: 0 if every aim is met, else 1.
    """
    docker = executor()
    judge(docker, "docker ps")  # the tables are read for the first call
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    times = []
    for line in dataset.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        judged = judge(docker, row["command"])
        found = list(errors(row, judged))
        times.append(judged.seconds)
        table[row["class"]].update(("rows", *found))
        table["reads"]["rows"] += row["read_only"]
        if found:
            said = f"{judged.tier!s} by {judged.rule}, not {row['min']}..{row['max']}"
            sys.stdout.write(f"{'+'.join(found)}: {row['command']!r} is {said}\n")
    reads = table.pop("reads")["rows"]
    total = sum(table.values(), Counter[str]())
    line_of = ("{:20}" + "{:>8}" * (1 + len(AIMS)) + "\n").format
    sys.stdout.write(line_of("class", "rows", *AIMS))
    for name, counts in (*sorted(table.items()), ("all", total)):
        sys.stdout.write(line_of(name, *(counts[key] for key in ("rows", *AIMS))))
    of = {name: max(1, reads if name == "gated" else total["rows"]) for name in AIMS}
    shares = {name: total[name] / of[name] for name in AIMS}
    sys.stdout.write(line_of("share", "", *(f"{shares[n]:.2%}" for n in AIMS)))
    slow = statistics.quantiles(times, n=100)
    sys.stdout.write(f"p50 {slow[49] * 1e6:.0f} us, p99 {slow[98] * 1e6:.0f} us\n")
    met = all(shares[name] <= aim for name, aim in AIMS.items())
    return 0 if met and slow[98] < SLOWEST else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
