"""The tiers of file calls, by what they do and where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from letsbe.plugin import PathClass, Place, Site, Tier, path_class

# What a program reads there, it runs: as much a change of what runs as of a file.
_RUNS = re.compile(r"/\.git/(hooks|modules/.*/hooks)/|/\.git/config\Z", re.DOTALL)
_ENVIRONMENT = re.compile(r"(.*/)?(\.env(\..*)?|[^/]*\.env|\.envrc)", re.DOTALL)

NO_SECRETS = "to use a secret, name it as SECRET_REF(name) instead of reading it"


@dataclass(frozen=True, slots=True)
class Judgement:
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


class Judge:
    """Judges calls by the class of the path they end at.

    Args:
        site: Whose roots and forbidden paths count.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def kind(self, asked: str, place: Place) -> PathClass:
        """Return the class of a place, by its real path and by the name asked for."""
        cwd = str(self._site.roots[0]) if self._site.roots else "/"
        return max(self._class_of(asked, cwd), self._class_of(place.path, "/"))

    def look(self, place: Place) -> Judgement:
        """Judge a listing or a look at a file's status."""
        return Judgement(Tier.GREEN, "file.look", f"looks at {place.path}")

    def read(self, asked: str, place: Place) -> Judgement:
        """Judge a read of a file's content."""
        if self.kind(asked, place) is PathClass.SECRET:
            reason = f"reads {place.path}, which by its name holds secrets"
            return Judgement(Tier.YELLOW, "file.read_secret", reason, NO_SECRETS)
        return Judgement(Tier.GREEN, "file.read", f"reads {place.path}")

    def write(self, asked: str, place: Place, mode: str) -> Judgement:
        """Judge a write."""
        kind, verb = self.kind(asked, place), _verb(place, mode)
        if kind in {PathClass.SYSTEM, PathClass.DEVICE}:
            reason = f"{verb} {place.path}, a part of the system"
            return Judgement(Tier.RED, "file.write_system", reason)
        if kind is PathClass.SECRET and not _ENVIRONMENT.fullmatch(place.path):
            reason = f"{verb} {place.path}, which by its name holds secrets"
            return Judgement(Tier.RED, "file.write_secret", reason)
        if _RUNS.search(place.path):
            reason = f"{verb} {place.path}, from which git runs programs"
            return Judgement(Tier.RED, "file.write_runs", reason)
        return Judgement(Tier.YELLOW, f"file.{verb.split()[0]}", f"{verb} {place.path}")

    def _class_of(self, path: str, cwd: str) -> PathClass:
        site = self._site
        return path_class(
            path, cwd=cwd, roots=site.roots, forbidden=site.forbidden, literal=True
        )


def _verb(place: Place, mode: str) -> str:
    if place.status is None:
        return "creates"
    return {"append": "appends to"}.get(mode, "replaces")
