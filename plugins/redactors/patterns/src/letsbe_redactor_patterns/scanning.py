"""Finds the rules' anchors in plain Python, without looking at most of the text.

Nearly every token has 16 or more letters, digits, ``_ -`` in a row; text has few such
runs. They are found by translating the text into two characters and searching for 16
in a row, which the interpreter does at about a gigabyte a second. The other anchors
are searched one after the other in a lower-cased copy, but only those whose letters
stand in one of the text's words: a text has few different ones.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple, Protocol

from letsbe.plugin import Places
from letsbe_redactor_patterns.rules import RUN, Rule

Hits = dict[int, list[int]]
"""For each rule's number the offsets of its anchors, rising."""

_Test = Callable[[bytes, int], object]
_Source = tuple[int, bytes]

_IN_RUN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_CLASSES = bytes(0x61 if byte in _IN_RUN else 0x20 for byte in range(256))
_LEAD = 28  # the longest prefix before a long run, and the escape before that
_ESCAPE_END = (
    rb"(?:\\(?:[nrtbfv0]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|%[0-9A-F]{2}"
    rb"|\[[0-9;]{0,8}m|&(?:quot|amp|lt|gt|nbsp))"
)
_LEADS = (rb"(?:\A|[^A-Za-z0-9])", _ESCAPE_END)
_LETTERS = bytes(
    byte if byte >= 0x80 or 0x61 <= byte <= 0x7A else 0x20
    for byte in bytes(range(256)).lower()
)
_NO_TOKEN = b"abcdefghijklmnopqrstuvwxyz_-"


class Scanner(Protocol):
    """Finds anchors, first anywhere in a text, then those of each rule."""

    def search(self, text: bytes) -> Places:
        """Return where anchors may stand; none is missing, also of a part of it."""
        ...

    def hits(self, text: bytes, places: Places) -> Hits:
        """Return which rules' anchors stand at some places, with what must follow."""
        ...


class _Gate(NamedTuple):
    """The anchors that begin equally far before what is searched.

    Args:
        back: How far.
        any_of: Tells whether one of them may stand there.
        each: Each rule's number with its own test; none if it is the only one.
    """

    back: int
    any_of: _Test
    each: list[tuple[int, _Test | None]]


class _Probe(NamedTuple):
    """What is searched in the text, and what is done where it stands.

    Args:
        literal: The bytes.
        words: Their letters, with a space where something else bounds them.
        gates: The anchors that hold them.
    """

    literal: bytes
    words: tuple[bytes, ...]
    gates: list[_Gate]

    def is_in(self, vocabulary: bytes) -> bool:
        """Say whether a text with these words may hold it."""
        return all(word in vocabulary for word in self.words)


class PlainScanner:
    """The scanner that needs nothing but Python.

    Args:
        rules: The rules, numbered by their place.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        starting = _numbers(rules, "run")
        self._begins = _beginnings(starting)
        # Where the longest of several anchors stands, so do those that it begins with.
        self._starting = {
            anchor: [n for a in starting if anchor.startswith(a) for n in starting[a]]
            for anchor in starting
        }
        self._inner = _inner(rules)
        self._loose = _probes(rules)
        self._follows = {
            number: _test(_anchors(rule) + b"(?:" + rule.follow + b")")
            for number, rule in enumerate(rules)
            if rule.follow
        }

    def search(self, text: bytes) -> Places:
        """Return where anchors may stand, each with its rule's number."""
        known = _vocabulary(text)
        loose = _search(text.lower(), [p for p in self._loose if p.is_in(known)])
        found = sorted((at, number) for number, at in chain(loose, self._in_runs(text)))
        return Places([at for at, _ in found], [number for _, number in found])

    def hits(self, text: bytes, places: Places) -> Hits:
        """Return where they stand, with what must follow, by rule."""
        hits: Hits = {}
        for offset, number in zip(*places, strict=True):
            follows = self._follows.get(number)
            # What follows may end beyond this text, if more was searched.
            if follows is None or follows(text, offset):
                hits.setdefault(number, []).append(offset)
        return hits

    def _in_runs(self, text: bytes) -> Iterator[tuple[int, int]]:
        runs = _runs(text)
        joined = b"\0".join([text[start:end] for start, end in runs])
        starts = [0, *accumulate(end - start + 1 for start, end in runs)]
        for begins in self._begins:
            for match in begins.finditer(joined):
                place = _in_text(match.start("a"), starts, runs)
                for number in self._starting[match["a"]]:
                    yield number, place
        for inner, number in self._inner:
            for match in inner.finditer(joined):
                yield number, _in_text(match.start(), starts, runs)


def _in_text(position: int, starts: list[int], runs: list[tuple[int, int]]) -> int:
    """Turn an offset into the joined runs into one into the text."""
    index = bisect_right(starts, position) - 1
    return runs[index][0] + position - starts[index]


def _search(text: bytes, probes: Iterable[_Probe]) -> Iterator[tuple[int, int]]:
    """Search one probe after the other; the gates look at what stands round it."""
    for probe, _, gates in probes:
        position = text.find(probe)
        while position >= 0:
            for gate in gates:
                yield from _numbers_at(text, position - gate.back, gate)
            position = text.find(probe, position + len(probe))


def _numbers_at(text: bytes, start: int, gate: _Gate) -> Iterator[tuple[int, int]]:
    if start >= 0 and gate.any_of(text, start):
        for number, test in gate.each:
            if test is None or test(text, start):
                yield number, start


def _runs(text: bytes) -> list[tuple[int, int]]:
    """Return the long runs with a little round each, none touching another.

    A run of lower-case letters alone is a name, never a token.
    """
    classed = text.translate(_CLASSES)
    needle = b"a" * RUN
    size = len(text)
    runs: list[tuple[int, int]] = []
    position = classed.find(needle)
    while position >= 0:
        end = classed.find(b" ", position)
        end = size if end < 0 else end
        if text[position:end].translate(None, _NO_TOKEN):
            start = max(0, position - _LEAD)
            if runs and start <= runs[-1][1]:
                start = runs.pop()[0]
            runs.append((start, min(end + 1, size)))
        position = classed.find(needle, end)
    return runs


def _numbers(rules: Sequence[Rule], place: str) -> dict[bytes, list[int]]:
    numbers: dict[bytes, list[int]] = {}
    for number, rule in enumerate(rules):
        for anchor in rule.anchors if rule.place == place else ():
            numbers.setdefault(anchor, []).append(number)
    return numbers


def _inner(rules: Sequence[Rule]) -> list[tuple[re.Pattern[bytes], int]]:
    return [
        (re.compile(_anchors(rule) + b"(?=" + rule.follow + b")"), number)
        for number, rule in enumerate(rules)
        if rule.place == "inner"
    ]


def _probes(rules: Sequence[Rule]) -> list[_Probe]:
    """Return what to search anywhere: of anchors that hold one another, the innermost.

    What is searched is lower case, so the tests need not mind the case.
    """
    numbers = _numbers(rules, "loose")
    probes: dict[bytes, dict[int, list[_Source]]] = {}
    for anchor in sorted(numbers, key=lambda a: (len(a), a)):
        probe = next((p for p in probes if p in anchor), anchor)
        sources = probes.setdefault(probe, {}).setdefault(anchor.index(probe), [])
        for number in numbers[anchor]:
            follow = b"(?:" + rules[number].follow + b")"
            sources.append((number, re.escape(anchor) + follow))
    return [
        _Probe(probe, _words(probe), [_gate(*item) for item in groups.items()])
        for probe, groups in probes.items()
    ]


def _anchors(rule: Rule) -> bytes:
    return b"(?:" + b"|".join(map(re.escape, rule.anchors)) + b")"


def _gate(back: int, sources: list[_Source]) -> _Gate:
    """Compile one test for all anchors at one place, then one for each."""
    union = b"|".join(dict.fromkeys(source for _, source in sources))
    if len(sources) == 1:
        return _Gate(back, _test(union), [(sources[0][0], None)])
    return _Gate(back, _test(union), [(n, _test(source)) for n, source in sources])


def _words(probe: bytes) -> tuple[bytes, ...]:
    """Return the words of a probe, with a space where the probe ends one."""
    return tuple(re.findall(rb" ?[^ ]+(?: |\Z)", probe.translate(_LETTERS)))


def _vocabulary(text: bytes) -> bytes:
    """Return the different words of a text in lower case, each between spaces."""
    return b" " + b" ".join(set(text.translate(_LETTERS).split())) + b" "


def _test(source: bytes) -> _Test:
    return re.compile(source, re.IGNORECASE).match


def _beginnings(anchors: Iterable[bytes]) -> list[re.Pattern[bytes]]:
    """Compile what finds an anchor where a token may begin, roughly.

    The boundary itself is checked by the rule. Anchors that begin with the same byte
    are grouped, so that a position costs a few comparisons and not one for each. What
    an escape ends is searched apart: its letters could be another anchor's first.
    """
    groups: dict[bytes, list[bytes]] = {}
    for anchor in sorted(anchors, key=lambda a: (-len(a), a)):
        groups.setdefault(anchor[:1], []).append(anchor[1:])
    choices = b"|".join(
        re.escape(first) + b"(?:" + b"|".join(map(re.escape, rests)) + b")"
        for first, rests in sorted(groups.items())
    )
    return [re.compile(lead + b"(?=(?P<a>" + choices + b"))") for lead in _LEADS]
