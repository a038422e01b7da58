r"""Escapes, numbers and line heads read as what they stand for.

``&#107;``, ``\153``, ``%256B``, ``=6B`` and ``U+006B`` are all a ``k``. What stands in
place of an escape is padded to the escape's length, so that offsets stay.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, zip_longest
from typing import NamedTuple

from letsbe_redactor_registry.levelling import replaced

FILLER = b"\x01"
"""Fills the room that an escape took beyond its character."""

_BYTE, _SPACE = 256, b" "


class _Reading(NamedTuple):
    """One way of writing characters.

    Args:
        mark: What stands in every text that has it.
        pattern: One escape; no groups. Each begins with a fixed byte, which is found
            fast.
        read: Gives what an escape stands for, as long as the escape.
    """

    mark: bytes
    pattern: re.Pattern[bytes]
    read: Callable[[bytes], bytes]


def _character(number: int) -> bytes:
    try:
        return chr(number).encode()
    except (ValueError, OverflowError):
        return b""


def _backslashed(escape: bytes) -> bytes:
    digits = escape.lstrip(b"\\")
    kind, number = digits[:1], digits.lstrip(b"xXuU{").rstrip(b"} ")
    if kind in b"xX":
        return bytes([int(number, 16)])
    if kind in b"uU" or digits.startswith(b"0000"):
        return _character(int(number, 16))
    return bytes([int(number, 8) % _BYTE])


def _reference(escape: bytes) -> bytes:
    text = escape.decode()
    plain = html.unescape(text if text.endswith(";") else text + ";")
    return plain.encode("utf-8", "ignore") if plain.rstrip(";") != text else b""


def _quoted(escape: bytes) -> bytes:
    return bytes([int(escape[1:], 16)])


def _percent(escape: bytes) -> bytes:
    _, wide, number = escape.partition(b"u")
    return _character(int(number, 16)) if wide else bytes([int(escape[-2:], 16)])


def _point(escape: bytes) -> bytes:
    return _character(int(escape.removeprefix(b"U+"), 16))


def _padded(read: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Remember what escapes stand for; a text has the same ones often."""

    @lru_cache(maxsize=4096)
    def plain(escape: bytes) -> bytes:
        character = read(escape)
        if not 0 < len(character) <= len(escape):
            return escape
        return character.ljust(len(escape), FILLER)

    return plain


def _nothing(escape: bytes) -> bytes:
    return _SPACE * len(escape)


def _reading(mark: bytes, pattern: bytes, read: Callable[[bytes], bytes]) -> _Reading:
    return _Reading(mark, re.compile(pattern), read)


_READINGS = (
    _reading(
        b"\\",
        rb"\\\\{0,15}(?:[xX][0-9A-Fa-f]{2}|[uU](?:0000)?[0-9A-Fa-f]{4}"
        rb"|[uU]\{0{0,3}[0-9A-Fa-f]{1,5}\}|0000[0-9A-Fa-f]{2}[ ]?|0?[0-7]{3})",
        _padded(_backslashed),
    ),
    _reading(
        b"&",
        rb"&(?:#[xX][0-9A-Fa-f]{1,8}|#[0-9]{1,8}|[A-Za-z][A-Za-z0-9]{1,24});?",
        _padded(_reference),
    ),
    _reading(
        b"%", rb"%(?:25){0,16}(?:u[0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})", _padded(_percent)
    ),
    _reading(
        b"=", rb"=(?:[2-9A-F][0-9A-F]|[2-9a-f][0-9a-f]|0[9AaDd])", _padded(_quoted)
    ),
    _reading(b"U+", rb"U\+[0-9A-Fa-f]{4,6}", _padded(_point)),
    # Tags, as <br> and <wbr>, and what stands at the head of numbered lines.
    _reading(
        b"<",
        rb"</?(?i:w?br|p|div|span|b|i|u|s|em|strong|code|pre|td|tr|li|font|mark|tt)"
        rb"(?:[ /][^<>\n]{0,80})?>",
        _nothing,
    ),
    _reading(
        b"\n",
        rb"\n[ \t]{0,8}[0-9]{1,6}(?:[ \t]{0,2}[:|.)\t]|\xe2\x86\x92)",
        _nothing,
    ),
    # Possessive, as half of all lines of code are indented.
    _reading(
        b"\\n",
        rb"\\\\{0,15}n[ \t]{0,8}+(?:\\{1,16}t[ \t]{0,8}+){0,8}[0-9]{1,6}"
        rb"(?:[ \t]{0,2}(?:[:|.)]|\\{1,16}t)|\xe2\x86\x92|\\{1,16}u2192)",
        _nothing,
    ),
)
# Many numbers in a row, as an array of bytes is written.
_DECIMALS = re.compile(
    rb"(?<![0-9A-Za-z.])[0-9]{2,3}(?:[^0-9A-Za-z.]{1,4}[0-9]{2,3}){11,}(?![.]?[0-9A-Za-z])"
)
_DECIMAL = re.compile(rb"[0-9]{2,3}")
_CLASSES = bytes(
    ord("d" if chr(n).isdigit() else "a" if chr(n).isalpha() or n == ord(".") else " ")
    for n in range(128)
).ljust(256)
# Possessive: half the time among numbers that are no such row.
_DECIMALS_AS_CLASSES = re.compile(rb" dd(?:d?+ {1,4}+dd){11}+")
# A line of a dump: where it stands, its bytes, and the same as text, to its end.
_DUMP = re.compile(
    rb"((?:^|\n|\\+n)[0-9A-Fa-f]{7,8}:?[ ]{1,2})"
    rb"((?:[0-9A-Fa-f]{2}[ ]{0,2}){1,16}+[ ]{0,48}+)"
    rb"((?!\\+n)[ -~][ -\[\]-~]{0,24}+(?:\\(?!\\*n)[ -\[\]-~]{0,24}+){0,24}+)"
)
# Python's expressions look for a fixed first byte at many times the speed of others.
_DUMP_BEGINS = tuple(
    re.compile(end + rb"[0-9A-Fa-f]{7,8}:?[ ]") for end in (rb"\n", rb"\\n")
)


def readings(text: bytes) -> Iterator[bytes]:
    """Give a text as it reads besides literally, each as long as it is.

    Args:
        text: Any bytes.

    Yields:
        The text without escapes, and the columns of a dump, where there are any.
    """
    plain = text
    for mark, pattern, read in _READINGS:
        if mark in plain:
            plain = replaced(pattern, plain, read)
    plain = _without_decimals(plain)
    if plain != text:
        yield plain
    if _DUMP.match(text) or any(begin.search(text) for begin in _DUMP_BEGINS):
        pieces = _DUMP.split(text)
        for other in (2, 1):
            # Between lines, and in each of them where it stands, bytes, and text.
            columns = [pieces[n::4] for n in range(4)]
            for blank in (1, 1 + other):
                columns[blank] = [_nothing(column) for column in columns[blank]]
            yield b"".join(chain.from_iterable(zip_longest(*columns, fillvalue=b"")))


def _without_decimals(text: bytes) -> bytes:
    """Read arrays of bytes. Where they stand is told by classes, ten times as fast."""
    classes = b" " + text.translate(_CLASSES)
    pieces, done = [], 0
    for place in _DECIMALS_AS_CLASSES.finditer(classes):
        start = place.start()
        row = _DECIMALS.match(text, start) if start >= done else None
        if row:
            pieces += [text[done:start], _bytes_of(row)]
            done = row.end()
    return b"".join((*pieces, text[done:])) if pieces else text


def _bytes_of(row: re.Match[bytes]) -> bytes:
    def character(match: re.Match[bytes]) -> bytes:
        byte = int(match[0])
        return bytes([byte]).ljust(len(match[0]), FILLER) if byte < _BYTE else match[0]

    return _DECIMAL.sub(character, row[0])
