"""What the judgement of a command depends on besides its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from letsbe.policy.tiers import Tier


@dataclass(frozen=True, slots=True)
class Where:
    """The place that a command would run in.

    Args:
        cwd: The absolute folder that relative paths start from.
        home: What an unquoted ``~`` stands for.
        roots: The allowed folders.
        forbidden: Paths closed to agents.
        closed_ports: Loopback ports closed to agents.
    """

    cwd: str
    home: str
    roots: Sequence[Path] = ()
    forbidden: Sequence[Path] = ()
    closed_ports: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Effect:
    """What one word of a command does.

    Args:
        tier: How much harm that is.
        name: The last part of the rule's name: ``write.system``.
        why: One sentence fragment.
        external: Whether it reaches the outside.
        refused: Whether it is not run, whoever approves.
        hosts: The hosts it contacts; ``None`` if they cannot be known.
    """

    tier: Tier
    name: str
    why: str
    external: bool = False
    refused: bool = False
    hosts: tuple[str, ...] | None = ()
