"""What stands in a text where a secret was, and how it is recognised again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"
_KIND = r"[a-z][a-z0-9_-]{0,63}"
_LONGEST = len("[REDACTED:]") + 64
_MANY = 100  # from here on, looking at the whole text first is worth it
_BEGINNINGS = (b"SECRET_REF(", b"[REDACTED:")
_LABEL = re.compile(_KIND)
_SECRET_NAME = re.compile(_NAME)
_RULE = re.compile(r"[A-Za-z0-9_.:-]{0,80}")
_PLACEHOLDER = re.compile(
    rf"SECRET_REF\((?P<name>{_NAME})\)|\[REDACTED:{_KIND}\]".encode()
)


class Region(NamedTuple):
    """A placeholder that already stands in a text.

    Args:
        start: Its first byte's offset.
        end: The offset after its last byte.
        inner_start: Where a finding may still lie in it: the name of a reference that
            is not a registered one, so that nobody hides a value there.
        inner_end: The offset after that stretch.
    """

    start: int
    end: int
    inner_start: int
    inner_end: int


@lru_cache(maxsize=65_536)
def placeholder(kind: str, name: str | None, rule: str) -> bytes:
    """Return what takes a finding's place: ASCII that any quoting leaves alone.

    Args:
        kind: The finding's kind.
        name: The registered secret's name, if it is one.
        rule: The layer's rule, checked because it is shown to people.

    Raises:
        ValueError: One of them is not of the form that :class:`Finding` states.
    """
    good = _LABEL.fullmatch(kind) and _RULE.fullmatch(rule)
    if not good or not (name is None or _SECRET_NAME.fullmatch(name)):
        message = "a finding's kind, name or rule is malformed"
        raise ValueError(message)
    return (f"[REDACTED:{kind}]" if name is None else f"SECRET_REF({name})").encode()


def placeholders_near(
    text: bytes, starts: Sequence[int], ends: Sequence[int], names: Collection[str]
) -> list[Region]:
    """Find the placeholders that stretches of a text could overlap, in order.

    Args:
        text: The text.
        starts: Where each stretch begins.
        ends: Where each stretch ends.
        names: The names of registered secrets; their references are closed to every
            finding.
    """
    if len(starts) >= _MANY:
        matches = _all_placeholders(text)
    else:
        # No placeholder begins inside another, so a window shows what the text does.
        matches = (
            match
            for start, end in zip(starts, ends, strict=True)
            for match in _PLACEHOLDER.finditer(
                text, max(start - _LONGEST, 0), end + _LONGEST
            )
        )
    found = {match.start(): _region(match, names) for match in matches}
    return [found[start] for start in sorted(found)]


def _all_placeholders(text: bytes) -> Iterator[re.Match[bytes]]:
    for beginning in _BEGINNINGS:
        position = text.find(beginning)
        while position >= 0:
            if match := _PLACEHOLDER.match(text, position):
                yield match
            position = text.find(beginning, position + 1)


def _region(match: re.Match[bytes], names: Collection[str]) -> Region:
    start, end = match.span()
    name = match["name"]
    if name is None or name.decode() in names:
        return Region(start, end, end, end)
    return Region(start, end, *match.span("name"))
