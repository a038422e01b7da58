"""Finds the long runs of token characters in a text, at a few bytes a nanosecond.

The text is translated into two characters, and the interpreter's own search finds
where the least length stands in a row. Regular expressions take ten times as long, and
a search with Hyperscan twice, as it calls back for each run.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress, count, repeat
from operator import sub
from typing import NamedTuple

LEAST = 32
"""The least length of a secret that entropy alone can tell, in characters."""

CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
"""What a run is made of."""

_CLASSES = bytes(0x61 if byte in CHARACTERS else 0x20 for byte in range(256))
_NEEDLE = b"a" * LEAST
_ESCAPED_LETTERS = b"nrtbfv0/"
_BACKSLASH = 0x5C
_NOTHING_BEFORE = b"\0"


class Runs(NamedTuple):
    """Stretches of a text, as columns: a dense text has tens of thousands.

    Args:
        starts: The first bytes' offsets, rising.
        ends: The offsets after the last bytes.
    """

    starts: list[int]
    ends: list[int]

    def lengths(self) -> list[int]:
        """Return how many bytes each takes."""
        return list(map(sub, self.ends, self.starts))

    def cut_from(self, text: bytes) -> list[bytes]:
        """Return the bytes of each."""
        return list(map(text.__getitem__, map(slice, self.starts, self.ends)))

    def kept(self, which: Iterable[object]) -> Runs:
        """Return those for which something is true."""
        which = list(which)
        if all(which):
            return self
        starts, ends = (list(compress(column, which)) for column in self)
        return Runs(starts, ends)


def long_runs(text: bytes) -> Runs:
    """Tell where the runs of at least :data:`LEAST` characters stand, in order.

    The last letters of an escape, such as a line break's in JSON, belong to the escape
    and not to the run behind it; so a run may be a little shorter.

    Args:
        text: Any text.
    """
    runs = _runs(text.translate(_CLASSES))
    if not runs.starts or b"\\" not in text:
        return runs
    starts = runs.starts
    before = _before(text, starts)
    if _BACKSLASH in before:
        for place in compress(count(), map(_BACKSLASH.__eq__, before)):
            starts[place] += _escape_length(text, starts[place])
    return runs


def _before(text: bytes, starts: list[int]) -> bytes:
    """Return the byte before each run."""
    if starts[0]:
        return bytes(map(text.__getitem__, map(sub, starts, repeat(1))))
    rest = map(text.__getitem__, map(sub, starts[1:], repeat(1)))
    return _NOTHING_BEFORE + bytes(rest)


def _runs(classed: bytes) -> Runs:
    starts: list[int] = []
    ends: list[int] = []
    find, size = classed.find, len(classed)
    position = find(_NEEDLE)
    while position >= 0:
        end = find(b" ", position + LEAST)
        if end < 0:
            end = size
        starts.append(position)
        ends.append(end)
        position = find(_NEEDLE, end)
    return Runs(starts, ends)


def _escape_length(text: bytes, start: int) -> int:
    """Return how many of the first bytes after a backslash belong to its escape."""
    if text[start] in _ESCAPED_LETTERS:
        return 1
    return {b"u": 5, b"x": 3}.get(text[start : start + 1], 0)
