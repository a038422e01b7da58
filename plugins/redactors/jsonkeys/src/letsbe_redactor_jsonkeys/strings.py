"""Strings in JSON, in JSON inside strings, and in Python and JavaScript literals."""

from __future__ import annotations

from typing import NamedTuple

LONGEST = 16_384
"""The longest value that is looked at, in bytes."""

_BACKSLASH = 0x5C
_NEWLINE = 0x0A


class Quote(NamedTuple):
    """What opens and closes a string.

    Args:
        character: The quotation mark.
        escapes: How many backslashes stand before it: none in JSON, one in JSON inside
            a string, three one level deeper.
    """

    character: bytes
    escapes: int


def end_of_string(text: bytes, start: int, quote: Quote) -> int | None:
    """Find where a string's content ends.

    A quotation mark ends it if the backslashes before it are those of the quote itself;
    what the content escapes comes in pairs of one more.

    Args:
        text: The whole text.
        start: Where the content begins.
        quote: What opened it.

    Returns:
        The offset after the content, or None if the string has no end.
    """
    limit = min(len(text), start + LONGEST)
    position = text.find(quote.character, start, limit)
    while position >= 0:
        escapes = _escapes_before(text, position, start)
        if escapes % (2 * (quote.escapes + 1)) == quote.escapes:
            end = position - quote.escapes
            return None if _NEWLINE in text[start:end] else end
        if escapes < quote.escapes:
            return None
        position = text.find(quote.character, position + 1, limit)
    return None


def _escapes_before(text: bytes, position: int, start: int) -> int:
    first = position
    while first > start and text[first - 1] == _BACKSLASH:
        first -= 1
    return position - first
