"""Score the registry layer on registered values in disguise, ``registered.jsonl``.

Run ``python tests/datasets/score_registered.py [OTHER.jsonl]``; it exits with 1 if a
target is missed. One row per line: ``category`` and ``text``, with what must go in
guillemets. A row without them looks like a disguise and is none. Each row is scored as
it is and as the content of a chat request, the latter with and without escapes.

The rows came in two batches, each written before any of it was looked at. At first
sight 81.8 % of the forms in ``NAMED`` went and 69.9 % of all; of the second batch,
which was written to be harder, 72.8 and 53.1 %. Every row that looks like one stayed.
Then forms, contexts and 13 values were drawn at random, 1,700 texts a draw: 71.8 % of
what is named went at first sight (few passwords of words and short tokens did), 90.6 %
of another draw afterwards. Some of the drawn rows are kept here ("drawn").
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from letsbe.redaction.pipeline import Pipeline
from letsbe.testing import FakeSecrets
from letsbe_redactor_registry.layer import RegistryLayer

DATASET = Path(__file__).with_name("registered.jsonl")
RECALL, KEEP = 0.85, 0.99
NAMED = ("case", "zero width", "wrap", "nfkc", "nfd", "split")
"""What the target is for. The further forms show what else may come."""
FRAGMENT = 10
"""A value counts as gone if no stretch of so many of its letters and digits is left."""

VALUES = {
    "deploy_token": "kV7pQ2xW9zRt4LmN8bYc3HsJ6dFg5TaE1uKo",
    "db_password": "Tr0ub4dor&3-xK9!mQ7z",
    "aws_key": "wJq8rXUtnFEMI/K7MDENG+bPxRfiCYzKm3vAhLd5",
    "stripe": "sk_live_51NxTqL2eZvKYlo2CwB8rGh4",
    "hexkey": "9f86d081e84c7d659a2feaa0c55ad015a3bf4f1b",
    "passphrase": "amber-Falcon7-quiet-Ladder42-moss",
    "short_pass": "hR7kq2ZpWv9t",
    "b64key": "Zm9vYmFyQmF6UXV4MTIzNDU2Nzg5MGFiY2Rl",
    "unicode_pass": "Grüße-an-Zoë-2k7Qx9",
    "mixed_sym": "p@55;W0rd%Gx{7}Lq#2m",
    "strong_pass": "Sommer!KLzdocJ#4",
    "short_token": "xy9L26tnsz",
}
"""What is registered; none of it opens anything."""


def frames(text: str) -> Iterator[str]:
    """Yield a marked text as it is, and in a chat request."""
    yield text
    body = {"messages": [{"role": "user", "content": text}]}
    yield json.dumps(body, ensure_ascii=False)
    yield json.dumps(body).replace("\\u00ab", "«").replace("\\u00bb", "»")


def is_right(pipeline: Pipeline, marked: str) -> bool:
    """Say whether what must go is gone, and nothing else.

    Args:
        pipeline: The registry layer.
        marked: The text, with what must go in guillemets.
    """
    values = re.findall("«(.*?)»", marked, re.DOTALL)
    text = marked.replace("«", "").replace("»", "").encode()
    output = pipeline.redact(text).decode()
    if not values:
        return output.encode() == text
    stays = re.split("«.*?»", marked, flags=re.DOTALL)
    # What stands right before and after may be the disguise's own, as a space is.
    between = ".+".join(re.escape(part.strip()) for part in stays)
    kept = re.search(between, output, re.DOTALL) is not None
    left = letters(re.sub(r"SECRET_REF\(\w+\)", " ", output))
    return kept and not any(_is_left(letters(value), left) for value in values)


def letters(text: str) -> str:
    """Return a text's letters and digits, whatever they look like."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in plain if character.isalnum())


def _is_left(value: str, output: str) -> bool:
    size = min(FRAGMENT, len(value))
    return any(value[i : i + size] in output for i in range(len(value) - size + 1))


def main(dataset: Path = DATASET) -> int:
    """Print the share that is right per category, and the rows that are wrong.

    Args:
        dataset: The set, one JSON object per line.

    Returns:
        The exit status: 0 if both targets are met, else 1.
    """
    pipeline = Pipeline([RegistryLayer(FakeSecrets(VALUES))])
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for line in dataset.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for number, text in enumerate(frames(row["text"])):
            right[row["category"]].append(is_right(pipeline, text))
            if not right[row["category"]][-1]:
                sys.stdout.write(f"wrong in frame {number}: {line}\n")
    kept = [each for name in right if name.startswith("keep") for each in right[name]]
    shares = {
        name: sum(each) / len(each)
        for name, each in right.items()
        if not name.startswith("keep")
    }
    named = [share for name, share in shares.items() if name.split(":")[0] in NAMED]
    recall, keep = sum(named) / len(named), sum(kept) / len(kept)
    overall = sum(shares.values()) / len(shares)
    sys.stdout.write(f"macro recall {recall:.4f}\nwith further forms {overall:.4f}\n")
    sys.stdout.write(f"keep {keep:.4f}\n")
    return 0 if recall >= RECALL and keep >= KEEP else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
