"""Change kept lines at random and look for a broken promise of the classifier.

Run ``python tests/bypass/fuzz.py [SECONDS] [SEED]``. It starts from ``seeds.jsonl`` and
the rule tables' own examples; a line that meets a rule no line has met is kept and
changed further. What is found is printed; ``--keep`` adds the shortest line of each
new rule to the seeds.
"""

from __future__ import annotations

import json
import random
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from letsbe.policy.commands import CommandRefused, parse_line
from letsbe.policy.rules import EXAMPLE_PLACE, Judgement, RuleBook
from letsbe.policy.tiers import Tier
from letsbe_executor_shell.judging import TABLES

SEEDS = Path(__file__).with_name("seeds.jsonl")
SLOWEST = 0.25
"""Seconds of processor time that no line may take."""
_PIECES = (
    *(
        "'",
        '"',
        "\\",
        "$",
        "`",
        "|",
        "||",
        "&&",
        ";",
        "&",
        "<",
        ">",
        "2>&1",
        ">/dev/null",
    ),
    *(
        "*",
        "?",
        "[a]",
        "{}",
        "{a,b}",
        "~",
        "/",
        "..",
        "-",
        "--",
        "=",
        "+",
        "#",
        "!",
        "(",
        ")",
    ),
    *(
        " ",
        "\t",
        "\n",
        "\\\n",
        "\r",
        "\0",
        "\u200b",
        "\u00a0",
        "é",
        "0",
        "-o",
        "-e",
        "-x",
    ),
    *("/etc/shadow", ".env", "/dev/sda", "/", "rm", "sh", "-c", "--output=x", "--exec"),
    *(
        "xargs",
        "env",
        "find . -exec",
        "timeout 5",
        "SECRET_REF(a)",
        "http://127.0.0.1:8200/",
    ),
)


def seeds() -> list[str]:
    """Return the kept lines."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def judged(book: RuleBook, line: str) -> Judgement | None:
    """Judge a line; ``None`` if the grammar refuses it."""
    try:
        return book.judge(parse_line(line), EXAMPLE_PLACE)
    except CommandRefused:
        return None


def rules_met(book: RuleBook, line: str) -> frozenset[str]:
    """Return the names of all rules that a line meets."""
    try:
        parsed = parse_line(line)
    except CommandRefused as error:
        return frozenset({error.rule})
    return frozenset(match.rule for match in book.judge(parsed, EXAMPLE_PLACE).matches)


def broken(book: RuleBook, line: str) -> str | None:
    """Say which promise does not hold for a line, if any.

    Args:
        book: The rule tables.
        line: Any text.
    """
    start = time.thread_time()
    judgement = judged(book, line)
    if time.thread_time() - start > SLOWEST:
        return "takes too long"
    if judgement is None:
        return None
    stages = parse_line(line).stages
    if not any(word.glob or word.tilde for stage in stages for word in stage.words):
        requoted = judged_again(book, line)
        if requoted is not None and requoted.tier != judgement.tier:
            return "is judged otherwise when it is quoted"
    for form in ("{}\nrm x", "rm x; {}", "ls && {}", "{} # ls"):
        longer = judged(book, form.format(line))
        floor = Tier.RED if "rm" in form else judgement.tier
        if longer is not None and longer.tier < max(floor, judgement.tier):
            return f"is judged lower in {form!r}"
    return None


def judged_again(book: RuleBook, line: str) -> Judgement | None:
    """Judge a line of one plain command again, with every word quoted."""
    parsed = parse_line(line)
    stage = parsed.stages[0]
    if len(parsed.stages) > 1 or stage.stdin:
        return None
    return judged(book, shlex.join(stage.argv))


def changed(line: str, others: list[str], pick: random.Random) -> str:
    """Change a line a little: insert, delete, double, swap words, or join two."""
    for _ in range(pick.randint(1, 4)):
        place = pick.randrange(len(line) + 1)
        way = pick.randrange(6)
        if way <= 1:
            line = line[:place] + pick.choice(_PIECES) + line[place:]
        elif way == 2:
            line = line[:place] + line[place + pick.randint(1, 4) :]
        elif way == 3:
            line = line[:place] + pick.choice(others)[-pick.randint(1, 30) :]
        elif way == 4:
            words = line.split(" ")
            pick.shuffle(words)
            line = " ".join(words)
        else:
            line = f"{line} {pick.choice(_PIECES)} {pick.choice(others)}"
    return line[:500]


def fuzz(
    book: RuleBook, seconds: float, pick: random.Random
) -> Iterator[tuple[str, str | None]]:
    """Look for broken promises.

    Args:
        book: The rule tables.
        seconds: How long.
        pick: What chooses.

    Yields:
        Lines that meet a rule for the first time, with ``None``; lines that break a
        promise, with which.
    """
    lines = seeds()
    met = set().union(*(rules_met(book, line) for line in lines))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        line = changed(pick.choice(lines), lines, pick)
        problem = broken(book, line)
        if problem:
            yield line, problem
        new = rules_met(book, line) - met
        if new:
            met |= new
            lines.append(line)
            yield line, None


def main(arguments: list[str]) -> int:
    """Fuzz, print what is found, and keep what is new if asked to."""
    numbers = [text for text in arguments if not text.startswith("-")]
    seconds, seed = (*map(float, numbers), 10.0, 0.0)[:2]
    book = RuleBook.read([TABLES])
    found = list(fuzz(book, seconds, random.Random(seed)))
    if "--keep" in arguments:
        with SEEDS.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line, _ in found)
    problems = [f"{line!r} {problem}\n" for line, problem in found if problem]
    sys.stdout.writelines(problems)
    sys.stdout.write(
        f"{len(found) - len(problems)} new lines, {len(problems)} broken\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
