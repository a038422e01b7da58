"""Finds the rules' anchors in plain Python, without looking at most of the text.

Nearly every token has 16 or more letters, digits, ``_ -`` in a row; text has few such
runs. They are found by translating the text into two characters and searching for 16
in a row, which the interpreter does at about a gigabyte a second. The other anchors
are searched one after the other in a lower-cased copy.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from letsbe_redactor_patterns.rules import RUN, Rule

Hits = dict[int, list[int]]
"""For each rule's number the offsets of its anchors, rising."""

_Test = Callable[[bytes, int], object]
_Probe = tuple[bytes, list[tuple[int, int, _Test | None]]]

_IN_RUN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_CLASSES = bytes(0x61 if byte in _IN_RUN else 0x20 for byte in range(256))
_LEAD = 20
_NO_TOKEN = b"abcdefghijklmnopqrstuvwxyz_-"


class Scanner(Protocol):
    """Finds anchors."""

    def scan(self, text: bytes) -> Hits:
        """Return where the anchors stand; some may fail the rule, none is missing."""
        ...


class PlainScanner:
    """The scanner that needs nothing but Python.

    Args:
        rules: The rules, numbered by their place.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._starting = _numbers(rules, "run")
        self._begins = _beginning(self._starting)
        self._inner = _probes(rules, "inner")
        self._loose = _probes(rules, "loose")

    def scan(self, text: bytes) -> Hits:
        """Return where the anchors stand."""
        hits: Hits = {}
        lowered = text.lower()
        for number, offset in _search(lowered, self._loose):
            hits.setdefault(number, []).append(offset)
        for number, offset in self._in_runs(text):
            hits.setdefault(number, []).append(offset)
        for offsets in hits.values():
            offsets.sort()
        return hits

    def _in_runs(self, text: bytes) -> Iterable[tuple[int, int]]:
        runs = _runs(text)
        if not runs:
            return
        joined = b"\0".join([text[start:end] for start, end in runs])
        starts, offset = [], 0
        for start, end in runs:
            starts.append(offset)
            offset += end - start + 1
        found = _search(joined, self._inner)
        for match in self._begins.finditer(joined):
            place = match.start("a")
            found += [(number, place) for number in self._starting[match["a"]]]
        for number, place in found:
            index = bisect_right(starts, place) - 1
            yield number, runs[index][0] + place - starts[index]


def _search(text: bytes, probes: Iterable[_Probe]) -> list[tuple[int, int]]:
    """Search one probe after the other; the tests look at what stands round it."""
    found = []
    for probe, tests in probes:
        position = text.find(probe)
        while position >= 0:
            end = position + len(probe)
            for number, back, test in tests:
                if test is None or test(text, position - back):
                    found.append((number, position - back))
            position = text.find(probe, end)
    return found


def _runs(text: bytes) -> list[tuple[int, int]]:
    """Return the long runs with a little before each, none overlapping another.

    A run of lower-case letters alone is a name, never a token.
    """
    classed = text.translate(_CLASSES)
    needle = b"a" * RUN
    size, last = len(text), 0
    runs = []
    position = classed.find(needle)
    while position >= 0:
        end = classed.find(b" ", position)
        end = size if end < 0 else end
        if text[position:end].translate(None, _NO_TOKEN):
            start = max(last, position - _LEAD)
            last = min(end + 1, size)
            runs.append((start, last))
        position = classed.find(needle, end)
    return runs


def _numbers(rules: Sequence[Rule], place: str) -> dict[bytes, list[int]]:
    numbers: dict[bytes, list[int]] = {}
    for number, rule in enumerate(rules):
        for anchor in rule.anchors if rule.place == place else ():
            numbers.setdefault(anchor, []).append(number)
    return numbers


def _probes(rules: Sequence[Rule], place: str) -> list[_Probe]:
    """Return what to search: of anchors that hold one another, the innermost.

    What is searched at ``loose`` is lower case, so its tests need not mind the case.
    """
    numbers = _numbers(rules, place)
    probes: dict[bytes, list[tuple[int, int, _Test | None]]] = {}
    for anchor in sorted(numbers, key=lambda a: (len(a), a)):
        probe = next((p for p in probes if p in anchor), anchor)
        tests = probes.setdefault(probe, [])
        for number in numbers[anchor]:
            test = _test(rules[number], anchor, probe)
            tests.append((number, anchor.index(probe), test))
    return list(probes.items())


def _test(rule: Rule, anchor: bytes, probe: bytes) -> _Test | None:
    if not rule.follow and anchor == probe:
        return None
    flags = re.IGNORECASE if rule.place == "loose" else re.NOFLAG
    return re.compile(re.escape(anchor) + b"(?:" + rule.follow + b")", flags).match


def _beginning(anchors: Iterable[bytes]) -> re.Pattern[bytes]:
    """Compile what finds an anchor where a token may begin, roughly.

    The boundary itself is checked by the rule. Anchors that begin with the same byte
    are grouped, so that a position costs a few comparisons and not one for each.
    """
    groups: dict[bytes, list[bytes]] = {}
    for anchor in sorted(anchors, key=lambda a: (-len(a), a)):
        groups.setdefault(anchor[:1], []).append(anchor[1:])
    choices = [
        re.escape(first) + b"(?:" + b"|".join(map(re.escape, rests)) + b")"
        for first, rests in sorted(groups.items())
    ]
    escape = rb"(?:[nrtbfv0]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-9A-F]{2}|[0-9;]{0,8}m)?"
    return re.compile(
        rb"(?:\A|[^A-Za-z0-9])" + escape + rb"(?P<a>" + b"|".join(choices) + rb")"
    )
