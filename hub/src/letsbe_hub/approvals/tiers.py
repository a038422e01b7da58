"""What each tier means to whoever decides, in words instead of colours."""

from __future__ import annotations

from collections.abc import Mapping

TIERS: Mapping[str, str] = {
    "GREEN": "Only reads",
    "YELLOW": "Changes something that can be undone",
    "YELLOW_EXTERNAL": "Reaches people or systems outside",
    "RED": "Destroys something, or is hard to undo",
    "CRITICAL_RED": "Catastrophic if it is wrong, and cannot be undone",
}
