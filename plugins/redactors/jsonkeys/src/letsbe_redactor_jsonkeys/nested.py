"""The strings inside an object or array that stands under a sensitive key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from letsbe_redactor_jsonkeys.strings import LONGEST, Quote, end_of_string

_TOKEN = re.compile(rb"""(\\{0,31})(["'])|[{}\[\]:,]|[^\s"'\\{}\[\]:,]+""")
_STRUCTURE = {b"{": 1, b"[": 1, b"}": -1, b"]": -1, b",": 0}
_SCHEMA = frozenset(
    (b"type", b"$ref", b"description", b"properties", b"anyOf", b"oneOf", b"schema")
)
_HARMLESS = re.compile(
    rb"(?i:.*(?:name|user|username|login|email|id|type|kind|host|port|url|uri|path|scope"
    rb"|region|version|description|title|label|status|state|date|_at|_on|realm|method"
    rb"|integrity|resolved|license|shape|location\w*|subject|issuer|audience|scopes?|checksum"
    rb"|digest|algorithm|alg|format|role|owner|provider|database|db|engine|env|mount|ref|expir\w*))"
)


class Member(NamedTuple):
    """A string that is a value.

    Args:
        start: Where its content begins.
        end: Where its content ends.
        key: The key it is under; empty in an array.
    """

    start: int
    end: int
    key: bytes


class Walk:
    """Walks through what is nested in one text.

    Objects under sensitive keys can stand inside one another, and each is walked by
    itself. All walks together read at most a few times the text, so that nobody can
    make this slow.

    Args:
        text: The whole text.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._budget = len(text) + LONGEST

    def members(self, start: int) -> list[Member]:
        """Return the strings of an object or array, except what says what it is.

        Args:
            start: Where its opening bracket stands.

        Returns:
            The strings that are values, at any depth; of what describes itself, as a
            schema or an output does, only its ``value``. What has
            no end within 16 KiB is taken as far as it was read.
        """
        members = list(self._walk(start))
        if any(member.key in _SCHEMA for member in members):
            return [member for member in members if member.key == b"value"]
        return [member for member in members if not _HARMLESS.fullmatch(member.key)]

    def _walk(self, start: int) -> Iterator[Member]:
        """Yield each string that is a value, until the opening bracket is closed."""
        text = self._text
        limit = min(len(text), start + min(LONGEST, self._budget))
        depth, position = 0, start
        last = key = b""
        held: tuple[int, int] | None = None
        while token := _TOKEN.search(text, position, limit):
            self._budget -= token.end() - position
            position = token.end()
            if token[2]:
                end = end_of_string(text, position, Quote(token[2], len(token[1])))
                if end is None:
                    return
                held, last = (position, end), text[position:end]
                position = end + len(token[0])
            elif token[0] in (b":", b"=>"):
                key, held = last, None
            elif token[0] in _STRUCTURE:
                if held:
                    yield Member(*held, key)
                held = None
                key = key if token[0] in b"[]" else b""
                depth += _STRUCTURE[token[0]]
                if depth == 0:
                    return
            else:
                last = token[0]
