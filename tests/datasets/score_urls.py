"""Score the judgement of URLs on ``urls.jsonl``: both kinds of error, per class.

Run ``python tests/datasets/score_urls.py [OTHER.jsonl]``; it exits with 1 if anything
is wrong. One row per line: ``class``, ``expected`` (``allow`` or ``refuse``), a ``url``
or a redirect ``chain``, and ``answers``, for each name what its first, second, ...
look-up gives. A name without answers does not exist.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.policy.network import is_allowed_url, judge_redirects

Row = dict[str, Any]
DATASET = Path(__file__).with_name("urls.jsonl")


class Names:
    """A resolver that gives a row's answers and counts the look-ups."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        """Give the answer that is next for a name."""
        self.asked.append(host)
        rounds = self._answers.get(host)
        if rounds is None:
            raise OSError("no such name")
        return rounds[min(self.asked.count(host), len(rounds)) - 1]


@dataclass
class Score:
    """The errors of one class."""

    rows: int = 0
    escapes: int = 0
    over_blocks: int = 0
    look_ups: int = 0
    """Rows where a name was looked up more than once per hop."""

    @property
    def errors(self) -> int:
        """How many there are of all kinds."""
        return self.escapes + self.over_blocks + self.look_ups

    def __add__(self, other: Score) -> Score:
        return Score(
            self.rows + other.rows,
            self.escapes + other.escapes,
            self.over_blocks + other.over_blocks,
            self.look_ups + other.look_ups,
        )


def score_row(row: Row) -> Score:
    """Judge one row.

    Args:
        row: A line of the set.

    Returns:
        What is wrong with the judgement.
    """
    names = Names(row.get("answers", {}))
    if "chain" in row:
        allowed = judge_redirects(row["chain"], names).allowed
    else:
        allowed = is_allowed_url(row["url"], names)
    expected = row["expected"] == "allow"
    return Score(
        rows=1,
        escapes=allowed and not expected,
        over_blocks=expected and not allowed,
        look_ups=len(names.asked) > len(row.get("chain", [""])),
    )


def main(dataset: Path = DATASET) -> int:
    """Print the errors per class and the rows that are wrong.

    Args:
        dataset: The set, one JSON object per line.

    Returns:
        The exit status: 0 without errors, else 1.
    """
    scores: defaultdict[str, Score] = defaultdict(Score)
    wrong = []
    for line in dataset.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        score = score_row(row)
        scores[row["class"]] += score
        if score.errors:
            wrong.append(f"wrong: {line}\n")
    total = sum(scores.values(), Score())
    line_of = "{:28}{:>6}{:>9}{:>6}{:>10}\n".format
    sys.stdout.write(line_of("class", "rows", "escapes", "over", "look-ups"))
    for name, score in (*sorted(scores.items()), ("all", total)):
        numbers = (score.rows, score.escapes, score.over_blocks, score.look_ups)
        sys.stdout.write(line_of(name, *numbers))
    sys.stdout.writelines(wrong)
    return 1 if total.errors else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
