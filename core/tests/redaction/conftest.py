"""A layer that finds given values, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from letsbe.redaction.finding import Finding


class Literals:
    """Finds values as they are, and knows their names."""

    name = "literals"
    order = 10

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: value.encode() for name, value in values.items()}

    def find(self, text: bytes) -> Iterator[Finding]:
        for name, value in self._values.items():
            start = text.find(value)
            while start >= 0:
                yield Finding(start, start + len(value), "registered", name, "plain")
                start = text.find(value, start + 1)

    def names(self) -> frozenset[str]:
        return frozenset(self._values)


@pytest.fixture(scope="session")
def literals() -> Callable[[Mapping[str, str]], Literals]:
    """Make a layer that finds values by name."""
    return Literals
