r"""Values in disguise: other case, or spaces and unseen characters in between.

A text and every form of a value are reduced to their letters and digits, lower-cased,
and compared like that. One pass of :meth:`bytes.translate` reduces a text, so the
letters of the escapes ``\n``, ``\r``, ``\t``, ``\x`` and ``\u`` are left out as well: a
value that is wrapped inside a JSON string has them in between. What is found by so
little is then compared again, with all of its letters.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from letsbe_redactor_registry.forms import base64_cores

SHORTEST = 12
"""Reduced forms below this length are left out."""

LONG_ENOUGH = 20
"""From here on a value counts whatever it is made of; below, it must look random."""

_AS_TEXT = ("hidden", "reversed")
_FILLERS = "\u115f\u1160\u3164\uffa0"
_LEFT_OUT = b"nrtux"
_LETTERS = bytes(set(b"abcdefghijklmnopqrstuvwxyz0123456789") - set(_LEFT_OUT))
# NUL stands for what was found before, and is in no form; bytes above 127 are letters.
_KEPT = {0, *_LETTERS, *_LETTERS.upper(), *range(128, 256)}
_DROPPED = bytes(byte for byte in range(256) if byte not in _KEPT)
_LOWER = bytes(range(256)).lower()
_NOT_ALNUM = bytes(b for b in range(1, 128) if not bytes([b]).isalnum())
_ESCAPES = re.compile(rb"\\+[nrt]|\\+x|0[xX]|\\+u00|&#[xX]")
_HEX_SIGN = re.compile(rb"(?:\\+[ux]|&#[xX])\Z")
_CHANGES = re.compile(rb"(?<=[0-9])(?=[a-z])|(?<=[a-z])(?=[0-9])")
_CHUNK = 4096
_NEXT_LETTER = re.compile(rb"[^0-9A-Za-z\x80-\xff\0]{0,12}([A-Za-z])")
_NEAR = 200
_SPACE = ord(" ")

# Characters that are not seen, or that NFKC turns into plain letters, by first byte:
# a search for a fixed first byte passes over other text at the speed of memchr.
_VARIANTS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"\xc2[\xa0\xaa\xad\xb2\xb3\xb9\xba]",
        rb"\xcd\x8f",
        rb"\xe1(?:\xa0[\x8b-\x8f]|\x85[\x9f\xa0]|\xb4[\xac-\xbf]|\xb5.)",
        rb"\xe2(?:\x80[\x80-\x8f\xa8-\xaf]|\x81[\x9f-\xbf]|[\x82\x84\x85\x91-\x93].)",
        rb"\xe3(?:\x80\x80|\x85\xa4|[\x8b\x8d-\x8f].)",
        rb"\xef(?:\xac[\x80-\x86]|\xb8[\x80-\x8f]|\xbb\xbf|\xbc.|\xbd.|\xbe\xa0)",
        rb"\xf0(?:\x9d[\x90-\x9f].|\x9f[\x84-\x86].)",
        rb"\xf3\xa0[\x80-\x87].",
    )
)
# Two letters after the backslash, so that re searches for that alone, as above.
_ESCAPED_VARIANTS = re.compile(
    rb"\\[uU](?:00[aA][0dD]|034[fF]|20[0-6][0-9a-fA-F]|180[b-eB-E]|[fF][eE]0[0-9a-fA-F]"
    rb"|[fF][eE][fF]{2}|[fF][fF][0-5][0-9a-fA-F]|3164"
    rb"|[dD]835\\u[dD][c-fC-F][0-9a-fA-F]{2}|[dD][bB]40\\u[dD][cC][0-9a-fA-F]{2})"
)


def disguised_forms_of(value: str) -> dict[bytes, str]:
    """Give the reduced forms of a value.

    Args:
        value: The secret's value.

    Returns:
        The disguise's name by the reduced form.
    """
    forms: dict[bytes, str] = {}
    for form, rule in _candidates(value.strip()):
        if rule in _AS_TEXT and not _looks_random(_letters(_level(form))):
            continue
        reduced = _level(form).translate(_LOWER, _DROPPED)
        if len(reduced) >= SHORTEST:
            forms.setdefault(reduced, rule)
    return forms


class Reduced:
    """A text reduced to letters and digits, and the way back to its offsets.

    Args:
        text: The text; stretches found before are NULs.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._level = _level(text)
        self.letters = self._level.translate(_LOWER, _DROPPED)
        """What is searched."""
        self._counts: list[int] = []

    def place(self, start: int, end: int, value: str, rule: str) -> tuple[int, int]:
        """Compare what was found with the value by all letters, and give its place.

        Args:
            start: Offset of the first letter that was found.
            end: Offset after the last one.
            value: The secret's value.
            rule: The disguise it was found in.

        Returns:
            Offsets in the text of the first byte and after the last, whole characters;
            equal ones if it is not the value.
        """
        first, last = self._offset(start), self._offset(end - 1) + 1
        if rule == "hex" and (
            sign := _HEX_SIGN.search(self._level[max(first - 8, 0) : first])
        ):
            first -= len(sign[0])
        found = _readings(self._level[first:last])
        for form, name in _candidates(value.strip()):
            if name == rule and found & _readings(_level(form)):
                return self._widen(first, last, _letters(_level(form)))
        return first, first

    def _widen(self, first: int, last: int, letters: bytes) -> tuple[int, int]:
        """Take in the letters at the ends that the reduced form lacks."""
        level, text = self._level, self._text
        before = letters[: len(letters) - len(letters.lstrip(_LEFT_OUT))]
        first -= _reach(level[max(first - _NEAR, 0) : first][::-1], before[::-1])
        after = letters[len(letters.rstrip(_LEFT_OUT)) :]
        last += _reach(level[last : last + _NEAR], after)
        # A character that was replaced takes the room of several letters.
        while last < len(text) and level[last] == _SPACE != text[last]:
            last += 1
        return first, last

    def _offset(self, letter: int) -> int:
        if not self._counts:
            pieces = range(0, len(self._level), _CHUNK)
            self._counts = [0, *accumulate(self._count(p, p + _CHUNK) for p in pieces)]
        chunk = bisect_right(self._counts, letter) - 1
        low, high = chunk * _CHUNK, min((chunk + 1) * _CHUNK, len(self._level))
        letter -= self._counts[chunk]
        while high - low > 1:
            middle = (low + high) // 2
            before = self._count(low, middle)
            if letter < before:
                high = middle
            else:
                letter, low = letter - before, middle
        return low

    def _count(self, start: int, end: int) -> int:
        return len(self._level[start:end].translate(None, _DROPPED))


def _reach(text: bytes, letters: bytes) -> int:
    """Tell how far into a text its first letters are the given ones."""
    reached = 0
    for letter in letters:
        match = _NEXT_LETTER.match(text, reached)
        if match is None or match[1].lower()[0] != letter:
            break
        reached = match.end()
    return reached


def _candidates(value: str) -> Iterator[tuple[bytes, str]]:
    data = value.encode("utf-8", "surrogatepass")
    yield data, "hidden"
    yield value[::-1].encode("utf-8", "surrogatepass"), "reversed"
    for core in base64_cores(data):
        yield core, "base64"
    yield data.hex().encode(), "hex"
    # What is left of 0x4a, 0x5b and of \\u004a\\u005b.
    for between in ("0", "00"):
        pairs = data.hex(" ").replace(" ", between)
        yield f"{between}{pairs}".encode(), "hex"


def _readings(data: bytes) -> set[bytes]:
    r"""Read the letters with and without escapes: ``0x`` may be two letters of it."""
    return {_letters(each).strip(_LEFT_OUT) for each in (data, _ESCAPES.sub(b"", data))}


def _letters(data: bytes) -> bytes:
    return data.translate(_LOWER, _NOT_ALNUM)


def _looks_random(letters: bytes) -> bool:
    """Tell a token from words and a year: it changes between letters and digits."""
    changes = len(_CHANGES.findall(letters))
    return len(letters) >= LONG_ENOUGH or changes >= 3 or not letters.isascii()


def _level(text: bytes) -> bytes:
    """Put plain letters, or spaces, in place of characters that only look different."""
    text = _ESCAPED_VARIANTS.sub(_plain, text)
    if not text.isascii():
        for pattern in _VARIANTS:
            text = pattern.sub(_plain, text)
    return text


def _unescaped(escape: bytes) -> str:
    text: str = json.loads(b'"' + escape.replace(b"U", b"u") + b'"')
    return text


def _plain(match: re.Match[bytes]) -> bytes:
    """Give the replacement of a character, padded to its length in bytes."""
    whole = match[0]
    try:
        text = _unescaped(whole) if whole.isascii() else whole.decode()
    except ValueError:
        return whole
    plain = unicodedata.normalize("NFKC", text)
    if text in _FILLERS or unicodedata.category(text) in ("Cf", "Mn"):
        plain = ""
    encoded = plain.encode()
    return encoded.ljust(len(whole)) if len(encoded) <= len(whole) else whole
