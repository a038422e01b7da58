"""A database of Hyperscan that many threads scan with at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, final


@final
class SharedDatabase:
    """A compiled database, and the scratch space for scans with it.

    A scan needs memory of its own while it runs (``HS_SCRATCH_IN_USE``); as much as was
    ever needed at once is kept.

    Args:
        database: A ``hyperscan.Database``, compiled.
    """

    def __init__(self, database: Any) -> None:  # noqa: ANN401 - it has no types
        self._database = database
        self._idle = deque([database.scratch])

    def scan(self, text: bytes | memoryview, found: Callable[..., bool | None]) -> None:
        """Call back for each match; see ``hs_scan``.

        Raises:
            hyperscan.ScanTerminated: The callback asked for the end.
        """
        try:
            scratch = self._idle.pop()
        except IndexError:
            scratch = self._database.scratch.clone()
        try:
            self._database.scan(text, match_event_handler=found, scratch=scratch)
        finally:
            self._idle.append(scratch)
