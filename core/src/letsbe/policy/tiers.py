"""How much harm a call can do, in five steps."""

from __future__ import annotations

import enum

from typing_extensions import override


class Tier(enum.IntEnum):
    """The tier of a tool call; a stricter tier compares greater.

    Whatever is not declared or not understood is :attr:`RED`.
    """

    GREEN = 0
    """Reads."""
    YELLOW = 1
    """Changes that can be undone."""
    YELLOW_EXTERNAL = 2
    """Reaches people or systems outside."""
    RED = 3
    """Destroys, or is hard to undo."""
    CRITICAL_RED = 4
    """Catastrophic and irreversible."""

    @override
    def __str__(self) -> str:
        return self.name
