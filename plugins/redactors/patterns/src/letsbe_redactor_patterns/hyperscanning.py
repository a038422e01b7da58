"""Finds the rules' anchors with Hyperscan (Vectorscan) instead of plain Python.

Each expression is an anchor with a cheap test of what follows it, so that a callback
means work worth doing. An expression without a long literal slows down all others of
its database, so those have databases of their own.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import hyperscan

from letsbe_redactor_patterns.heads import head
from letsbe_redactor_patterns.rules import RUN, Rule
from letsbe_redactor_patterns.scanning import Hits

_LEAST, _LEAST_SHORT = 4, 8
_BODY = "[A-Za-z0-9_.~+/=:%|-]"


class HyperscanScanner:
    """The scanner over Hyperscan.

    Args:
        rules: The rules, numbered by their place.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        groups: dict[bytes, dict[_Expression, list[int]]] = {}
        for expression, numbers in _expressions(rules).items():
            groups.setdefault(expression.group, {})[expression] = numbers
        self._groups = [_Group(group) for group in groups.values()]

    def scan(self, text: bytes) -> Hits:
        """Return where the anchors stand."""
        hits: Hits = {}
        for group in self._groups:
            for numbers, start in group.scan(text):
                for number in numbers:
                    hits.setdefault(number, []).append(start)
        return hits


class _Expression(NamedTuple):
    """One expression for Hyperscan.

    Args:
        source: The expression.
        anchor: The literal it begins with.
        flags: Hyperscan's flags.
        group: Which database it is in.
        test: What must match where it does, if it is only the head of that.
    """

    source: bytes
    anchor: bytes
    flags: int
    group: bytes
    test: bytes | None


class _Group:
    """Expressions in a database of their own."""

    def __init__(self, expressions: Mapping[_Expression, list[int]]) -> None:
        self._numbers = list(expressions.values())
        # What follows an anchor of a token has one length, so each begins apart.
        self._is_exact = all(expression.group != b"loose" for expression in expressions)
        self._anchors = [expression.anchor for expression in expressions]
        self._tests = [
            re.compile(expression.test, re.IGNORECASE | re.DOTALL).match
            if expression.test
            else None
            for expression in expressions
        ]
        database = hyperscan.Database()
        database.compile(
            expressions=[expression.source for expression in expressions],
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=[expression.flags for expression in expressions],
        )
        self._serialized = hyperscan.dumpb(database)
        self._local = threading.local()

    def scan(self, text: bytes) -> list[tuple[list[int], int]]:
        """Return where the anchors stand, rising, each with its rules' numbers."""
        found: list[tuple[int, int, int]] = []
        self._database().scan(text, match_event_handler=_noting(found))
        if self._is_exact:
            starts = {(start, number) for start, _, number in found}
        else:
            starts = {
                (start, number)
                for first, end, number in found
                for start in self._starts(text, first, end, number)
            }
        tests = self._tests
        return [
            (self._numbers[number], start)
            for start, number in sorted(starts)
            if (test := tests[number]) is None or test(text, start)
        ]

    def _starts(self, text: bytes, first: int, end: int, number: int) -> list[int]:
        """Return all places where a match that ends here may begin.

        Hyperscan gives the leftmost; the anchor may stand in what follows it again.
        """
        anchor = self._anchors[number]
        again = first + len(anchor)
        if end - again < len(anchor):
            return [first]
        rest = text[again:end].lower() if anchor.islower() else text[again:end]
        places = [first]
        position = rest.find(anchor)
        while position >= 0:
            places.append(again + position)
            position = rest.find(anchor, position + 1)
        return places

    def _database(self) -> hyperscan.Database:
        # Scratch space must not be shared by scans that run at once.
        database = getattr(self._local, "database", None)
        if database is None:
            database = hyperscan.loadb(self._serialized, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
            self._local.database = database
        return database


def _noting(found: list[tuple[int, int, int]]) -> Callable[..., None]:
    add = found.append

    def note(number: int, start: int, end: int, flags: int, context: object) -> None:
        add((start, end, number))

    return note


def _expressions(rules: Sequence[Rule]) -> dict[_Expression, list[int]]:
    """Return each distinct expression with the numbers of its rules."""
    expressions: dict[_Expression, list[int]] = {}
    for number, rule in enumerate(rules):
        for anchor in rule.anchors:
            expression = _expression(rule, anchor)
            expressions.setdefault(expression, []).append(number)
    return expressions


def _expression(rule: Rule, anchor: bytes) -> _Expression:
    literal, following = re.escape(anchor), _following(rule, anchor)
    flags, group = _flags(rule), _group(rule, anchor)
    if rule.place != "loose" or (cheap := head(following)) == following:
        return _Expression(literal + following, anchor, flags, group, None)
    return _Expression(literal + cheap, anchor, flags, group, literal + following)


def _flags(rule: Rule) -> int:
    flags: int = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_DOTALL
    return flags | hyperscan.HS_FLAG_CASELESS if rule.place == "loose" else flags


def _group(rule: Rule, anchor: bytes) -> bytes:
    if rule.place == "loose":
        return b"loose"
    return b"single" if len(anchor) == 1 else b"literal"


def _following(rule: Rule, anchor: bytes) -> bytes:
    if rule.follow:
        return b"(?:" + rule.follow + b")"
    if rule.place != "run":
        return b""
    # A match has at least RUN bytes; more than these few would only cost time.
    least = _LEAST if len(anchor) >= _LEAST else _LEAST_SHORT
    least = min(least, RUN - len(anchor))
    return f"{_BODY}{{{least}}}".encode() if least > 0 else b""
