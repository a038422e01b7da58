"""Remembering what was found in text that comes again.

A conversation sends its whole history with every request. The text is cut into blocks
at places that its own content decides, so that what was sent before is cut alike when
more is appended. Cutting always happens, remembered or not: the same text always gives
the same findings.
"""

from __future__ import annotations

import hashlib
import re
import threading
import zlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeAlias

from letsbe.redaction.spans import Spans

SHORTEST = 16 * 1024
"""A block has at least so many bytes; a shorter text costs less than remembering it."""

LONGEST = 64 * 1024
"""A block ends at the first possible place after so many bytes."""

ENTRIES = 8192
"""Blocks remembered; one without findings takes about 200 bytes."""

PLACES = 50_000
"""Findings remembered, about 100 bytes each."""

# One in so many of the possible places between ends a block; what its next bytes are
# decides, so that blocks meet again after something was left out further up.
_ONE_IN = 8
_LOOKED_AT = 64
# Between two messages, content parts or tools. Inside a JSON string the quote would be
# escaped, unless it ends the string: then the findings before it are the same.
_PLACE = re.compile(rb'\}[,]\s*\{\s*"(?:role|type|content|name|id|function)"')

Key: TypeAlias = tuple[bytes, int]
"""A stretch of text: its SHA-256, and an offset in it that matters."""


def cuts(text: bytes) -> list[int]:
    """Return the offsets at which a text is cut, its beginning and end among them."""
    found = [0]
    while match := _next(text, found[-1] + SHORTEST):
        # The first place at which the text decides so, or the last one allowed.
        while match.start() + 1 - found[-1] < LONGEST and not _ends_here(text, match):
            match = _next(text, match.end())
            if match is None:
                return [*found, len(text)]
        found.append(match.start() + 1)
    return [*found, len(text)]


def _next(text: bytes, offset: int) -> re.Match[bytes] | None:
    # The expression looks for its first byte at a twentieth of this speed.
    first = text.find(b"}", offset)
    return _PLACE.search(text, first) if first >= 0 else None


def _ends_here(text: bytes, match: re.Match[bytes]) -> bool:
    place = match.start() + 1
    return zlib.crc32(text[place : place + _LOOKED_AT]) % _ONE_IN == 0


def key_of(stretch: memoryview | bytes, offset: int = 0) -> Key:
    """Return what a stretch of text is remembered by; nothing of it can be told."""
    return hashlib.sha256(stretch).digest(), offset


class Memory:
    """Findings by stretch of text, those of one state of the layers. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: Hashable = None
        self._known: OrderedDict[Key, Spans] = OrderedDict()
        self._places = 0

    def recall(self, state: Hashable, keys: Sequence[Key]) -> dict[Key, Spans]:
        """Return what is known of stretches of text.

        Args:
            state: The state of the layers; another one than before forgets everything.
            keys: The stretches.

        Returns:
            The findings of those that are known, by their offsets in the stretch.
        """
        with self._lock:
            if state != self._state:
                self._known.clear()
                self._places, self._state = 0, state
            found = {key: self._known[key] for key in keys if key in self._known}
            for key in found:
                self._known.move_to_end(key)
            return found

    def remember(self, state: Hashable, found: Mapping[Key, Spans]) -> None:
        """Keep what was found in stretches of text, and forget the oldest.

        Args:
            state: The state of the layers from before they looked.
            found: The findings by stretch.
        """
        with self._lock:
            if state != self._state:
                return
            for key, places in found.items():
                if key not in self._known:
                    self._known[key] = places
                    self._places += len(places)
            while len(self._known) > ENTRIES or self._places > PLACES:
                _, gone = self._known.popitem(last=False)
                self._places -= len(gone)
