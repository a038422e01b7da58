"""Files in base64, wrapped as ``base64``, mail and Python wrap it: no secrets.

A line of such a file is as random as a secret. What tells it is that the next line is
exactly as long, and what the lines hold or begin with.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache

from letsbe_redactor_entropy.contexts import is_file_content

USUAL = 76
"""The width that programs wrap at when nobody asks. Key files have lines of 64 or 70,
so those count only if the first of them begins as a picture or an archive does."""

_NARROWEST, _WIDEST = 56, 128
_MOST = 4096
"""More lines before a place are not read."""

_BREAK = re.compile(rb"(?:\r?\n|(?:\\+r)?\\+n)[ \t>|+]{0,8}")
_BREAK_BEFORE = re.compile(rb"(?:\n|\\n)[ \t>|+]{0,8}\Z")
_NEAR = 24
_BODY = re.compile(rb"[A-Za-z0-9+/]{1,%d}" % (_WIDEST + 1))
_NOT_TEXT = re.compile(rb"[^\t\n\r -~]")
_BINARY = 5
"""Of a file that is none of text, more than one byte in so many is no character."""


def wrapped_block(text: bytes, start: int, end: int) -> tuple[int, bool]:
    """Tell where the wrapped lines end that a line of base64 belongs to.

    Args:
        text: The whole text.
        start: Where the line begins.
        end: Where it ends, its padding included.

    Returns:
        The offset after the last line, and whether they are a file.
    """
    width = end - start
    if not _NARROWEST <= width <= _WIDEST:
        return end, False
    after, lines = _last(text, start, width)
    first, before = _first(text, start, width)
    if lines + before < 3:
        return max(after, end), False
    head = text[first : first + width]
    known = is_file_content(head) or (width == USUAL and _is_binary(text[start:end]))
    return max(after, end), known


def _last(text: bytes, start: int, width: int) -> tuple[int, int]:
    """Return the offset after the last line, and how many lines there are."""
    whole = _whole_lines(width).match(text, start)
    if whole is None:
        return start, 0
    end = whole.end()
    lines = 1 + text.count(b"\n", start, end) + text.count(b"\\n", start, end)
    gap = _BREAK.match(text, end)
    last = _BODY.match(text, gap.end()) if gap else None
    if last is None or last.end() - last.start() > width:
        return end, lines
    return last.end(), lines + 1


@lru_cache(maxsize=_WIDEST)
def _whole_lines(width: int) -> re.Pattern[bytes]:
    # One match for all of them, as a file may have thousands. A line may begin with the
    # "+" of base64, which is no diff's then.
    body = b"[A-Za-z0-9+/]{%d}(?![A-Za-z0-9+/])" % width
    return re.compile(b"%b(?:%b%b)*+" % (body, _BREAK.pattern, body))


def _first(text: bytes, start: int, width: int) -> tuple[int, int]:
    """Return the offset of the first line, and how many stand before this one."""
    for lines in range(_MOST):
        gap = _BREAK_BEFORE.search(text, max(0, start - _NEAR), start)
        if gap is None:
            return start, lines
        end = gap.start()
        while text[end - 1 : end] in (b"\r", b"\\"):
            end -= 1
        if text[end - 2 : end] == b"\\r":
            tail = text[max(0, end - _NEAR) : end]
            end -= len(tail) - len(tail.rstrip(b"\\r"))
        body = _BODY.fullmatch(text, end - width, end) if end >= width else None
        if body is None:
            return start, lines
        start = end - width
    return start, _MOST


def _is_binary(line: bytes) -> bool:
    try:
        plain = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return False
    return _BINARY * len(_NOT_TEXT.findall(plain)) > len(plain)
