"""One look at a long text: over the whole of it, or at some of its blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from letsbe.redaction.asking import Asked, ask_all, ask_one, registered_in, search
from letsbe.redaction.blocks import Blocks, Stretch, divided, over, places_in
from letsbe.redaction.finding import Places
from letsbe.redaction.memory import Key
from letsbe.redaction.spans import Spans


@final
class Look:
    """What the layers see in a text.

    Args:
        text: The text.
        reaching: Layers whose findings may lie over the seams of blocks.
        local: Layers that look at each block by itself.
    """

    def __init__(
        self, text: bytes, reaching: Sequence[Asked], local: Sequence[Asked]
    ) -> None:
        self._text = text
        self._reaching, self._local = reaching, local
        self._places: dict[int, Places | None] = {}
        self._spans: Spans | None = None

    def over_whole(self) -> None:
        """Search the whole text at once, unless that was done."""
        if self._spans is None:
            self._spans = ask_all(self._reaching, self._text)

    def found(self, parts: Blocks, new: Mapping[Key, Stretch]) -> dict[Key, Spans]:
        """Return what the layers find in some stretches of the text.

        Args:
            parts: The text in blocks.
            new: The stretches to look at.
        """
        found = {key: Spans() for key in new}
        if self._spans is None:
            self._look_at_each(parts, found, new)
        else:
            spans = divided(self._spans, parts)
            found |= {key: spans[key] for key in spans if key in new}
        # The last one of those alike.
        blocks = {block.key: block for block in parts.blocks if block.key in new}
        for key, block in blocks.items() if self._local else ():
            self._ask_local(block, found[key])
        return found

    def _look_at_each(
        self, parts: Blocks, found: dict[Key, Spans], new: Mapping[Key, Stretch]
    ) -> None:
        for start, end, key in parts.blocks:
            if key in new:
                found[key] = ask_all(self._reaching, self._text[start:end])
        for start, end, key in parts.seams:
            if key in new:
                spans = ask_all(self._reaching, self._text[start:end])
                found[key] = over(spans, key[1])

    def _ask_local(self, block: Stretch, spans: Spans) -> None:
        """Ask the local layers about a block, and add what they find."""
        text = self._text[block.start : block.end]
        registered = registered_in(spans)
        for number, asked in enumerate(self._local):
            # What stands beside registered values is searched for in another way.
            beside = registered and asked.beside is not None
            places = None if beside else self._places_in(number, block)
            if places is None or places.offsets:
                ask_one(asked, text, spans, registered, places)

    def _places_in(self, number: int, block: Stretch) -> Places | None:
        """Return where a layer has to look in a block, if it searches first."""
        if self._spans is None:
            return None
        if number not in self._places:
            self._places[number] = search(self._local[number], self._text)
        places = self._places[number]
        return None if places is None else places_in(places, block)
