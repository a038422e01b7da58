"""Chooses what finds the stems: plain Python, or Hyperscan if it is installed."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable

from letsbe_redactor_jsonkeys.keys import STEMS, stems_in

_AFTER = rb"""[a-z0-9_.-]{0,48}\\{0,31}["']?\s{0,8}[,:=]"""


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

        self._hyperscan = hyperscan
        flag = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_CASELESS
        database = hyperscan.Database()
        database.compile(
            expressions=[stem + _AFTER for stem in STEMS],
            ids=list(range(len(STEMS))),
            elements=len(STEMS),
            flags=[flag] * len(STEMS),
        )
        self._serialized = hyperscan.dumpb(database)
        self._local = threading.local()

    def __call__(self, text: bytes) -> list[int]:
        """Return where the stems stand, rising."""
        found: set[int] = set()
        add = found.add

        def note(
            number: int, start: int, end: int, flags: int, context: object
        ) -> None:
            add(start)

        database = getattr(self._local, "database", None)
        if database is None:
            # Scratch space must not be shared by scans that run at once.
            mode = self._hyperscan.HS_MODE_BLOCK
            database = self._hyperscan.loadb(self._serialized, mode)
            database.scratch = self._hyperscan.Scratch(database)
            self._local.database = database
        database.scan(text, match_event_handler=note)
        return sorted(found)
