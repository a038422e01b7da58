"""The layer: long runs, then where they stand, then what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from letsbe.plugin import Finding, State
from letsbe_redactor_entropy.contexts import (
    PublicBlocks,
    is_harmless_place,
    is_identifier,
)
from letsbe_redactor_entropy.engines import Runs
from letsbe_redactor_entropy.judging import LONGEST, is_digest, is_secret
from letsbe_redactor_entropy.runs import LEAST, long_runs

_SEGMENT = re.compile(rb"[A-Za-z0-9_-]{%d,}" % LEAST)
_PADDING = ord("=")


class EntropyLayer:
    """Finds what is too random to be anything but a secret.

    Args:
        runs: Finds long runs of the characters that secrets are made of.
    """

    name = "entropy"
    order = 30

    def __init__(self, runs: Runs = long_runs) -> None:
        self._runs = runs

    def state(self) -> State:
        """Say that what is found in a message is the same whenever it comes again."""
        return State(0, 0)

    def find(self, text: bytes) -> list[Finding]:
        """Find random runs of at least 32 characters in places where secrets stand."""
        blocks: PublicBlocks | None = None
        found = []
        for start, end in self._runs(text):
            run = text[start:end]
            if _is_file(run) or is_digest(run) or is_identifier(run):
                continue
            for begin, stop in _segments(text, start, end):
                value = text[begin:stop]
                if is_identifier(value) or not is_secret(value):
                    continue
                if is_harmless_place(text, begin, stop):
                    continue
                blocks = blocks or PublicBlocks(text)
                if not blocks.holds(begin):
                    found.append(Finding(begin, stop, "random", None, "entropy"))
        return found


def _is_file(run: bytes) -> bool:
    """Tell at once what is longer than any secret, as no part of it could be one."""
    return len(run) > LONGEST and not _is_joined(run)


def _is_joined(run: bytes) -> bool:
    """Tell a path, or names that are joined: base64 has ``+ /`` or ``- _``."""
    return (b"/" in run or b"+" in run) and (b"-" in run or b"_" in run)


def _segments(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a run that can be one value, with their padding.

    Base64 has ``+ /`` or ``- _``; a run with both kinds is a path or names joined.
    """
    run = text[start:end]
    if _is_joined(run):
        for match in _SEGMENT.finditer(text, start, end):
            yield match.span()
        return
    while end < len(text) and text[end] == _PADDING and end - start < len(run) + 2:
        end += 1
    yield start, end
