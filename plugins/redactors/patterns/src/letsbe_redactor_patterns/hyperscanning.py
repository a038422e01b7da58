"""Finds the rules' anchors with Hyperscan (Vectorscan) instead of plain Python.

Each expression is an anchor with a cheap test of what follows it, so that a callback
means work worth doing. All that may follow one anchor is one expression: words such as
``token`` are frequent, and each expression that begins with them costs again. Hyperscan
only says where a match ends, as keeping its start would cost as much as the search; the
anchor is looked for before that.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import hyperscan

from letsbe.plugin import Places
from letsbe_redactor_patterns.heads import head, longest
from letsbe_redactor_patterns.rules import RUN, Rule
from letsbe_redactor_patterns.scanning import Hits

_LEAST, _LEAST_SHORT = 4, RUN
_BODY = "[A-Za-z0-9_.~+/=:%|-]"

_NOT_THERE = (-1, -1)

_Members = dict[bytes, list[int]]
_Test = Callable[[bytes, int], re.Match[bytes] | None]


class HyperscanScanner:
    """The scanner over Hyperscan.

    Args:
        rules: The rules, numbered by their place.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        families = _families(rules)
        # In one database they take longer than apart.
        self._groups = [
            _Group({f: m for f, m in families.items() if f.caseless is caseless})
            for caseless in (False, True)
        ]

    def search(self, text: bytes) -> Places:
        """Return where anchors may stand, each with its family's number."""
        count = len(self._groups)
        found = sorted(
            (start, count * family + number)
            for number, group in enumerate(self._groups)
            for family, start in group.search(text)
        )
        return Places([start for start, _ in found], [mark for _, mark in found])

    def hits(self, text: bytes, places: Places) -> Hits:
        """Return where they stand, with what must follow, by rule."""
        hits: defaultdict[int, list[int]] = defaultdict(list)
        groups, count = self._groups, len(self._groups)
        for start, mark in zip(*places, strict=True):
            for number in groups[mark % count].rules_at(text, mark // count, start):
                hits[number].append(start)
        return {number: sorted(set(starts)) for number, starts in hits.items()}


class _Family(NamedTuple):
    """All that begins with one anchor.

    Args:
        anchor: The literal.
        caseless: Whether its case does not matter; then it is lower case.
    """

    anchor: bytes
    caseless: bool


class _Group:
    """Families in a database of their own, each with what may follow it.

    Args:
        families: By family, what may follow the anchor, and for which rules.
    """

    def __init__(self, families: Mapping[_Family, _Members]) -> None:
        self._families = list(families)
        self._tests = [_test(*item) for item in families.items()]
        self._numbers = [list(members.values()) for members in families.values()]
        self._longest = [
            len(family.anchor) + max(map(longest, members))
            for family, members in families.items()
        ]
        database = hyperscan.Database()
        database.compile(
            expressions=[_expression(*item) for item in families.items()],
            ids=list(range(len(families))),
            elements=len(families),
            flags=[_flags(family) for family in families],
        )
        self._database = database
        # A scan needs scratch space of its own; as many as have run at once are kept.
        self._idle = deque([database.scratch])

    def search(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where anchors may stand, after each family's place."""
        found: list[tuple[int, int]] = []
        self._search(text, _noting(found))
        return self._places(text, found)

    def rules_at(self, text: bytes, family: int, start: int) -> Sequence[int]:
        """Return the numbers of those rules whose tests what stands there passes."""
        match = self._tests[family](text, start)
        if match is None:
            return ()
        members = self._numbers[family]
        if len(members) == 1:
            return members[0] if match.regs[1] != _NOT_THERE else ()
        spans = match.regs[1:]
        return [
            number
            for span, numbers in zip(spans, members, strict=True)
            if span != _NOT_THERE
            for number in numbers
        ]

    def _places(
        self, text: bytes, found: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, int]]:
        """Yield every place, once, where an anchor stands before the end of a match."""
        seen = [0] * len(self._families)
        for number, end in found:  # the ends of one family rise
            anchor, caseless = self._families[number]
            low = max(seen[number], end - self._longest[number])
            after = end - len(anchor) + 1
            if low >= after:
                continue  # one of the last match's other ends
            window = text[low:end].lower() if caseless else text[low:end]
            position = window.find(anchor)
            while position >= 0:
                yield number, low + position
                position = window.find(anchor, position + 1)
            seen[number] = after

    def _search(self, text: bytes, note: Callable[..., None]) -> None:
        try:
            scratch = self._idle.pop()
        except IndexError:
            scratch = self._database.scratch.clone()
        self._database.scan(text, match_event_handler=note, scratch=scratch)
        self._idle.append(scratch)


def _noting(found: list[tuple[int, int]]) -> Callable[..., None]:
    add = found.append

    def note(number: int, start: int, end: int, flags: int, context: object) -> None:
        add((number, end))

    return note


def _families(rules: Sequence[Rule]) -> dict[_Family, _Members]:
    """Return each anchor with all that may follow it, and the numbers of the rules."""
    families: dict[_Family, _Members] = {}
    for number, rule in enumerate(rules):
        for anchor in rule.anchors:
            members = families.setdefault(_Family(anchor, rule.place == "loose"), {})
            members.setdefault(_following(rule, anchor), []).append(number)
    return families


def _expression(family: _Family, members: _Members) -> bytes:
    """Write what finds any of a family's members, and perhaps a little more."""
    follows = dict.fromkeys(map(head, members) if family.caseless else members)
    anchor = re.escape(family.anchor)
    return anchor if b"" in follows else anchor + b"(?:" + b"|".join(follows) + b")"


def _test(family: _Family, members: _Members) -> _Test:
    """Compile what tells which of a family's members match, by a group for each."""
    flags = re.DOTALL | (re.IGNORECASE if family.caseless else re.NOFLAG)
    each = b"".join(b"(?:(?=(" + follow + b"))|)" for follow in members)
    return re.compile(re.escape(family.anchor) + each, flags).match


def _flags(family: _Family) -> int:
    flags: int = hyperscan.HS_FLAG_DOTALL
    return flags | hyperscan.HS_FLAG_CASELESS if family.caseless else flags


def _following(rule: Rule, anchor: bytes) -> bytes:
    if rule.follow:
        return b"(?:" + rule.follow + b")"
    if rule.place != "run":
        return b""
    # A match has at least RUN bytes. Behind four letters a few of them are enough;
    # fewer letters stand in many words, where testing all costs less than a call back.
    least = _LEAST if len(anchor) >= _LEAST else _LEAST_SHORT
    least = min(least, RUN - len(anchor))
    return f"{_BODY}{{{least}}}".encode() if least > 0 else b""
