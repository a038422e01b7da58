"""What a redaction layer reports: where a secret stands, never what it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Finding:
    """One stretch of bytes to take out.

    Args:
        start: The first byte's offset.
        end: The offset after the last byte.
        kind: What it is, such as ``registered`` or ``github_token``.
        name: The registered secret's name, if it is one; it becomes
            ``SECRET_REF(name)``, all else ``[REDACTED:kind]``.
        rule: The layer's rule that found it.
    """

    start: int
    end: int
    kind: str
    name: str | None = None
    rule: str = ""


@runtime_checkable
class RedactionLayer(Protocol):
    """One way of finding secrets in text."""

    name: str
    """The layer's name, unique among the active layers."""
    order: int
    """Its place in the pipeline; lower runs first, and wins where spans overlap."""

    def find(self, text: bytes) -> Iterable[Finding]:
        """Find what must not be seen.

        Args:
            text: UTF-8, or bytes of unknown encoding. Never changed.

        Returns:
            Findings in any order; they may overlap.

        Raises:
            Exception: Whatever is raised withholds the whole text.
        """
        ...
