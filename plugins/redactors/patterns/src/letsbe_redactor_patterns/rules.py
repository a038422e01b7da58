"""Rules: data in TOML, each tested by its own examples when it loads."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from letsbe.plugin import LetsBeError
from letsbe_redactor_patterns.boundaries import begins_token
from letsbe_redactor_patterns.checks import CHECKS, Check
from letsbe_redactor_patterns.examples import example

RUN = 16
"""The least length of what holds a rule's anchor at ``run`` or ``inner``: a run of
letters, digits and ``_ - . ~``."""

_AHEAD = 80
"""How far behind its anchor a floating match may end."""

_BEFORE = 24
_BETWEEN = b" _.-"
_COMMAND = 320
_WITH_PARTS = {"regex", "follow", "before", "program"}
_LINE_ENDS = (b"\n", b"\\n")
_SEPARATORS = (*_LINE_ENDS, b"|", b";", b"&&")
_BACKSLASH = 0x5C
_CUT_OFF = (b"...", "…".encode())


class RuleBroken(LetsBeError):
    """A rule's data is wrong, or it fails one of its own examples."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One form of credential.

    Args:
        kind: What it is called in ``[REDACTED:kind]``.
        name: The rule's own name; several rules may find one kind.
        anchors: Literals, one of which every match holds. At ``loose`` they are lower
            case and found in any case.
        place: Where an anchor stands: ``run`` (it begins a token within a run, see
            :data:`RUN`), ``inner`` (anywhere in a run) or ``loose`` (anywhere).
        back: How far before its anchor a match begins.
        floating: Whether it may also begin closer to the anchor.
        follow: What must come after the anchor, as a cheap first test; only syntax
            that every engine knows.
        regex: The whole form; the groups ``v`` or ``u`` are what goes, else all.
        each: Finds the values within a match, if there may be several.
        before: What must come right before the match.
        reach: Within how many bytes before it.
        words: Of these, in any case, one must come right before the match, with at
            most one of ``_ . -`` and a space between. An expression for many words is
            tried at each byte within reach, at twenty times the cost.
        program: What must stand earlier in the same command.
        keep: A value of this form stays.
        check: What the value must be besides.
    """

    kind: str
    name: str
    anchors: tuple[bytes, ...]
    place: str
    back: int
    floating: bool
    follow: bytes
    regex: re.Pattern[bytes]
    each: re.Pattern[bytes] | None
    before: re.Pattern[bytes] | None
    reach: int
    words: tuple[bytes, ...]
    program: re.Pattern[bytes] | None
    keep: re.Pattern[bytes] | None
    check: Check

    def find(self, text: bytes, hits: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Find this form round its anchors.

        What a match covered is not looked at again, so that the work stays in
        proportion to the text however dense the anchors are.

        Args:
            text: The whole text.
            hits: The anchors' offsets in rising order.

        Yields:
            What goes, as start and end.
        """
        floor = 0
        for hit in hits:
            if hit < floor:
                continue
            match = self._match(text, hit, floor)
            if match is None:
                floor = hit + 1 if self.floating else floor
                continue
            floor = match.end()
            yield from self._spans(match)

    def _match(self, text: bytes, hit: int, floor: int) -> re.Match[bytes] | None:
        if self.floating:
            start, end = max(floor, hit - self.back), hit + _AHEAD
            match = self.regex.search(text, start, end)
            if match is None or not match.start() <= hit < match.end():
                return None
        elif hit - self.back < floor:
            return None
        else:
            match = self.regex.match(text, hit - self.back)
            if match is None:
                return None
        bounded = self.place == "run" or (self.place == "inner" and self.back)
        if bounded and not begins_token(text, match.start()):
            return None
        return match if self._is_preceded(match) else None

    def _spans(self, match: re.Match[bytes]) -> Iterator[tuple[int, int]]:
        if self.each is None:
            yield from self._span(match)
            return
        for part in self.each.finditer(match.string, *match.span()):
            yield from self._span(part)

    def _span(self, match: re.Match[bytes]) -> Iterator[tuple[int, int]]:
        group = _group(match)
        value = match[group]
        start = match.start(group)
        if group == "u":
            if value.endswith(_CUT_OFF):
                return
            value = _without_punctuation(value)
            # Bold type of Markdown.
            start += len(value) - len(value.removeprefix(b"**"))
            value = value.removeprefix(b"**").removesuffix(b"**")
        if not value or (self.keep and self.keep.fullmatch(value)):
            return
        if self.check(value, match):
            yield start, _end_of_character(match.string, start + len(value))

    def _is_preceded(self, match: re.Match[bytes]) -> bool:
        text, start = match.string, match.start()
        if self.words and not _is_after(text, start, self.words):
            return False
        if self.before and not self.before.search(
            text, max(0, start - self.reach), start
        ):
            return False
        if self.program is None:
            return True
        begin = _begin_of_command(text, start)
        return self.program.search(text, begin, start) is not None


def _is_after(text: bytes, start: int, words: tuple[bytes, ...]) -> bool:
    before = text[max(0, start - _BEFORE) : start].lower()
    between = before[-1:] in _BETWEEN
    return before.endswith(words) or (between and before[:-1].endswith(words))


def _begin_of_command(text: bytes, start: int) -> int:
    """Find where the command begins that goes on at an offset, over broken lines."""
    begin = max(0, start - _COMMAND)
    for separator in _SEPARATORS:
        last = text.rfind(separator, begin, start)
        while last > 0 and separator in _LINE_ENDS and text[last - 1] == _BACKSLASH:
            last = text.rfind(separator, begin, last)
        begin = begin if last < 0 else last + len(separator)
    return begin


def _group(match: re.Match[bytes]) -> str | int:
    """Return which group of a match is its value."""
    for group in _groups(match.re):
        if match[group] is not None:
            return group
    return 0


@cache
def _groups(pattern: re.Pattern[bytes]) -> tuple[str, ...]:
    return tuple(group for group in ("v", "u") if group in pattern.groupindex)


def _end_of_character(text: bytes, end: int) -> int:
    """Return an offset, or where the character ends that it would cut in two."""
    while end < len(text) and 0x80 <= text[end] < 0xC0:
        end += 1
    return end


def _without_punctuation(value: bytes) -> bytes:
    """Leave out what ends the sentence or the expression, not the value."""
    value = value.rstrip(b".,;:")
    while value[-1:] in (b")", b"]", b"}") and not _is_balanced(value):
        value = value[:-1].rstrip(b".,;:")
    return value


def _is_balanced(value: bytes) -> bool:
    opening = {b")": b"(", b"]": b"[", b"}": b"{"}[value[-1:]]
    return value.count(opening) >= value.count(value[-1:])


@cache
def load_rules() -> tuple[Rule, ...]:
    """Load every rule of this distribution and test it.

    Raises:
        RuleBroken: A file is malformed, or a rule fails one of its examples.
    """
    folder = resources.files("letsbe_redactor_patterns") / "rules"
    files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return tuple(
        rule
        for file in files
        if file.name.endswith(".toml")
        for rule in parse_rules(file.read_text("utf-8"))
    )


def parse_rules(document: str) -> list[Rule]:
    """Read the rules of one file and test each by its examples.

    Args:
        document: TOML with an array of tables ``rule`` and, if several share a part
            of a pattern, a table ``parts``.

    Raises:
        RuleBroken: It is malformed, or a rule fails one of its examples.
    """
    content = tomllib.loads(document)
    parts = content.get("parts", {})
    tables = [_assembled(table, parts) for table in content["rule"]]
    rules = [_rule(table) for table in tables]
    for rule, table in zip(rules, tables, strict=True):
        _test(rule, table["good"], table.get("bad", ()))
    return rules


def _assembled(table: dict[str, Any], parts: Mapping[str, str]) -> dict[str, Any]:
    """Put the file's parts where a rule names one in braces."""
    for name in _WITH_PARTS & table.keys():
        for part, source in parts.items():
            table[name] = table[name].replace("{" + part + "}", source)
    return table


def _rule(table: Mapping[str, Any]) -> Rule:
    place = table.get("place", "run")
    flags = re.VERBOSE if "\n" in table["regex"] else re.NOFLAG
    if place == "loose":
        flags |= re.IGNORECASE
    end = "" if place == "loose" else "(?![A-Za-z0-9])"
    return Rule(
        kind=table["kind"],
        name=table.get("name", table["kind"]),
        anchors=tuple(_spellings(table["anchors"])),
        place=place,
        back=table.get("back", 0),
        floating=table.get("floating", False),
        follow=table.get("follow", "").encode(),
        regex=re.compile(f"(?:{table['regex']}){end}".encode(), flags),
        each=_pattern(table.get("each"), flags),
        before=_pattern(table.get("before"), flags),
        reach=table.get("reach", _BEFORE),
        words=tuple(table.get("words", "").encode().split()),
        program=_pattern(table.get("program"), flags),
        keep=_pattern(table.get("keep"), flags),
        check=CHECKS[table.get("check", "token")],
    )


def _spellings(anchors: Iterable[str]) -> Iterator[bytes]:
    """Yield each anchor, and one that is not ASCII as JSON may spell it too."""
    for anchor in anchors:
        yield anchor.encode()
        if not anchor.isascii():
            yield json.dumps(anchor)[1:-1].encode()


def _pattern(source: str | None, flags: re.RegexFlag) -> re.Pattern[bytes] | None:
    return None if source is None else re.compile(source.encode(), flags)


def _test(rule: Rule, good: Sequence[str], bad: Sequence[str]) -> None:
    for recipe in good:
        text, wanted = example(recipe)
        if sorted(_found(rule, text)) != sorted(wanted):
            message = f"the rule {rule.name} fails its example: {recipe}"
            raise RuleBroken(message)
    for recipe in bad:
        if _found(rule, example(recipe).text):
            message = f"the rule {rule.name} takes what it must leave: {recipe}"
            raise RuleBroken(message)


def _found(rule: Rule, text: bytes) -> list[bytes]:
    searched = text.lower() if rule.place == "loose" else text
    hits = sorted(
        hit.start()
        for anchor in rule.anchors
        for hit in re.finditer(re.escape(anchor), searched)
    )
    return [text[start:end] for start, end in rule.find(text, hits)]
