"""Search engines for many literals at once, behind one interface.

All of them find the same: every occurrence of every pattern, overlapping ones too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol, final

from letsbe.plugin import LetsBeError


class UnknownEngine(LetsBeError):
    """The engine named in the settings is unknown or not installed."""

    code = "configuration_error"


class Engine(Protocol):
    """A compiled set of patterns. Used by several threads at once."""

    def scan(self, text: bytes) -> Iterable[tuple[int, int]]:
        """Find all occurrences, in any order.

        Args:
            text: Any bytes.

        Returns:
            For each occurrence the pattern's place in the sequence that was compiled,
            and the offset after its last byte.
        """
        ...


@final
class PyAhoCorasick:
    """pyahocorasick: always there.

    Its wheels search ``str``; Latin-1 maps each byte to one character, so offsets stay.

    Args:
        patterns: Distinct, none empty.
    """

    def __init__(self, patterns: Sequence[bytes]) -> None:
        import ahocorasick  # noqa: PLC0415 - loaded only if it is chosen

        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for number, pattern in enumerate(patterns):
            self._automaton.add_word(pattern.decode("latin-1"), number)
        if patterns:
            self._automaton.make_automaton()

    def scan(self, text: bytes) -> Iterable[tuple[int, int]]:
        """Find all occurrences; see :class:`Engine`."""
        if not len(self._automaton):
            return ()
        hits = self._automaton.iter(text.decode("latin-1"))
        return [(number, last + 1) for last, number in hits]


@final
class Daachorse:
    """daachorse: a double array in Rust; ten times as fast.

    Args:
        patterns: Distinct, none empty.
    """

    def __init__(self, patterns: Sequence[bytes]) -> None:
        import daachorse  # noqa: PLC0415 - loaded only if it is chosen

        self._automaton = (
            daachorse.DoubleArrayAhoCorasick(list(patterns)) if patterns else None
        )

    def scan(self, text: bytes) -> Iterable[tuple[int, int]]:
        """Find all occurrences; see :class:`Engine`."""
        if self._automaton is None:
            return ()
        hits = self._automaton.find_overlapping(text)
        return [(number, end) for _, end, number in hits]


@final
class Hyperscan:
    """Hyperscan (Vectorscan), compiled in its pure literal mode: the fastest.

    Its Python binding ends a pattern at a NUL; those few go to pyahocorasick.

    Args:
        patterns: Distinct, none empty.
    """

    def __init__(self, patterns: Sequence[bytes]) -> None:
        import hyperscan  # noqa: PLC0415 - loaded only if it is chosen

        numbers = [n for n, pattern in enumerate(patterns) if b"\0" not in pattern]
        self._others = [n for n, pattern in enumerate(patterns) if b"\0" in pattern]
        self._rest = PyAhoCorasick([patterns[number] for number in self._others])
        self._empty = not numbers
        self._threads = threading.local()
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        if numbers:
            self._database.compile(
                expressions=[patterns[number] for number in numbers],
                ids=numbers,
                elements=len(numbers),
                literal=True,
            )
            self._scratch = self._database.scratch

    def scan(self, text: bytes) -> Iterable[tuple[int, int]]:
        """Find all occurrences; see :class:`Engine`."""
        hits: list[tuple[int, int]] = []

        def found(number: int, _start: int, end: int, _flags: int, _: object) -> None:
            hits.append((number, end))

        if text and not self._empty:
            self._database.scan(
                text, match_event_handler=found, scratch=self._scratch_of_thread()
            )
        if self._others:
            hits += [(self._others[n], end) for n, end in self._rest.scan(text)]
        return hits

    def _scratch_of_thread(self) -> Any:  # noqa: ANN401 - hyperscan has no types
        """A scan needs memory of its own while it runs (``HS_SCRATCH_IN_USE``)."""
        scratch = getattr(self._threads, "scratch", None)
        if scratch is None:
            scratch = self._threads.scratch = self._scratch.clone()
        return scratch


class Choice(NamedTuple):
    """An engine to compile patterns with.

    Args:
        name: Its name in the settings.
        module: The module it needs.
        compile: Makes an engine of distinct patterns, none empty.
        anchor: How many bytes of a pattern to search for; the rest is compared when
            they are found. Whole patterns cost pyahocorasick ten times the memory, and
            a longer time in which it stops all threads; hyperscan gains by them.
    """

    name: str
    module: str
    compile: Callable[[Sequence[bytes]], Engine]
    anchor: int


_CHOICES = (
    Choice("hyperscan", "hyperscan", Hyperscan, 64),
    Choice("daachorse", "daachorse", Daachorse, 32),
    Choice("pyahocorasick", "ahocorasick", PyAhoCorasick, 16),
)


def installed_engines() -> dict[str, Choice]:
    """Return the engines that can be used here by name, the fastest first."""
    return {choice.name: choice for choice in _CHOICES if find_spec(choice.module)}


def choose_engine(name: str | None) -> Choice:
    """Choose an engine.

    Args:
        name: One of :func:`installed_engines`; the fastest if None.

    Raises:
        UnknownEngine: There is none of that name, or it is not installed.
    """
    installed = installed_engines()
    if name is None:
        return next(iter(installed.values()))
    if name not in installed:
        message = (
            "The setting `engine` of letsbe-redactor-registry names an engine that is "
            f"not installed; installed are: {', '.join(installed)}."
        )
        raise UnknownEngine(message)
    return installed[name]
