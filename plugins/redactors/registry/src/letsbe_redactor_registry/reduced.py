"""A stretch of text reduced to letters and digits, and the way back to its offsets."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from letsbe_redactor_registry.disguises import originals
from letsbe_redactor_registry.levelling import (
    LEFT_OUT,
    count,
    letters,
    level,
    reduce,
    replaced,
    trim,
)
from letsbe_redactor_registry.unescaping import FILLER

_ESCAPES = re.compile(rb"\\+[nrt]|\\+x|0[xX]|\\+u00|&#[xX]")
_HEX_SIGN = re.compile(rb"(?:\\+[ux]|&#[xX])\Z")
_CHUNK = 256
_NEXT_LETTER = re.compile(rb"[^0-9A-Za-z\x80-\xff\0]{0,160}([A-Za-z])")
_NEAR = 400
_SPACE, _FILLER, _OUTSIDE_ASCII = ord(" "), ord(FILLER), 0x80
# From a JSON string to the next one of the same array or object, and past what may
# stand before a part's text: other keys with short values.
_BETWEEN = rb"""
    Q"[\s}\]]*(?:,|(?:\n|L)+(?:data:)?)(?:[\s\[{]|L)*
    (?:Q"(?:type|role|id|index|object|name|model|created|status|finish_reason|logprobs
          |item_id|output_index|content_index|sequence_number)Q"\s*:\s*
       (?:Q"[^"\\]{0,80}Q"|-?[0-9.]{1,20}|true|false|null)\s*,\s*
      |Q"\w{1,40}Q"\s*:\s*[\[{]+\s*){0,8}
    (?:Q"\w{1,40}Q"\s*:\s*)?Q"
"""


def _joint(backslashes: int) -> tuple[bytes, re.Pattern[bytes]]:
    """Give the expression for strings in so many backslashes, and its fixed begin.

    Python's expressions look for fixed bytes at many times the speed of others.
    """
    escape = rb"\\" * backslashes
    line_end = escape + b"n" if escape else rb"\n"
    source = _BETWEEN.replace(b"Q", escape).replace(b"L", line_end)
    return b"\\" * backslashes + b'"', re.compile(source, re.VERBOSE)


# JSON, and JSON in strings of JSON, three deep.
_JOINTS = tuple(map(_joint, (0, 1, 3, 7)))


class Reduced:
    """A text reduced to letters and digits.

    Args:
        text: The text; stretches found before are NULs.
        read: The same as it is to be read: with its strings joined, and perhaps without
            escapes.
    """

    def __init__(self, text: bytes, read: bytes) -> None:
        self.text = text
        """What was given."""
        self._level = level(read)
        self.letters = reduce(self._level)
        """What is searched."""
        self._counts: list[int] = []

    def place(
        self, start: int, end: int, value: str, rule: str
    ) -> list[tuple[int, int]]:
        """Compare what was found with the value by all letters, and give its place.

        Args:
            start: Offset of the first letter that was found.
            end: Offset after the last one.
            value: The secret's value.
            rule: The disguise it was found in.

        Returns:
            Offsets in the text of the first byte and after the last, whole characters,
            for each piece of the value: several if it is spread over strings, none if
            it is not the value, or not in disguise.
        """
        first = self._offset(start)
        forms = list(originals(value, rule))
        for form in forms:
            end_of_form = first + len(trim(form))
            if self._level[first:end_of_form].lower() == trim(form).lower():
                # Nothing stands in between, unless it is at the ends.
                place = self._widen(first, end_of_form, form)
                whole = letters(self._level[slice(*place)]) == letters(form)
                return self._pieces(*place) if whole else []
        last = self._offset(end - 1) + 1
        if rule == "hex" and (
            sign := _HEX_SIGN.search(self._level[max(first - 8, 0) : first])
        ):
            first -= len(sign[0])
        found = _readings(self._level[first:last])
        for form in forms:
            if found & _readings(level(form)):
                return self._pieces(*self._widen(first, last, level(form)))
        return []

    def _widen(self, first: int, last: int, form: bytes) -> tuple[int, int]:
        """Take in the letters at the ends that the reduced form lacks."""
        whole = letters(form)
        flat, text = self._level, self.text
        before = whole[: len(whole) - len(whole.lstrip(LEFT_OUT))]
        first -= _reach(flat[max(first - _NEAR, 0) : first][::-1], before[::-1])
        after = whole[len(whole.rstrip(LEFT_OUT)) :]
        last += _reach(flat[last : last + _NEAR], after)
        # A character that was replaced takes the room of several letters.
        while last < len(text) and (
            flat[last] == _FILLER != text[last]
            or (flat[last] == _SPACE and text[last] >= _OUTSIDE_ASCII)
        ):
            last += 1
        return first, last

    def _pieces(self, first: int, last: int) -> list[tuple[int, int]]:
        """Leave out what stands between the strings that a value is spread over."""
        pieces = []
        for start, end in sorted(
            match.span()
            for _, joint in _JOINTS
            for match in joint.finditer(self.text, first, last)
        ):
            pieces.append((first, start))
            first = end
        pieces.append((first, last))
        return [(start, end) for start, end in pieces if start < end]

    def _offset(self, letter: int) -> int:
        if not self._counts:
            starts = range(0, len(self._level), _CHUNK)
            self._counts = [0, *accumulate(self._count(p, p + _CHUNK) for p in starts)]
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
        return count(self._level[start:end])


def joined(text: bytes) -> bytes:
    """Blank what stands between the strings that a value may be spread over."""
    for mark, joint in _JOINTS:
        if mark in text:
            text = replaced(joint, text, _blank)
    return text


def _blank(joint: bytes) -> bytes:
    return b" " * len(joint)


def _reach(text: bytes, wanted: bytes) -> int:
    """Tell how far into a text its first letters are the given ones."""
    reached = 0
    for letter in wanted:
        match = _NEXT_LETTER.match(text, reached)
        if match is None or match[1].lower()[0] != letter:
            break
        reached = match.end()
    return reached


def _readings(data: bytes) -> set[bytes]:
    r"""Read the letters with and without escapes: ``0x`` may be two letters of it."""
    return {letters(each).strip(LEFT_OUT) for each in (data, _ESCAPES.sub(b"", data))}
