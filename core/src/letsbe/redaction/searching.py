"""Asking the layers, and only about text that they have not seen before."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import TypeAlias, TypeVar

from letsbe.errors import OutputWithheld
from letsbe.redaction.finding import RedactionLayer, Rememberable, State
from letsbe.redaction.memory import SHORTEST, Key, Memory, cuts, key_of
from letsbe.redaction.spans import Labels, Place, checked

FARTHEST = 32 * 1024
"""A layer whose findings may take more bytes is asked about every text as a whole."""

_T = TypeVar("_T")
_Asked: TypeAlias = tuple[RedactionLayer, Labels]
_Stretch: TypeAlias = tuple[int, int, Key]


class Search:
    """The layers, in order, and what they found before.

    Args:
        layers: The layers.
    """

    def __init__(self, layers: Sequence[RedactionLayer]) -> None:
        self._all = [
            (layer, Labels(rank, layer.name)) for rank, layer in enumerate(layers)
        ]
        self._memory = Memory()

    def places(self, text: bytes) -> list[Place]:
        """Return what the layers find, in any order; places may overlap.

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
            state = _guarded(each[0], partial(_state_of, each[0]))
            if state is None or state.reach > FARTHEST:
                whole.append(each)
            else:
                apart.append((state, each))
        places = _ask_all(whole, text)
        return places + self._in_blocks(text, apart) if apart else places

    def _in_blocks(
        self, text: bytes, apart: Sequence[tuple[State, _Asked]]
    ) -> list[Place]:
        """Ask about the blocks of a text, and about what may lie over their seams."""
        states = tuple(state for state, _ in apart)
        reaching = [each for state, each in apart if state.reach]
        local = [each for state, each in apart if not state.reach]
        blocks, seams = _stretches(text, max(state.reach for state in states))
        known = self._memory.recall(states, [key for _, _, key in (*blocks, *seams)])
        new_blocks = [block for block in blocks if block[2] not in known]
        new_seams = [seam for seam in seams if seam[2] not in known]
        new: dict[Key, list[Place]]
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
        fresh = {key: (start, end) for start, end, key in new_blocks} if local else {}
        for key, (start, end) in fresh.items():
            new[key] = new[key] + _ask_all(local, text[start:end])
        new = {k: new.get(k, []) for _, _, k in (*new_blocks, *new_seams)}
        self._memory.remember(states, new)
        known |= new
        places: list[Place] = []
        for start, _, key in (*blocks, *seams):
            places += _moved(known[key], start)
        return places


def _over(places: Iterable[Place], seam: int) -> list[Place]:
    """Return the places that lie over a seam."""
    return [place for place in places if place[0] < seam < place[1]]


def _divided(
    places: Sequence[Place], blocks: Sequence[_Stretch], seams: Sequence[_Stretch]
) -> dict[Key, list[Place]]:
    """Divide a text's places among its blocks, and the seams that they lie over."""
    if len(blocks) == 1:
        return {blocks[0][2]: list(places)}
    divided: dict[Key, list[Place]] = {key: [] for _, _, key in (*blocks, *seams)}
    ends = [end for _, end, _ in blocks]
    for start, end, label in places:
        number = bisect_right(ends, start)
        if end <= ends[number]:
            begin, _, key = blocks[number]
            divided[key].append((start - begin, end - begin, label))
        while end > ends[number]:
            begin, _, key = seams[number]
            divided[key].append((start - begin, end - begin, label))
            number += 1
    if len(divided) < len(blocks) + len(seams):  # the same block twice
        return {key: list(dict.fromkeys(found)) for key, found in divided.items()}
    return divided


def _stretches(text: bytes, reach: int) -> tuple[list[_Stretch], list[_Stretch]]:
    """Return the blocks of a text, and the surroundings of the seams between them."""
    view, offsets = memoryview(text), cuts(text)
    blocks = [(start, end, key_of(view[start:end])) for start, end in pairwise(offsets)]
    seams = []
    for cut in offsets[1:-1] if reach else ():
        start, end = max(cut - reach, 0), min(cut + reach, len(text))
        seams.append((start, end, key_of(view[start:end], cut - start)))
    return blocks, seams


def _moved(places: Sequence[Place], by: int) -> Iterable[Place]:
    if not by:
        return places
    return [(start + by, end + by, label) for start, end, label in places]


def _state_of(layer: RedactionLayer) -> State | None:
    if not isinstance(layer, Rememberable):
        return None
    version, reach = layer.state()
    if type(version) is not int or type(reach) is not int or reach < 0:
        message = "not a state"
        raise TypeError(message)
    return State(version, reach)


def _ask_all(layers: Iterable[_Asked], text: bytes) -> list[Place]:
    places: list[Place] = []
    for layer, labels in layers:
        places += _guarded(layer, partial(_ask, layer, text, labels))
    return places


def _ask(layer: RedactionLayer, text: bytes, labels: Labels) -> list[Place]:
    return checked(layer.find(text), len(text), labels)


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
