"""The layer: one form of key, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable

from letsbe.plugin import Finding, State

_KEY = re.compile(rb"smpl_[A-Za-z0-9]{24}(?![A-Za-z0-9])")


class SampleLayer:
    """Finds ``smpl_`` and 24 letters or digits."""

    name = "sample"
    order = 50

    def find(self, text: bytes) -> Iterable[Finding]:
        """Find the keys in a text."""
        return [
            Finding(match.start(), match.end(), "sample_key", rule="sample.key")
            for match in _KEY.finditer(text)
        ]

    def state(self) -> State:
        """The same text always gives the same findings."""
        return State(0, 0)
