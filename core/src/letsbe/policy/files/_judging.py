"""The tiers of what is done with files, by what it is and where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from letsbe.policy.files._place import Place
from letsbe.policy.paths import PathClass, path_class
from letsbe.policy.tiers import Tier

# What a program reads there, it runs: as much a change of what runs as of a file.
_RUNS = re.compile(r"/\.git/(hooks|modules/.*/hooks)/|/\.git/config\Z", re.DOTALL)
_ENVIRONMENT = re.compile(r"(.*/)?(\.env(\..*)?|[^/]*\.env|\.envrc)", re.DOTALL)

NO_SECRETS = "to use a secret, name it as SECRET_REF(name) instead of reading it"


@dataclass(frozen=True, slots=True)
class FileJudgement:
    """What one rule says.

    Args:
        tier: The tier.
        rule: The rule's name.
        reason: What it found, in one sentence.
        alternative: What to do instead, if there is something.
    """

    tier: Tier
    rule: str
    reason: str
    alternative: str | None = None


class FileJudge:
    """Judges what is done with files by the class of the path it ends at.

    Args:
        roots: The allowed folders; relative paths begin in the first.
        forbidden: What is closed inside them.
    """

    def __init__(self, roots: Sequence[Path], forbidden: Sequence[Path]) -> None:
        self._roots = roots
        self._forbidden = forbidden

    def kind(self, asked: str, place: Place) -> PathClass:
        """Return the class of a place, by its real path and by the name asked for."""
        cwd = str(self._roots[0]) if self._roots else "/"
        return max(self._class_of(asked, cwd), self._class_of(place.path, "/"))

    def look(self, place: Place) -> FileJudgement:
        """Judge a listing or a look at a file's status."""
        return FileJudgement(Tier.GREEN, "file.look", f"looks at {place.path}")

    def read(self, asked: str, place: Place) -> FileJudgement:
        """Judge a read of a file's content."""
        if self.kind(asked, place) is PathClass.SECRET:
            reason = f"reads {place.path}, which by its name holds secrets"
            return FileJudgement(Tier.YELLOW, "file.read_secret", reason, NO_SECRETS)
        return FileJudgement(Tier.GREEN, "file.read", f"reads {place.path}")

    def send(self, asked: str, place: Place, to: str) -> FileJudgement:
        """Judge handing a file's content, as it is, to a tool.

        Args:
            asked: The path as it was given.
            place: Where it ends.
            to: The tool.
        """
        if self.kind(asked, place) is PathClass.SECRET:
            reason = f"sends {place.path}, which by its name holds secrets, to {to}"
            return FileJudgement(Tier.RED, "file.send_secret", reason)
        return FileJudgement(Tier.GREEN, "file.send", f"sends {place.path} to {to}")

    def write(self, asked: str, place: Place, mode: str) -> FileJudgement:
        """Judge a write."""
        kind, verb = self.kind(asked, place), _verb(place, mode)
        if kind in {PathClass.SYSTEM, PathClass.DEVICE}:
            reason = f"{verb} {place.path}, a part of the system"
            return FileJudgement(Tier.RED, "file.write_system", reason)
        if kind is PathClass.SECRET and not _ENVIRONMENT.fullmatch(place.path):
            reason = f"{verb} {place.path}, which by its name holds secrets"
            return FileJudgement(Tier.RED, "file.write_secret", reason)
        if _RUNS.search(place.path):
            reason = f"{verb} {place.path}, from which git runs programs"
            return FileJudgement(Tier.RED, "file.write_runs", reason)
        reason = f"{verb} {place.path}"
        return FileJudgement(Tier.YELLOW, f"file.{verb.split()[0]}", reason)

    def _class_of(self, path: str, cwd: str) -> PathClass:
        return path_class(
            path, cwd=cwd, roots=self._roots, forbidden=self._forbidden, literal=True
        )


def _verb(place: Place, mode: str) -> str:
    if place.status is None:
        return "creates"
    return {"append": "appends to"}.get(mode, "replaces")
