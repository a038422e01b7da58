"""Chooses what finds long runs: plain Python, or Hyperscan if it is installed."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from letsbe_redactor_entropy.runs import CHARACTERS, LEAST, long_runs, whole_run

Runs: TypeAlias = Callable[[bytes], Iterator[tuple[int, int]]]
"""Yields start and end of each long run of a text, in order."""

# ASCII that ends a run. With the bytes of other characters among them, Hyperscan takes
# three times as long; a stretch that has some is looked at again.
_ENDS = b"".join(rb"\x%02x" % byte for byte in range(128) if byte not in CHARACTERS)
_BACKWARDS = re.compile(b"[^" + _ENDS + b"]*")
_MARKED = bytes(
    0x61 if byte in CHARACTERS or byte > 127 else 0x20 for byte in range(256)
)
_WINDOW = 128


def best_runs() -> Runs:
    """Return the fastest search that is installed."""
    if importlib.util.find_spec("hyperscan") is None:
        return long_runs
    return HyperscanRuns()


class HyperscanRuns:
    """Finds long runs in one pass."""

    def __init__(self) -> None:
        # Imported here, because it is an optional part of the installation.
        import hyperscan  # noqa: PLC0415 - see above

        self._hyperscan = hyperscan
        database = hyperscan.Database()
        source = b"[^%b]{%d}[%b]" % (_ENDS, LEAST, _ENDS)
        database.compile(expressions=[source], ids=[0], elements=1, flags=[0])
        self._serialized = hyperscan.dumpb(database)
        self._local = threading.local()

    def __call__(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where the runs stand; the same as :func:`long_runs`."""
        ends: list[int] = []
        add = ends.append

        def note(
            number: int, start: int, end: int, flags: int, context: object
        ) -> None:
            add(end - 1)

        self._database().scan(text, match_event_handler=note)
        for end in (*ends, len(text)):
            start = _beginning(text, end)
            if end - start < LEAST:
                continue
            if text[start:end].isascii():
                yield from whole_run(text, start, end)
            else:
                yield from long_runs(text, start, end)

    def _database(self) -> Any:  # noqa: ANN401 - hyperscan has no types
        database = getattr(self._local, "database", None)
        if database is None:
            # Scratch space must not be shared by scans that run at once.
            mode = self._hyperscan.HS_MODE_BLOCK
            database = self._hyperscan.loadb(self._serialized, mode)
            database.scratch = self._hyperscan.Scratch(database)
            self._local.database = database
        return database


def _beginning(text: bytes, end: int) -> int:
    """Return where the stretch begins that ends at an offset."""
    low = max(end - _WINDOW, 0)
    before = _BACKWARDS.match(text[low:end][::-1])
    start = end - (before.end() if before else 0)
    size = _WINDOW
    while start == low and low:
        size *= 8
        low = max(end - size, 0)
        start = low + text[low:end].translate(_MARKED).rfind(b" ") + 1
    return start
