"""Which references a session has used, for when its runtime gives them back masked.

A runtime that masks its own transcript shows the model ``Bearer ***)`` where the model
wrote ``Bearer SECRET_REF(cloud_token)``, and the model copies what it sees. What is
around the mask says which reference stood there.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from itertools import takewhile

from letsbe.plugin import ToolCall
from letsbe.vault.names import NAME
from letsbe.vault.strings import strings_in

MOST_SESSIONS, MOST_TEXTS, LONGEST_TEXT = 256, 32, 4096
"""What is kept: sessions, texts of each, and characters of a text."""

LONGEST_MASK = 64
"""The most characters that a mask, with what it swallowed, leaves."""

LEAST_AROUND = 4
"""The least characters around a mask that say anything."""

_REFERENCE = re.compile(rf"SECRET_REF\(({NAME})\)", re.ASCII)
_MASK = re.compile(r"\*|…|REDACTED", re.IGNORECASE)


class References:
    """The texts with references that each session has sent; in memory alone."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[str, str], deque[str]] = OrderedDict()

    def remember(self, call: ToolCall, arguments: object) -> None:
        """Keep a call's texts that hold references."""
        texts = [
            text
            for _, text, is_key in strings_in(arguments)
            if not is_key and "SECRET_REF(" in text and len(text) <= LONGEST_TEXT
        ]
        if not texts:
            return
        place = (call.agent_id, call.session_id)
        kept = self._sessions.setdefault(place, deque(maxlen=MOST_TEXTS))
        self._sessions.move_to_end(place)
        kept.extend(text for text in texts if text not in kept)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)

    def meant(self, call: ToolCall, masked: str) -> list[str]:
        """Say which references a text held before it was masked.

        Args:
            call: Whose session.
            masked: The text with a mask in it.

        Returns:
            The secrets' names, in their order; none if no kept text is like it.
        """
        kept = self._sessions.get((call.agent_id, call.session_id), ())
        for text in reversed(kept):
            names = _hidden(text, masked)
            if names:
                return names
        return []


def _hidden(text: str, masked: str) -> list[str]:
    """The references of a text that its masked form does not show."""
    head = _shared(text, masked)
    longest_tail = min(len(text), len(masked)) - head
    tail = min(_shared(text[::-1], masked[::-1]), longest_tail)
    mask = masked[head : len(masked) - tail]
    alike = head + tail >= max(len(mask), LEAST_AROUND)
    if len(mask) > LONGEST_MASK or not _MASK.search(mask) or not alike:
        return []
    hidden = range(head, len(text) - tail)
    found = _REFERENCE.finditer(text)
    touched = [m for m in found if m.start() < hidden.stop and m.end() > hidden.start]
    return list(dict.fromkeys(match[1] for match in touched))


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
