"""The second pass: values in disguise, where a text shows signs of one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from letsbe_redactor_registry.disguises import groups_of, hints_of
from letsbe_redactor_registry.engines import Engine
from letsbe_redactor_registry.index import View
from letsbe_redactor_registry.part import Hits, What
from letsbe_redactor_registry.reduced import Reduced, joined
from letsbe_redactor_registry.signs import LONGEST, Signs, plain_signs, signs_for
from letsbe_redactor_registry.unescaping import readings

REACH = 4096
"""A value in disguise that takes more bytes is not looked for."""

_CHUNK = 4096
_AT_ONCE = 8
_ASKED_OFTEN = 3
# Where none of these is, a value is not broken into pieces that are long.
_BREAKS = (b'"', b"'", b"\\", b"\n", b"\r")


def find_hidden(
    text: bytes, hits: Hits[What], loose: Sequence[int], view: View
) -> Iterator[tuple[int, int, What]]:
    """Find values in disguise outside of what was found.

    Args:
        text: The text.
        hits: What was found before.
        loose: Offsets after hints, for an engine that finds them in one pass.
        view: What is searched for.

    Yields:
        First offset, offset after the last, and what it is.
    """
    if not view.reduced:
        return
    masked = _Masked(text, hits)
    for start, end in _stretches(masked, sorted(loose), view):
        piece = masked.piece(start, end)
        for low, high, read in _readings_of(piece):
            for first, last, what in _found(Reduced(piece[low:high], read), view):
                yield start + low + first, start + low + last, what


def _readings_of(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give a text as it is, and what reads otherwise with what a value may reach."""
    size = len(text)
    whole = joined(text)
    yield 0, size, whole
    for read in readings(whole):
        places = range(0, size, REACH)
        changed = [n for n in places if read[n : n + REACH] != whole[n : n + REACH]]
        # A piece with what is around it counts once for all that have changed near it.
        for low, high in _rows(changed, REACH, size):
            yield low, high, read[low:high]


def _found(reduced: Reduced, view: View) -> Iterator[tuple[int, int, What]]:
    for part in view.reduced:
        found = part.find(reduced.letters, view.gone)
        for first, last, (what, value) in zip(*found, strict=True):
            pieces = reduced.place(first, last, value, what[2])
            for a, b in pieces if _shown(reduced, pieces, value) else ():
                yield a, b, what


class _Masked:
    """A text in which what was found is overwritten, where somebody looks at it."""

    def __init__(self, text: bytes, hits: Hits[What]) -> None:
        self.plain = text
        self._hits = hits
        self._asked = 0
        self._whole = text if not hits.starts else None

    def piece(self, start: int, end: int) -> bytes:
        """Return a stretch of the text without what was found."""
        if self._whole is None and self._asked < _ASKED_OFTEN:
            self._asked += 1
            return self._cover(start, end)
        if self._whole is None:
            self._whole = self._cover(0, len(self.plain))
        return self._whole[start:end]

    def _cover(self, start: int, end: int) -> bytes:
        piece = bytearray(self.plain[start:end])
        nothing = bytes(len(piece))
        for first, last in zip(self._hits.starts, self._hits.ends, strict=True):
            if first < end and last > start:
                low, high = max(first - start, 0), min(last - start, len(piece))
                piece[low:high] = nothing[: high - low]
        return bytes(piece)


def _stretches(
    masked: _Masked, loose: Sequence[int], view: View
) -> Iterator[tuple[int, int]]:
    """Give the stretches that show a sign, with what a value may reach beyond them."""
    chunks = [number * _CHUNK for number in sorted(_suspects(masked, loose, view))]
    return _rows(chunks, _CHUNK, len(masked.plain))


def _rows(places: Sequence[int], length: int, size: int) -> Iterator[tuple[int, int]]:
    """Join stretches that a value may reach over, with what it may reach beyond."""
    start = end = -1
    for place in places:
        if place - REACH > end >= 0:
            yield start, end
            start = -1
        start = max(place - REACH, 0) if start < 0 else start
        end = min(place + length + REACH, size)
    if end >= 0:
        yield start, end


def _suspects(masked: _Masked, loose: Sequence[int], view: View) -> set[int]:
    """Return the numbers of the chunks that show a sign."""
    text = masked.plain
    found = signs_for(view.engine).chunks(text, _CHUNK)
    if not (loose or view.hints):
        return found
    broken = _broken(text)
    hints = _hints_in(masked, broken, view)
    if hints or loose:
        others = set(broken) - found
        found |= {n for n in others if _is_hinted(masked, n * _CHUNK, loose, hints)}
    return found


def _hints_in(masked: _Masked, chunks: Sequence[int], view: View) -> list[Engine]:
    """Return what finds hints that stand in some chunks."""
    if not (chunks and view.hints):
        return []
    # Those in a row are searched at once; mostly it is the whole text.
    breaks = [n for n, (a, b) in enumerate(pairwise(chunks), start=1) if b - a > 1]
    bounds = pairwise((0, *breaks, len(chunks)))
    rows = [
        masked.piece(chunks[a] * _CHUNK, (chunks[b - 1] + 1) * _CHUNK + LONGEST)
        for a, b in bounds
    ]
    return [hints for hints in view.hints if any(map(hints.holds, rows))]


def _broken(text: bytes) -> list[int]:
    """Return the numbers of the chunks in which a value may be in long pieces.

    Some at a time: one by one they take a tenth of the time of the whole search.
    """
    chunks = range(-(-len(text) // _CHUNK))
    return [
        number
        for first in chunks[::_AT_ONCE]
        if _may_be_broken(text[first * _CHUNK : (first + _AT_ONCE) * _CHUNK + LONGEST])
        for number in chunks[first : first + _AT_ONCE]
    ]


def _may_be_broken(text: bytes) -> bool:
    short = len(text) < REACH
    return short or not text.isascii() or any(mark in text for mark in _BREAKS)


def _is_hinted(
    masked: _Masked, start: int, loose: Sequence[int], hints: Sequence[Engine]
) -> bool:
    end = start + _CHUNK
    near = loose[bisect_left(loose, start) : bisect_left(loose, end + LONGEST)]
    if not near and not hints:
        return False
    piece = masked.piece(start, end + LONGEST)
    return any(piece[place - start - 1] for place in near if place > start) or any(
        engine.holds(piece) for engine in hints
    )


def _shown(reduced: Reduced, pieces: Sequence[tuple[int, int]], value: str) -> bool:
    """Tell whether what was found shows a sign itself, not only something near it.

    What is found must not depend on what else is in the text.
    """
    if not pieces or pieces[-1][1] - pieces[0][0] > REACH:
        return False
    text = reduced.text[pieces[0][0] : pieces[-1][1]]
    hints = hints_of(value) | groups_of(value)
    return any(hint in text for hint in hints) or _plain_signs().seen(b" " + text)


@lru_cache(maxsize=1)
def _plain_signs() -> Signs:
    return plain_signs()
