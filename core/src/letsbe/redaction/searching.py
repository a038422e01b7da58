"""Asking the layers, and only about text that they have not seen before."""

from __future__ import annotations

from collections.abc import Sequence

from letsbe.redaction.asking import Asked, ask_all, asked, state_of
from letsbe.redaction.blocks import in_blocks
from letsbe.redaction.finding import RedactionLayer, State
from letsbe.redaction.looking import Look
from letsbe.redaction.memory import SHORTEST, Memory
from letsbe.redaction.spans import Spans

FARTHEST = 32 * 1024
"""A layer whose findings may take more bytes is asked about every text as a whole."""


class Search:
    """The layers, in order, and what they found before.

    Args:
        layers: The layers.
    """

    def __init__(self, layers: Sequence[RedactionLayer]) -> None:
        self._all = asked(layers)
        self._memory = Memory()

    def spans(self, text: bytes) -> Spans:
        """Return what the layers find, in any order; spans may overlap.

        Args:
            text: UTF-8, or bytes of unknown encoding.

        Raises:
            OutputWithheld: A layer failed, or found what cannot be.
        """
        if len(text) < SHORTEST:
            return ask_all(self._all, text)
        whole: list[Asked] = []
        apart: list[tuple[State, Asked]] = []
        for each in self._all:
            state = state_of(each.layer)
            if state is None or state.reach > FARTHEST:
                whole.append(each)
            else:
                apart.append((state, each))
        spans = ask_all(whole, text)
        if apart:
            spans.extend(self._in_blocks(text, apart))
        return spans

    def _in_blocks(self, text: bytes, apart: Sequence[tuple[State, Asked]]) -> Spans:
        """Ask about the blocks of a text, and about what may lie over their seams."""
        states = tuple(state for state, _ in apart)
        parts = in_blocks(text, max(state.reach for state in states))
        stretches = (*parts.blocks, *parts.seams)
        known = self._memory.recall(states, [key for _, _, key in stretches])
        new = {each.key: each for each in stretches if each.key not in known}
        look = Look(
            text,
            [each for state, each in apart if state.reach],
            [each for state, each in apart if not state.reach],
        )
        if 2 * sum(block.key in new for block in parts.blocks) > len(parts.blocks):
            # Mostly new: once over the whole costs less than piece by piece.
            look.over_whole()
        found = look.found(parts, new)
        self._memory.remember(states, found)
        known |= found
        spans = Spans()
        for start, _, key in stretches:
            if known[key]:
                spans.extend(known[key], start)
        return spans
