"""The layer: long runs, then what they are, then where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import compress
from operator import add
from typing import TypeAlias

from letsbe.plugin import Finding, Findings, Places, State
from letsbe_redactor_entropy.contexts import (
    PublicBlocks,
    is_file_content,
    is_harmless_place,
    is_identifier,
)
from letsbe_redactor_entropy.judging import (
    LONGEST,
    is_digest,
    is_joined,
    is_secret,
)
from letsbe_redactor_entropy.runs import LEAST, Runs, long_runs
from letsbe_redactor_entropy.screening import screened
from letsbe_redactor_entropy.wrapping import wrapped_block

_SEGMENT = re.compile(rb"[A-Za-z0-9_-]{%d,}" % LEAST)
_PADDING = b"="
_WHAT = ("random", None, "entropy")
MANY = 64
"""From here on findings are returned as columns."""

_Parts: TypeAlias = tuple[tuple[int, int], ...]


class EntropyLayer:
    """Finds what is too random to be anything but a secret."""

    name = "entropy"
    order = 30

    def state(self) -> State:
        """Say that what is found in a message is the same whenever it comes again."""
        return State(0, 0)

    def find(self, text: bytes) -> Iterable[Finding]:
        """Find random runs of at least 32 characters in places where secrets stand."""
        return _found(text, _candidates(text))

    def search(self, text: bytes) -> Places:
        """Find the long runs, by their length."""
        runs = _candidates(text)
        return Places(runs.starts, runs.lengths())

    def find_at(self, text: bytes, places: Places) -> Iterable[Finding]:
        """Find which of some runs are random."""
        offsets, lengths = places
        return _found(text, Runs(list(offsets), list(map(add, offsets, lengths))))

    def find_beside(
        self, text: bytes, starts: Sequence[int] = (), ends: Sequence[int] = ()
    ) -> Iterable[Finding]:
        """Find what is random beside registered values, which go in any case.

        Args:
            text: The text.
            starts: Where each registered value begins.
            ends: Where each of them ends.
        """
        return _found(text, _candidates(_without(text, starts, ends)))


def _candidates(text: bytes) -> Runs:
    """Return the long runs, but for those that a glance tells to be no secret."""
    return screened(text, long_runs(text))


def _found(text: bytes, runs: Runs) -> Iterable[Finding]:
    """Find which runs are random, and stand where secrets do."""
    first_found: list[int] = []
    last_found: list[int] = []
    known = _Judged()
    block, is_file = 0, False
    for start, value in zip(runs.starts, _padded_values(text, runs), strict=True):
        if is_file and start < block:
            continue  # a line of a file that was known by its lines before
        parts = known[value]
        if parts and start >= block:
            block, is_file = wrapped_block(text, start, start + len(value))
        for first, last in () if is_file else parts:
            if not is_harmless_place(text, start + first, start + last):
                first_found.append(start + first)
                last_found.append(start + last)
    if not first_found:
        return []
    blocks = PublicBlocks(text)
    outside = [not blocks.holds(start) for start in first_found]
    found = Findings(
        list(compress(first_found, outside)),
        list(compress(last_found, outside)),
        [_WHAT] * sum(outside),
    )
    return found if len(found) > MANY else list(found)


def _without(text: bytes, starts: Sequence[int], ends: Sequence[int]) -> bytes:
    """Return a text with spaces where some stretches are."""
    if not starts:
        return text
    left = bytearray(text)
    for start, end in zip(starts, ends, strict=True):
        left[start:end] = b" " * (end - start)
    return bytes(left)


def _padded_values(text: bytes, runs: Runs) -> list[bytes]:
    """Return the runs with the padding of base64 that follows them."""
    values = runs.cut_from(text)
    if _PADDING not in text:
        return values
    return [
        value + text[end : end + _padding(text, end)]
        if text.startswith(_PADDING, end)
        else value
        for value, end in zip(values, runs.ends, strict=True)
    ]


def _padding(text: bytes, end: int) -> int:
    """Return how much padding of base64 follows a run."""
    if not text.startswith(_PADDING, end):
        return 0
    return 2 if text.startswith(_PADDING, end + 1) else 1


class _Judged(dict[bytes, _Parts]):
    """Which parts of a run are random, judged when first asked for."""

    def __missing__(self, value: bytes) -> _Parts:
        parts = self[value] = _random_parts(value)
        return parts


def _random_parts(value: bytes) -> _Parts:
    """Return which parts of a run are random, as offsets into it.

    Args:
        value: The run, with its padding.
    """
    if value.isalnum():
        whole = _is_random(value) and not is_identifier(value)
        return ((0, len(value)),) if whole else ()
    run = value.rstrip(_PADDING)
    if len(run) < LEAST or _is_file(run) or is_digest(run) or is_identifier(run):
        return ()
    if not is_joined(run):
        return ((0, len(value)),) if _is_random(value) else ()
    return tuple(
        match.span()
        for match in _SEGMENT.finditer(run)
        if not is_identifier(match[0]) and _is_random(match[0])
    )


def _is_random(value: bytes) -> bool:
    return is_secret(value) and not is_file_content(value)


def _is_file(run: bytes) -> bool:
    """Tell at once what is longer than any secret, as no part of it could be one."""
    return len(run) > LONGEST and not is_joined(run)
