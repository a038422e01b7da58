"""Finds the long runs of token characters in a text, at a few bytes a nanosecond.

The text is translated into two characters, and the interpreter's own search finds
where the least length stands in a row. Regular expressions take ten times as long, and
a search with Hyperscan twice, as it calls back for each run.
"""

from __future__ import annotations

from itertools import accumulate, compress, count
from operator import add, sub
from typing import TypeAlias

LEAST = 32
"""The least length of a secret that entropy alone can tell, in characters."""

CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
"""What a run is made of."""

Run: TypeAlias = tuple[int, int]
"""Where a run begins, and where it ends."""

_CLASSES = bytes(0x61 if byte in CHARACTERS else 0x20 for byte in range(256))
_NEEDLE = b"a" * LEAST
_ESCAPED_LETTERS = b"nrtbfv0/"
_BACKSLASH = 0x5C
# Where so many runs stand with so few bytes for each, the text is better split.
_MANY, _NEAR = 64, 128


def long_runs(text: bytes) -> list[Run]:
    """Tell where the runs of at least :data:`LEAST` characters stand, in order.

    The last letters of an escape, such as a line break's in JSON, belong to the escape
    and not to the run behind it.

    Args:
        text: Any text.
    """
    runs = _runs(text.translate(_CLASSES))
    if not runs or b"\\" not in text:
        return runs
    return [
        (start, end)
        if not start or text[start - 1] != _BACKSLASH
        else (start + _escape_length(text, start), end)
        for start, end in runs
    ]


def _runs(classed: bytes) -> list[Run]:
    found: list[Run] = []
    position = classed.find(_NEEDLE)
    while position >= 0:
        end = classed.find(b" ", position)
        end = len(classed) if end < 0 else end
        found.append((position, end))
        if len(found) % _MANY == 0 and position < len(found) * _NEAR:
            return found + _split(classed, end + 1)
        position = classed.find(_NEEDLE, end)
    return found


def _split(classed: bytes, begin: int) -> list[Run]:
    """Find the runs from an offset on, all at once."""
    lengths = list(map(len, classed[begin:].split(b" ")))
    ends = list(map(add, accumulate(lengths), count(begin)))
    starts = map(sub, ends, lengths)
    return list(compress(zip(starts, ends, strict=True), map(LEAST.__le__, lengths)))


def _escape_length(text: bytes, start: int) -> int:
    """Return how many of the first bytes after a backslash belong to its escape."""
    if text[start] in _ESCAPED_LETTERS:
        return 1
    return {b"u": 5, b"x": 3}.get(text[start : start + 1], 0)
