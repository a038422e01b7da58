"""A JSON string's content as what it stands for, and the way back to its offsets."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import NamedTuple

ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
"""One escape in a JSON string."""


class Unescaped(NamedTuple):
    """A JSON string's content without its escapes.

    Args:
        text: What it stands for, in UTF-8.
        raw: Where a piece begins in the document: each escape, and what is between.
        plain: Where the same piece begins in ``text``.
    """

    text: bytes
    raw: list[int]
    plain: list[int]

    def to_plain(self, offset: int) -> int:
        """Return the offset in ``text`` of one in the document, outside of escapes."""
        return _moved(offset, self.raw, self.plain)

    def to_raw(self, offset: int) -> int:
        """Return the offset in the document of one in ``text``, between characters."""
        return _moved(offset, self.plain, self.raw)


def unescape(text: bytes, start: int, end: int) -> Unescaped:
    """Resolve the escapes of a valid JSON string.

    Args:
        text: The document.
        start: The first byte's offset of the string's content.
        end: The offset after the last one.
    """
    pieces: list[bytes] = []
    raw, plain = [start], [0]
    size = 0
    for match in ESCAPE.finditer(text, start, end):
        pieces += text[raw[-1] : match.start()], _character(match[0])
        for offset, piece in zip(match.span(), pieces[-2:], strict=True):
            size += len(piece)
            raw.append(offset)
            plain.append(size)
    pieces.append(text[raw[-1] : end])
    return Unescaped(b"".join(pieces), raw, plain)


def escape(text: bytes) -> bytes:
    """Write ASCII as the content of a JSON string."""
    return json.dumps(text.decode("ascii"))[1:-1].encode()


def _character(escape: bytes) -> bytes:
    character: str = json.loads(b'"%b"' % escape)
    return character.encode("utf-8", "surrogatepass")


def _moved(offset: int, here: list[int], there: list[int]) -> int:
    piece = bisect_right(here, offset) - 1
    return there[piece] + offset - here[piece]
