"""What each program of a line may do: by its own tier, and by what its name needs."""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.plugin import Access, Grant, JudgedStage, Judgement, Match, Tier

NEEDS = Path(__file__).with_name("needs.toml")
"""The list of what programs need."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What programs need beyond what their tier lets them do.

    Args:
        wrappers: Programs that start another one, whose needs they share.
        grants: What a program is given, by its name.
        grants_to_change: What it is given from YELLOW on.
        writable: Paths that it may write whatever its tier.
        writable_to_change: Paths that it may write from YELLOW on.
    """

    wrappers: frozenset[str]
    grants: Mapping[str, frozenset[Grant]]
    grants_to_change: Mapping[str, frozenset[Grant]]
    writable: Mapping[str, tuple[str, ...]]
    writable_to_change: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path, home: str) -> Needs:
        """Read the list.

        Args:
            path: The file.
            home: What ``~`` stands for.

        Raises:
            ValueError: A grant is unknown.
        """
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            wrappers=frozenset(data["wrappers"].split()),
            grants=_grants(data["grants"]),
            grants_to_change=_grants(data["grants_to_change"]),
            writable=_paths(data["writable"], home),
            writable_to_change=_paths(data["writable_to_change"], home),
        )

    def access_of(self, judgement: Judgement) -> Callable[[int, JudgedStage], Access]:
        """Return what tells the access of each command of a judged line.

        Args:
            judgement: The judgement; a hook that raised the tier of the call as a whole
                does not let its programs do more.
        """
        by_command: dict[int, list[Match]] = {}
        for match in judgement.matches:
            by_command.setdefault(match.command, []).append(match)
        contacts = judgement.hosts is None or len(judgement.hosts) > 0

        def access(number: int, stage: JudgedStage) -> Access:
            matches = by_command.get(number, [])
            tier = max((match.tier for match in matches), default=Tier.GREEN)
            external = any(match.external for match in matches)
            return self._access(tier, stage.argv, network=contacts or external)

        return access

    def _access(self, tier: Tier, argv: Iterable[str], *, network: bool) -> Access:
        names = list(self._programs(argv))
        grants: frozenset[Grant] = frozenset()
        paths: list[str] = []
        for name in names:
            grants |= self.grants.get(name, frozenset())
            paths += self.writable.get(name, ())
            if tier > Tier.GREEN:
                grants |= self.grants_to_change.get(name, frozenset())
                paths += self.writable_to_change.get(name, ())
        return Access(tier, network, grants, tuple(paths))

    def _programs(self, argv: Iterable[str]) -> Iterable[str]:
        """Return the names of the program and, if it wraps others, of those."""
        names = [posixpath.basename(word) for word in argv]
        if names[0] not in self.wrappers:
            return names[:1]
        return names


def _grants(table: Mapping[str, str]) -> dict[str, frozenset[Grant]]:
    given: dict[str, set[Grant]] = {}
    for grant, programs in table.items():
        for program in programs.split():
            given.setdefault(program, set()).add(Grant(grant))
    return {program: frozenset(grants) for program, grants in given.items()}


def _paths(table: Mapping[str, Any], home: str) -> dict[str, tuple[str, ...]]:
    return {
        program: tuple(home + p[1:] if p.startswith("~") else p for p in paths)
        for program, paths in table.items()
    }
