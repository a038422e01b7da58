"""What a call does, without its operands: what classes of calls are made of."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from letsbe.policy.paths import PathClass
from letsbe.policy.tiers import Tier


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a call does, without its operands.

    Args:
        does: The program with its subcommands, the action or the operation.
        tier: How much harm it can do.
        rules: Every rule that it met and that made it more than a read.
        flags: The flags; a class holds exactly these, as a flag that is left out can
            do more than one that is given (``--dry-run``).
        fixed: Words that have to be the same: what only the person who saw them can
            have judged.
        paths: The strictest class of its paths; ``None`` if it names none.
        top: Whether a path is an allowed folder, one of the system or a home itself,
            with all that is in it.
        external: Whether it reaches the outside.
        unfit: Why no class may hold it, if so.
    """

    does: str
    tier: Tier
    rules: frozenset[str]
    flags: frozenset[str] = frozenset()
    fixed: tuple[str, ...] = ()
    paths: PathClass | None = None
    top: bool = False
    external: bool = False
    unfit: str | None = None

    def covers(self, other: Step) -> bool:
        """Tell whether another step does nothing that this one does not."""
        return (
            self.unfit is None
            and other.unfit is None
            and other.does == self.does
            and other.tier <= self.tier
            and other.rules <= self.rules
            and other.flags == self.flags
            and other.fixed == self.fixed
            and _rank(other.paths) <= _rank(self.paths)
            and other.top <= self.top
            and other.external <= self.external
        )

    def text(self) -> str:
        """Say what it is, for a person."""
        words = [self.does, *sorted(self.flags)]
        parts = [" ".join(words)]
        if self.fixed:
            parts.append(f"with exactly {shlex.join(self.fixed)}")
        if self.paths is not None:
            parts.append(f"on {_PLACES[self.paths]}")
        if self.top:
            parts.append("whole workspaces, homes and system folders included")
        return " ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, to be read by :meth:`from_json`."""
        return {
            "does": self.does,
            "tier": self.tier.name,
            "rules": sorted(self.rules),
            "flags": sorted(self.flags),
            "fixed": list(self.fixed),
            "paths": None if self.paths is None else self.paths.name,
            "top": self.top,
            "external": self.external,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` gave."""
        paths = data["paths"]
        return cls(
            does=data["does"],
            tier=Tier[data["tier"]],
            rules=frozenset(data["rules"]),
            flags=frozenset(data["flags"]),
            fixed=tuple(data["fixed"]),
            paths=None if paths is None else PathClass[paths],
            top=data["top"],
            external=data["external"],
        )


def _rank(paths: PathClass | None) -> int:
    return -1 if paths is None else int(paths)


_PLACES = {
    PathClass.WORKSPACE: "paths in the workspace",
    PathClass.OTHER: "paths in the workspace, homes and temporary folders",
    PathClass.SYSTEM: "any path up to the system's own",
    PathClass.DEVICE: "any path up to devices",
    PathClass.SECRET: "any path, those that hold secrets included",
}
