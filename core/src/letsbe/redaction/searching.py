"""Asking the layers, and only about text that they have not seen before."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias, TypeVar

from letsbe.errors import OutputWithheld
from letsbe.redaction.finding import (
    Finding,
    FindsBeside,
    RedactionLayer,
    Rememberable,
    State,
)
from letsbe.redaction.memory import SHORTEST, Key, Memory, cuts, key_of
from letsbe.redaction.spans import Labels, Spans, checked

FARTHEST = 32 * 1024
"""A layer whose findings may take more bytes is asked about every text as a whole."""

_T = TypeVar("_T")
_Stretch: TypeAlias = tuple[int, int, Key]


class _Asked(NamedTuple):
    """A layer and its labels.

    Args:
        layer: The layer.
        labels: The labels of what it finds.
        beside: Asks it about what stands beside registered values, if it can tell.
    """

    layer: RedactionLayer
    labels: Labels
    beside: Callable[[bytes, Sequence[int], Sequence[int]], Iterable[Finding]] | None


class Search:
    """The layers, in order, and what they found before.

    Args:
        layers: The layers.
    """

    def __init__(self, layers: Sequence[RedactionLayer]) -> None:
        self._all = [
            _Asked(
                layer,
                Labels(rank, layer.name),
                layer.find_beside if isinstance(layer, FindsBeside) else None,
            )
            for rank, layer in enumerate(layers)
        ]
        self._memory = Memory()

    def spans(self, text: bytes) -> Spans:
        """Return what the layers find, in any order; spans may overlap.

        Args:
            text: UTF-8, or bytes of unknown encoding.

        Raises:
            OutputWithheld: A layer failed, or found what cannot be.
        """
        if len(text) < SHORTEST:
            return _ask_all(self._all, text)
        whole: list[_Asked] = []
        apart: list[tuple[State, _Asked]] = []
        for each in self._all:
            state = _guarded(each.layer, partial(_state_of, each.layer))
            if state is None or state.reach > FARTHEST:
                whole.append(each)
            else:
                apart.append((state, each))
        spans = _ask_all(whole, text)
        if apart:
            spans.extend(self._in_blocks(text, apart))
        return spans

    def _in_blocks(self, text: bytes, apart: Sequence[tuple[State, _Asked]]) -> Spans:
        """Ask about the blocks of a text, and about what may lie over their seams."""
        states = tuple(state for state, _ in apart)
        reaching = [each for state, each in apart if state.reach]
        local = [each for state, each in apart if not state.reach]
        blocks, seams = _stretches(text, max(state.reach for state in states))
        known = self._memory.recall(states, [key for _, _, key in (*blocks, *seams)])
        new_blocks = [block for block in blocks if block[2] not in known]
        new_seams = [seam for seam in seams if seam[2] not in known]
        new: dict[Key, Spans]
        if 2 * len(new_blocks) > len(blocks):
            # Mostly new: once over the whole costs less than piece by piece.
            new = _divided(_ask_all(reaching, text), blocks, seams)
        else:
            new = {
                k: _ask_all(reaching, text[start:end]) for start, end, k in new_blocks
            }
            new |= {
                key: _over(_ask_all(reaching, text[start:end]), key[1])
                for start, end, key in new_seams
            }
        new = {key: new.get(key, Spans()) for _, _, key in (*new_blocks, *new_seams)}
        fresh = {key: (start, end) for start, end, key in new_blocks} if local else {}
        for key, (start, end) in fresh.items():
            new[key].extend(_ask_all(local, text[start:end], new[key]))
        self._memory.remember(states, new)
        known |= new
        spans = Spans()
        for start, _, key in (*blocks, *seams):
            spans.extend(known[key], start)
        return spans


def _divided(
    spans: Spans, blocks: Sequence[_Stretch], seams: Sequence[_Stretch]
) -> dict[Key, Spans]:
    """Divide a text's spans among its blocks, and the seams that they lie over."""
    spans = spans.in_order()
    divided: dict[Key, Spans] = {}
    for begin, end, key in blocks:
        here = _from(spans, begin, end)
        inside = list(map((end - begin).__ge__, here.ends))
        _put(divided, key, here if all(inside) else here.kept(inside))
    for begin, _, key in seams:
        # What lies over a seam begins before it.
        here = _from(spans, begin, begin + key[1])
        _put(divided, key, _over(here, key[1]))
    return divided


def _from(spans: Spans, begin: int, end: int) -> Spans:
    """Return those of some spans in order that begin here, by their offsets in it."""
    first, last = (bisect_left(spans.starts, offset) for offset in (begin, end))
    return spans.part(first, last, -begin)


def _over(spans: Spans, seam: int) -> Spans:
    """Return the spans that lie over a seam."""
    return spans.kept(start < seam < end for start, end, _ in spans)


def _put(divided: dict[Key, Spans], key: Key, spans: Spans) -> None:
    if key in divided:  # the same stretch twice
        spans.extend(divided[key])
        spans = Spans(*zip(*dict.fromkeys(spans), strict=True)) if spans else spans
    divided[key] = spans


def _stretches(text: bytes, reach: int) -> tuple[list[_Stretch], list[_Stretch]]:
    """Return the blocks of a text, and the surroundings of the seams between them."""
    view, offsets = memoryview(text), cuts(text)
    blocks = [(start, end, key_of(view[start:end])) for start, end in pairwise(offsets)]
    seams = []
    for cut in offsets[1:-1] if reach else ():
        start, end = max(cut - reach, 0), min(cut + reach, len(text))
        # The blocks that hold it say what it is, and are read already.
        first, last = bisect_right(offsets, start) - 1, bisect_left(offsets, end)
        holding = b"".join([key[0] for _, _, key in blocks[first:last]])
        seams.append((start, end, key_of(holding, cut - start)))
    return blocks, seams


def _state_of(layer: RedactionLayer) -> State | None:
    if not isinstance(layer, Rememberable):
        return None
    version, reach = layer.state()
    if type(version) is not int or type(reach) is not int or reach < 0:
        message = "not a state"
        raise TypeError(message)
    return State(version, reach)


def _ask_all(
    layers: Iterable[_Asked], text: bytes, found: Spans | None = None
) -> Spans:
    """Ask layers in their order, each about what those before it have left.

    Args:
        layers: The layers.
        text: The text.
        found: What other layers have found in it.
    """
    spans, registered = Spans(), _registered(found) if found else Spans()
    for asked in layers:
        new = _guarded(asked.layer, partial(_ask, asked, text, registered))
        spans.extend(new)
        registered.extend(_registered(new))
    return spans


def _registered(spans: Spans) -> Spans:
    """Return the spans of registered values."""
    if not any(label.name is not None for label in spans.labels):
        return Spans()
    return spans.kept(label.name is not None for label in spans.labels)


def _ask(asked: _Asked, text: bytes, registered: Spans) -> Spans:
    if registered and asked.beside is not None:
        findings = asked.beside(text, registered.starts, registered.ends)
    else:
        findings = asked.layer.find(text)
    return checked(findings, len(text), asked.labels)


def _guarded(layer: RedactionLayer, ask: Callable[[], _T]) -> _T:
    try:
        return ask()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001, S110 - whatever it raises withholds the text
        pass
    # Raised outside of the handler, so that no chain leads to the layer's exception.
    message = (
        f"The redaction layer {layer.name} failed, so this output is withheld. "
        "Run `letsbe plugins check` on the server."
    )
    raise OutputWithheld(message)
