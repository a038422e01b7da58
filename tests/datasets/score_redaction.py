"""Score the layers that know no registered secret on ``redaction.jsonl``.

Run ``python tests/datasets/score_redaction.py [OTHER.jsonl]``; it exits with 1 if a
target is missed. One row per line: ``category`` and ``text``, a recipe as the patterns
layer's examples are (``{base62:36}`` is 36 characters drawn from the row itself, and
what must go stands in guillemets). Each row is scored three times: as it is, as the
content of a chat request, and once more inside a string of JSON.

The rows came in batches, each scored before anything was mended on it. Macro recall and
keep at first sight: 78 and 98.3 %; 85.2 and 96.7 %; 90.9 and 93.0 %; 85.4 and 97.9 %
(these two kept their labels' mistakes, and the second was written to be harder); 97.4
and 97.2 % as labelled, 97.8 and 99.0 % without ten labels that were wrong; 95.2 and
97.8 % as labelled, 96.6 and 98.0 % without sixteen wrong ones ("fresh"); 86.4 and
98.4 % as labelled, 89.1 and 100 % without ten wrong ones ("blind": no column of a table
went, and few values in percent escapes).
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from letsbe.redaction.pipeline import Pipeline
from letsbe_redactor_entropy.layer import EntropyLayer
from letsbe_redactor_jsonkeys.engines import best_stems
from letsbe_redactor_jsonkeys.layer import JsonKeyLayer
from letsbe_redactor_patterns.engines import best_scanner
from letsbe_redactor_patterns.examples import expand
from letsbe_redactor_patterns.layer import PatternLayer
from letsbe_redactor_patterns.rules import load_rules

DATASET = Path(__file__).with_name("redaction.jsonl")
RECALL, KEEP = 0.90, 0.99
FRAGMENT = 10
"""A value counts as gone if no stretch of this many of its characters is left."""


def layers() -> Pipeline:
    """Make the pipeline of the three layers."""
    rules = load_rules()
    patterns = PatternLayer(rules, best_scanner(rules))
    return Pipeline([patterns, EntropyLayer(), JsonKeyLayer(best_stems())])


@dataclass
class Score:
    """What came of one category's rows."""

    rows: int = 0
    values: int = 0
    gone: int = 0
    kept: int = 0
    """Rows of which nothing but the values went."""
    broken: int = 0
    """Rows that were valid JSON and are none now."""
    unstable: int = 0
    """Rows that change when they are redacted again."""

    def __add__(self, other: Score) -> Score:
        return Score(
            self.rows + other.rows,
            self.values + other.values,
            self.gone + other.gone,
            self.kept + other.kept,
            self.broken + other.broken,
            self.unstable + other.unstable,
        )

    @property
    def recall(self) -> float:
        """The share of the values that are gone."""
        return self.gone / self.values if self.values else 1.0

    @property
    def keep(self) -> float:
        """The share of the rows of which nothing else went."""
        return self.kept / self.rows


def frames(text: str) -> Iterator[str]:
    """Yield a marked text as it is, in a chat request, and one level deeper."""
    yield text
    body = {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": text}]}
    yield json.dumps(body, ensure_ascii=False)
    arguments = json.dumps({"path": "a.txt", "content": text}, ensure_ascii=False)
    yield json.dumps({"arguments": arguments}, ensure_ascii=False)


def score_text(pipeline: Pipeline, marked: str) -> Score:
    """Redact one text and compare.

    Args:
        pipeline: The layers.
        marked: The text, with what must go in guillemets.
    """
    values = re.findall("«(.*?)»", marked, re.DOTALL)
    stays = re.split("«.*?»", marked, flags=re.DOTALL)
    text = marked.replace("«", "").replace("»", "").encode()
    redacted = pipeline.redact(text)
    output = redacted.decode()
    between = ".+".join(re.escape(part) for part in stays)
    return Score(
        rows=1,
        values=len(values),
        gone=sum(not _is_left(value, output) for value in values),
        kept=re.fullmatch(between, output, re.DOTALL) is not None,
        broken=_is_json(text) and not _is_json(redacted),
        unstable=pipeline.redact(redacted) != redacted,
    )


def _is_left(value: str, output: str) -> bool:
    size = min(FRAGMENT, len(value))
    return any(value[i : i + size] in output for i in range(len(value) - size + 1))


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def main(dataset: Path = DATASET) -> int:
    """Print the score per category, the rows that are wrong, and the averages.

    Args:
        dataset: The set, one JSON object per line.

    Returns:
        The exit status: 0 if every target is met, else 1.
    """
    pipeline = layers()
    scores: defaultdict[str, Score] = defaultdict(Score)
    wrong = []
    for line in dataset.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for frame, text in enumerate(frames(expand(row["text"]))):
            score = score_text(pipeline, text)
            scores[row["category"]] += score
            fine = score.gone == score.values and score.kept
            if not fine or score.broken or score.unstable:
                wrong.append(f"wrong in frame {frame}: {line}\n")
    return _report(scores, wrong)


def _report(scores: dict[str, Score], wrong: list[str]) -> int:
    secrets = [score for score in scores.values() if score.values]
    recall = sum(score.recall for score in secrets) / max(len(secrets), 1)
    keep = sum(score.keep for score in scores.values()) / len(scores)
    total = sum(scores.values(), Score())
    line_of = "{:36}{:>6}{:>8}{:>8}{:>8}{:>10}\n".format
    sys.stdout.write(
        line_of("category", "rows", "recall", "keep", "broken", "unstable")
    )
    for name, score in (*sorted(scores.items()), ("all", total)):
        recalled = f"{score.recall:.3f}" if score.values else "-"
        kept = f"{score.keep:.3f}"
        row = line_of(name, score.rows, recalled, kept, score.broken, score.unstable)
        sys.stdout.write(row)
    sys.stdout.write(f"macro recall {recall:.4f}\nmacro keep {keep:.4f}\n")
    sys.stdout.writelines(wrong)
    met = recall >= RECALL and keep >= KEEP
    return 0 if met and not total.broken and not total.unstable else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
