"""Finds sensitive keys and their values by scanning bytes; nothing is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from letsbe_redactor_jsonkeys.names import Sensitivity, sensitivity
from letsbe_redactor_jsonkeys.strings import Quote, end_of_string

STEMS = (
    b"pass",
    b"pwd",
    b"psk",
    b"secret",
    b"token",
    b"key",
    b"cred",
    b"auth",
    b"jwt",
    b"otp",
    b"cvv",
    b"cvc",
    b'"pin',
    b"'pin",
    b"mnemonic",
    b"phrase",
    b"code",
    b"kennwort",
    b"wachtwoord",
    b"contrasena",
)
"""One of these is in every sensitive key, in lower case."""

_REST = re.compile(
    rb"""
    ["']?[A-Za-z0-9_.-]{0,48}?(?P<end>(?P<escapes>\\{0,31})(?P<quote>["'])|(?=[ :]))
    \s{0,8}
    (?: (?:=>|:)\s{0,16} | ,\s{0,16}\\{0,31}["']value\\{0,31}["']\s{0,8}:\s{0,16})
    (?:[bru]?(?P<opening>\\{0,31})(?P<mark>["'`])|(?P<number>-?[0-9]{1,20})(?![\w.])
    |(?P<nested>[{\[]))
    """,
    re.VERBOSE,
)
_NAME = re.compile(rb"[A-Za-z0-9_.-]{0,64}")
_BEFORE_BARE = b" \t\n,{(;"


class Value(NamedTuple):
    """A sensitive key's value.

    Args:
        start: Where it begins: its content, its digits, or its bracket.
        end: Where it ends; for what is nested, where it begins.
        kind: What the key is.
        form: ``string``, ``number`` or ``nested``.
    """

    start: int
    end: int
    kind: Sensitivity
    form: str


def stems_in(text: bytes) -> list[int]:
    """Return where the stems of sensitive keys stand, rising."""
    lowered = text.lower()
    found = []
    for stem in STEMS:
        position = lowered.find(stem)
        while position >= 0:
            found.append(position)
            position = lowered.find(stem, position + len(stem))
    return sorted(found)


def values_at(text: bytes, stems: Sequence[int]) -> Iterator[Value]:
    """Yield the values of sensitive keys.

    Args:
        text: The whole text.
        stems: Where stems stand, rising.
    """
    done = -1
    for stem in stems:
        if stem < done:
            continue
        match = _REST.match(text, stem)
        if match is None:
            continue
        done = match.end("end")
        start = _start_of_name(text, stem)
        if not _is_key(text, start, match):
            continue
        kind = sensitivity(text[start : match.start("end")].strip(b"\"'"))
        if kind is not Sensitivity.NONE:
            yield from _value(text, match, kind)


def _start_of_name(text: bytes, stem: int) -> int:
    before = text[max(0, stem - 64) : stem]
    match = _NAME.match(before[::-1])
    length = len(match[0]) if match else 0
    start = stem - length
    escaped = length and text[start - 1 : start] == b"\\" and text[start] in b"nrt"
    return start + 1 if escaped else start


def _is_key(text: bytes, start: int, match: re.Match[bytes]) -> bool:
    """Say whether a name is a whole key: in quotes, or bare where a key may stand."""
    if match["quote"]:
        opening = match["quote"]
        return text[start - 1 : start] == opening or text[start : start + 1] == opening
    if not match["mark"]:
        return False
    before = text[start - 1 : start] if start else b" "
    return before in _BEFORE_BARE or text[start - 2 : start] in (b"\\n", b"\\t")


def _value(text: bytes, match: re.Match[bytes], kind: Sensitivity) -> Iterator[Value]:
    if match["mark"]:
        quote = Quote(match["mark"], len(match["opening"]))
        end = end_of_string(text, match.end(), quote)
        if end is not None:
            yield Value(match.end(), end, kind, "string")
    elif match["number"]:
        yield Value(match.start("number"), match.end("number"), kind, "number")
    else:
        yield Value(match.start("nested"), match.start("nested"), kind, "nested")
