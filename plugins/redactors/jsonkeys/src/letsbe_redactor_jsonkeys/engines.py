"""Chooses what finds the stems: plain Python, or Hyperscan if it is installed."""

from __future__ import annotations

import importlib.util
from collections import deque
from collections.abc import Callable

from letsbe_redactor_jsonkeys.keys import STEMS, stems_in

_AFTER = rb"""[a-z0-9_.-]{0,48}\\{0,31}["']?\s{0,8}[,:=]"""
_UNUSED = 100
"""So many literals are searched for besides, which are in no text. With a score of
literals Hyperscan takes a search for few, which these frequent ones slow down to half
the speed of its search for many."""


def best_stems() -> Callable[[bytes], list[int]]:
    """Return the fastest search that is installed."""
    if importlib.util.find_spec("hyperscan") is None:
        return stems_in
    return HyperscanStems()


class HyperscanStems:
    """Finds stems that may be part of a key, in one pass."""

    def __init__(self) -> None:
        # Imported here, because it is an optional part of the installation.
        import hyperscan  # noqa: PLC0415 - see above

        flag = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_CASELESS
        expressions = [stem + _AFTER for stem in STEMS] + _unused()
        database = hyperscan.Database()
        database.compile(
            expressions=expressions,
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=[flag] * len(expressions),
        )
        self._database = database
        # A scan needs scratch space of its own; as many as have run at once are kept.
        self._idle = deque([database.scratch])

    def __call__(self, text: bytes) -> list[int]:
        """Return where the stems stand, rising."""
        found: set[int] = set()
        add = found.add

        def note(
            number: int, start: int, end: int, flags: int, context: object
        ) -> None:
            add(start)

        try:
            scratch = self._idle.pop()
        except IndexError:
            scratch = self._database.scratch.clone()
        self._database.scan(text, match_event_handler=note, scratch=scratch)
        self._idle.append(scratch)
        return sorted(found)


def _unused() -> list[bytes]:
    """Return literals of control characters, all different."""
    return [
        b"\\x1e\\x%02x\\x%02x\\x1f\\x1e\\x1c" % (1 + number // 8, 1 + number % 8)
        for number in range(_UNUSED)
    ]
