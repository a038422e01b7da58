"""Additions to the classification: tools that are stricter here than elsewhere.

They come from the Hub, or from whoever keeps the home folder. They only ever raise a
tier: whatever a plugin says, the strictest counts. A document that cannot be read
stops every call, as it may have said of any that it is more than it seems.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from letsbe.errors import StorageError
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict
from letsbe.storage.documents import open_document

_TABLE = "rules"


class Addition(BaseModel):
    """One rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tool: Annotated[str, Field(min_length=1, max_length=129)]
    """A tool's name; with ``*`` at its end, every tool whose name begins so."""
    tier: Literal["YELLOW", "YELLOW_EXTERNAL", "RED", "CRITICAL_RED"]
    external: bool = False
    reason: Annotated[str, Field(min_length=1, max_length=200)]

    def matches(self, tool: str) -> bool:
        """Say whether it is about a tool."""
        if self.tool.endswith("*"):
            return tool.startswith(self.tool[:-1])
        return tool == self.tool

    def verdict(self) -> Verdict:
        """Return it as an opinion of a call."""
        return Verdict(
            tier=Tier[self.tier],
            rule=f"addition.{self.tool}",
            reason=self.reason,
            external=self.external,
        )


class Additions:
    """The rules of a tenant, read again whenever the document changes.

    Args:
        path: The document, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._rules: tuple[Addition, ...] = ()

    def of(self, tool: str) -> list[Verdict]:
        """Return what the rules say of a tool.

        Raises:
            StorageError: The document cannot be read.
        """
        stamp = self._look()
        if stamp != self._stamp:
            self._rules = self._read() if stamp else ()
            self._stamp = stamp
        return [rule.verdict() for rule in self._rules if rule.matches(tool)]

    def replace(self, rules: list[Addition]) -> None:
        """Write all rules anew."""
        rows: dict[str, Any] = {
            str(number): rule.model_dump() for number, rule in enumerate(rules, start=1)
        }
        with open_document(self._path) as document:
            document.storage.write({_TABLE: rows})

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError:
            raise StorageError(f"{self._path} cannot be read") from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> tuple[Addition, ...]:
        with open_document(self._path) as document:
            rows = document.table(_TABLE).all()
        try:
            return tuple(Addition.model_validate(dict(row)) for row in rows)
        except ValidationError:
            message = f"{self._path} has an entry that is no rule: mend or remove it"
            raise StorageError(message) from None
