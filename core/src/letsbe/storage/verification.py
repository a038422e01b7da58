"""Walking a chain of rows: what is broken, missing, cut off or never finished."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

Anchor = tuple[int, str]
"""A row's number and hash, kept where the log's own machine cannot change them."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking an audit log gave.

    Args:
        rows: How many rows there are.
        head: The last row's number and hash.
        broken_seq: The first row that is not as it was written.
        broken_why: What is wrong with it.
        gaps: Ranges of missing numbers, first and last of each.
        open_intents: Intents without an outcome: calls that run right now, or were
            running when the process died.
        anchored: The number of the last row that an anchor vouches for, 0 if none
            was given or it does not fit.
        anchor_why: Why the anchor does not fit.
    """

    rows: int
    head: Anchor | None
    broken_seq: int | None
    broken_why: str | None
    gaps: tuple[tuple[int, int], ...]
    open_intents: tuple[int, ...]
    anchored: int
    anchor_why: str | None

    @property
    def ok(self) -> bool:
        """Whether nothing was changed, added, moved or taken away."""
        return self.broken_seq is None and not self.gaps and self.anchor_why is None

    @property
    def anchored_open_intents(self) -> tuple[int, ...]:
        """Which of the open intents an anchor vouches for: they are no late forgery."""
        return tuple(seq for seq in self.open_intents if seq <= self.anchored)

    @property
    def unanchored(self) -> int:
        """How many rows at the end only the key vouches for."""
        return (self.head[0] if self.head else 0) - self.anchored


class Chain:
    """Takes rows in order and remembers what does not fit.

    Args:
        first: The previous hash that the first row must have.
        anchor: A head that was kept elsewhere.
    """

    def __init__(self, first: str, anchor: Anchor | None) -> None:
        self._anchor = anchor
        self._head: Anchor = (0, first)
        self._rows = 0
        self._broken: tuple[int, str] | None = None
        self._gaps: list[tuple[int, int]] = []
        self._open: dict[int, None] = {}
        self._at_anchor: str | None = None

    def add(
        self,
        *,
        seq: int,
        kind: str,
        intent_seq: int | None,
        previous: str,
        stored: str,
        right: str,
    ) -> None:
        """Take the next row.

        Args:
            seq: Its number.
            kind: Its kind.
            intent_seq: The intent that it is the outcome of.
            previous: The previous hash that it names.
            stored: The hash that it has.
            right: The hash that it must have.
        """
        last, last_hash = self._head
        if seq != last + 1:
            self._gaps.append((last + 1, seq - 1))
        if self._broken is None:
            why = _fault(seq, last, previous, last_hash, stored, right)
            self._broken = (seq, why) if why else None
        if kind == "intent":
            self._open[seq] = None
        elif kind == "outcome" and intent_seq is not None:
            self._open.pop(intent_seq, None)
        if self._anchor is not None and seq == self._anchor[0]:
            self._at_anchor = stored
        self._head = (seq, stored)
        self._rows += 1

    def result(self) -> Verification:
        """Return what was found."""
        anchored, anchor_why = self._judge_anchor()
        return Verification(
            rows=self._rows,
            head=self._head if self._rows else None,
            broken_seq=self._broken[0] if self._broken else None,
            broken_why=self._broken[1] if self._broken else None,
            gaps=tuple(self._gaps),
            open_intents=tuple(self._open),
            anchored=anchored,
            anchor_why=anchor_why,
        )

    def _judge_anchor(self) -> tuple[int, str | None]:
        if self._anchor is None:
            return 0, None
        seq, expected = self._anchor
        last = self._head[0]
        if last < seq:
            return 0, f"the log ends at row {last}, but row {seq} was seen elsewhere"
        if self._at_anchor is None:
            return 0, f"row {seq}, which was seen elsewhere, is missing"
        if not hmac.compare_digest(self._at_anchor.encode(), expected.encode()):
            return 0, f"row {seq} is not the one that was seen elsewhere"
        return seq, None


def _fault(
    seq: int, last: int, previous: str, last_hash: str, stored: str, right: str
) -> str | None:
    if not hmac.compare_digest(str(stored).encode(), right.encode()):
        return "its content does not match its hash, or it was made with another key"
    if seq != last + 1:
        return "the row before it is missing"
    if previous != last_hash:
        return "it does not follow the row before it"
    return None
