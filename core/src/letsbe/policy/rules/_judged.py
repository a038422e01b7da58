"""What the judgement of a command gives."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from letsbe.policy.commands import Word
from letsbe.policy.rules._arguments import Arguments
from letsbe.policy.rules._table import Table
from letsbe.policy.tiers import Tier

PROGRAM_FOLDERS = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
)
"""Where programs are looked for, in this order, and nowhere else."""


@dataclass(frozen=True, slots=True)
class Match:
    """One rule that a command meets.

    Args:
        tier: The tier it has at least because of it.
        rule: The rule, such as ``sort.write``.
        why: One sentence fragment for agent and person.
        span: The place in the line that the rule is about.
        alternative: What to do instead.
        external: Whether it reaches the outside.
        refused: Whether it is not run, whoever approves.
        command: The number of the command in the line, from 0.
    """

    tier: Tier
    rule: str
    why: str
    span: tuple[int, int]
    alternative: str | None = None
    external: bool = False
    refused: bool = False
    command: int = 0


@dataclass(slots=True)
class JudgedCommand:
    """A command with all that was found about it.

    Args:
        words: The words to run: hardened, ``~`` expanded; globs stand in words whose
            ``glob`` is set, and only where a path is due.
        matches: Every rule that it meets, its program's own first.
        hosts: The hosts it contacts; ``None`` if they cannot be known.
        environment: Variables that its hardening needs.
        classes: The operands that are paths, with their classes.
        table: The program's table; ``None`` for an unknown program.
        arguments: The words as read by the table.
    """

    words: list[Word]
    matches: list[Match] = field(default_factory=list)
    hosts: set[str] | None = field(default_factory=set)
    environment: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    table: Table | None = None
    arguments: Arguments | None = None


def program_name(word: str) -> str | None:
    """Return the name a program's table has; ``None`` for a path elsewhere."""
    if "/" not in word:
        return word
    folder, name = posixpath.split(word)
    return name if folder in PROGRAM_FOLDERS and name else None
