"""A long text in blocks: which ones, what lies in each, and what over their seams."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from letsbe.redaction.finding import Places
from letsbe.redaction.memory import Key, cuts, key_of
from letsbe.redaction.spans import Spans


class Stretch(NamedTuple):
    """A part of a text.

    Args:
        start: Where it begins.
        end: Where it ends.
        key: What it is remembered by.
    """

    start: int
    end: int
    key: Key


class Blocks(NamedTuple):
    """A text in parts.

    Args:
        blocks: The parts, one after the other.
        seams: The surroundings of where two of them meet.
    """

    blocks: Sequence[Stretch]
    seams: Sequence[Stretch]


def in_blocks(text: bytes, reach: int) -> Blocks:
    """Return the blocks of a text, and the surroundings of the seams between them.

    Args:
        text: The text.
        reach: How far the surroundings go; none are needed if 0.
    """
    view, offsets = memoryview(text), cuts(text)
    blocks = [
        Stretch(start, end, key_of(view[start:end])) for start, end in pairwise(offsets)
    ]
    seams = []
    for cut in offsets[1:-1] if reach else ():
        start, end = max(cut - reach, 0), min(cut + reach, len(text))
        # The blocks that hold it say what it is, and are read already.
        first, last = bisect_right(offsets, start) - 1, bisect_left(offsets, end)
        holding = b"".join([block.key[0] for block in blocks[first:last]])
        seams.append(Stretch(start, end, key_of(holding, cut - start)))
    return Blocks(blocks, seams)


def divided(spans: Spans, parts: Blocks) -> dict[Key, Spans]:
    """Divide a text's spans among its blocks, and the seams that they lie over."""
    found: dict[Key, Spans] = {}
    if not spans:
        return found
    spans = spans.in_order()
    for begin, end, key in parts.blocks:
        here = _from(spans, begin, end)
        inside = list(map((end - begin).__ge__, here.ends))
        _put(found, key, here if all(inside) else here.kept(inside))
    for begin, _, key in parts.seams:
        # What lies over a seam begins before it.
        here = _from(spans, begin, begin + key[1])
        _put(found, key, over(here, key[1]))
    return found


def over(spans: Spans, seam: int) -> Spans:
    """Return the spans that lie over a seam."""
    return spans.kept(start < seam < end for start, end, _ in spans)


def places_in(places: Places, block: Stretch) -> Places:
    """Return those of a text's places that lie in a block, by their offsets in it."""
    first = bisect_left(places.offsets, block.start)
    last = bisect_left(places.offsets, block.end, first)
    offsets = [offset - block.start for offset in places.offsets[first:last]]
    return Places(offsets, places.marks[first:last])


def _from(spans: Spans, begin: int, end: int) -> Spans:
    """Return those of some spans in order that begin here, by their offsets in it."""
    first, last = (bisect_left(spans.starts, offset) for offset in (begin, end))
    return spans.part(first, last, -begin)


def _put(found: dict[Key, Spans], key: Key, spans: Spans) -> None:
    if key in found:  # the same stretch twice
        spans.extend(found[key])
        spans = Spans(*zip(*dict.fromkeys(spans), strict=True)) if spans else spans
    found[key] = spans
