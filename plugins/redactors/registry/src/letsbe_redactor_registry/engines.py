"""Search engines for many literals at once, behind one interface.

All of them find the same: every occurrence of every pattern, overlapping ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import compress
from typing import Any, NamedTuple, Protocol, TypeAlias, final

from letsbe.plugin import LetsBeError
from letsbe_redactor_registry.database import SharedDatabase


class UnknownEngine(LetsBeError):
    """The engine named in the settings is unknown or not installed."""

    code = "configuration_error"


Occurrences: TypeAlias = tuple[list[int], list[int]]
"""For each occurrence the pattern's place in the sequence that was compiled, and the
offset after its last byte: two columns, as a dense text has many thousands."""


class Engine(Protocol):
    """A compiled set of patterns. Used by several threads at once."""

    def scan(self, text: bytes) -> Occurrences:
        """Find all occurrences, in any order.

        Args:
            text: Any bytes.
        """
        ...

    def holds(self, text: bytes) -> bool:
        """Tell whether any pattern occurs in a text."""
        ...


@final
class PyAhoCorasick:
    """pyahocorasick: always there.

    Its wheels search ``str``; Latin-1 maps each byte to one character, so offsets stay.

    Args:
        patterns: Distinct, none empty.
        caseless: Which of them are found whatever the case of ASCII letters; all are
            if any is, so they must be distinct in lower case too.
    """

    def __init__(self, patterns: Sequence[bytes], caseless: Sequence[bool]) -> None:
        import ahocorasick  # noqa: PLC0415 - loaded only if it is chosen

        self._fold = any(caseless)
        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for number, pattern in enumerate(patterns):
            key = pattern.lower() if self._fold else pattern
            self._automaton.add_word(key.decode("latin-1"), number)
        if patterns:
            self._automaton.make_automaton()

    def scan(self, text: bytes) -> Occurrences:
        """Find all occurrences; see :class:`Engine`."""
        if not len(self._automaton):
            return [], []
        hits = list(self._automaton.iter(self._read(text)))
        return [number for _, number in hits], [last + 1 for last, _ in hits]

    def holds(self, text: bytes) -> bool:
        """Tell whether any pattern occurs; see :class:`Engine`."""
        if not len(self._automaton):
            return False
        return next(self._automaton.iter(self._read(text)), None) is not None

    def _read(self, text: bytes) -> str:
        return (text.lower() if self._fold else text).decode("latin-1")


@final
class Daachorse:
    """daachorse: a double array in Rust; ten times as fast.

    Args:
        patterns: Distinct, none empty.
        caseless: As for :class:`PyAhoCorasick`.
    """

    def __init__(self, patterns: Sequence[bytes], caseless: Sequence[bool]) -> None:
        import daachorse  # noqa: PLC0415 - loaded only if it is chosen

        self._fold = any(caseless)
        keys = [pattern.lower() if self._fold else pattern for pattern in patterns]
        self._automaton = daachorse.DoubleArrayAhoCorasick(keys) if keys else None

    def scan(self, text: bytes) -> Occurrences:
        """Find all occurrences; see :class:`Engine`."""
        if self._automaton is None:
            return [], []
        hits = self._automaton.find_overlapping(text.lower() if self._fold else text)
        return [number for _, _, number in hits], [end for _, end, _ in hits]

    def holds(self, text: bytes) -> bool:
        """Tell whether any pattern occurs; see :class:`Engine`."""
        return bool(self.scan(text)[0])


@final
class Hyperscan:
    """Hyperscan (Vectorscan), compiled in its pure literal mode: the fastest.

    Its Python binding ends a pattern at a NUL; those few go to pyahocorasick.

    Args:
        patterns: Distinct, none empty.
        caseless: Which of them are found whatever the case of ASCII letters.
    """

    def __init__(self, patterns: Sequence[bytes], caseless: Sequence[bool]) -> None:
        import hyperscan  # noqa: PLC0415 - loaded only if it is chosen

        plain = [b"\0" not in pattern for pattern in patterns]
        numbers = list(compress(range(len(patterns)), plain))
        self._others = [n for n, usual in enumerate(plain) if not usual]
        self._rest = [
            PyAhoCorasick([patterns[number]], [caseless[number]])
            for number in self._others
        ]
        self._terminated: type[Exception] = hyperscan.ScanTerminated
        # Apart, because together they take twice as long where nearly all is letters.
        kinds = (
            (0, [n for n in numbers if not caseless[n]]),
            (hyperscan.HS_FLAG_CASELESS, [n for n in numbers if caseless[n]]),
        )
        self._databases = [
            _literals(hyperscan, [patterns[n] for n in some], some, flag)
            for flag, some in kinds
            if some
        ]

    def scan(self, text: bytes) -> Occurrences:
        """Find all occurrences; see :class:`Engine`."""
        numbers: list[int] = []
        ends: list[int] = []
        add_number, add_end = numbers.append, ends.append

        def found(number: int, _start: int, end: int, _flags: int, _: object) -> None:
            add_number(number)
            add_end(end)

        if text:
            self._search(text, found)
        for number, engine in zip(self._others, self._rest, strict=True):
            here = engine.scan(text)[1]
            numbers += [number] * len(here)
            ends += here
        return numbers, ends

    def holds(self, text: bytes) -> bool:
        """Tell whether any pattern occurs; see :class:`Engine`."""
        if any(engine.holds(text) for engine in self._rest):
            return True
        if not text:
            return False
        try:
            self._search(text, _stop)
        except self._terminated:
            return True
        return False

    def _search(self, text: bytes, found: Callable[..., bool | None]) -> None:
        for database in self._databases:
            database.scan(text, found)


def _literals(
    hyperscan: Any,  # noqa: ANN401 - it has no types
    patterns: list[bytes],
    numbers: list[int],
    flag: int,
) -> SharedDatabase:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=patterns,
        ids=numbers,
        elements=len(numbers),
        flags=[flag] * len(numbers),
        literal=True,
    )
    return SharedDatabase(database)


def _stop(*_: object) -> bool:
    """End a scan at the first match."""
    return True


class Choice(NamedTuple):
    """An engine to compile patterns with.

    Args:
        name: Its name in the settings.
        module: The module it needs.
        compile: Makes an engine of distinct patterns, none empty; the flags say which
            are caseless.
        anchor: How many bytes of a pattern to search for; the rest is compared when
            they are found. Whole patterns cost the automata ten times the memory, and
            pyahocorasick a longer time in which it stops all threads; hyperscan gains.
        exact: Whether a pattern that is not caseless is found in its own case alone.
        one_pass: Whether a search costs the same whatever is searched for, so that all
            is better done in one; hyperscan pays for each hit instead.
    """

    name: str
    module: str
    compile: Callable[[Sequence[bytes], Sequence[bool]], Engine]
    anchor: int
    exact: bool
    one_pass: bool


_CHOICES = (
    Choice("hyperscan", "hyperscan", Hyperscan, 64, exact=True, one_pass=False),
    Choice("daachorse", "daachorse", Daachorse, 8, exact=False, one_pass=True),
    Choice(
        "pyahocorasick", "ahocorasick", PyAhoCorasick, 8, exact=False, one_pass=True
    ),
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
