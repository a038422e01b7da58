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
    is_plain_digest,
    is_secret,
)
from letsbe_redactor_entropy.runs import LEAST, Run, long_runs
from letsbe_redactor_entropy.wrapping import wrapped_block

_SEGMENT = re.compile(rb"[A-Za-z0-9_-]{%d,}" % LEAST)
_PADDING = b"="
_WHAT = ("random", None, "entropy")
MANY = 64
"""From here on findings are returned as columns."""

_Parts: TypeAlias = tuple[Run, ...]


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
        return Places(
            [start for start, _ in runs], [end - start for start, end in runs]
        )

    def find_at(self, text: bytes, places: Places) -> Iterable[Finding]:
        """Find which of some runs are random."""
        offsets, lengths = places
        return _found(text, zip(offsets, map(add, offsets, lengths), strict=True))

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


def _candidates(text: bytes) -> list[Run]:
    """Return the long runs, but for digests, which most of them are."""
    return [run for run in long_runs(text) if not is_plain_digest(text[slice(*run)])]


def _found(text: bytes, runs: Iterable[Run]) -> Iterable[Finding]:
    """Find which runs are random, and stand where secrets do."""
    first_found: list[int] = []
    last_found: list[int] = []
    known: dict[bytes, _Parts] = {}
    padded = _PADDING in text
    block, is_file = 0, False
    for start, end in runs:
        value = text[start : end + _padding(text, end) if padded else end]
        parts = known.get(value)
        if parts is None:
            parts = known[value] = _random_parts(value)
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


def _padding(text: bytes, end: int) -> int:
    """Return how much padding of base64 follows a run."""
    if not text.startswith(_PADDING, end):
        return 0
    return 2 if text.startswith(_PADDING, end + 1) else 1


def _random_parts(value: bytes) -> _Parts:
    """Return which parts of a run are random, as offsets into it.

    Args:
        value: The run, with its padding.
    """
    if value.isalnum():
        whole = len(value) >= LEAST and not is_identifier(value) and _is_random(value)
        return ((0, len(value)),) if whole else ()
    run = value.rstrip(_PADDING)
    if len(run) < LEAST or _is_file(run) or is_digest(run) or is_identifier(run):
        return ()
    if not _is_joined(run):
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
    return len(run) > LONGEST and not _is_joined(run)


def _is_joined(run: bytes) -> bool:
    """Tell a path, or names that are joined: base64 has ``+ /`` or ``- _``."""
    return (b"/" in run or b"+" in run) and (b"-" in run or b"_" in run)
