"""Signs that something in a text is in disguise, whatever it may be.

What is cheap to see comes first, so that ordinary text is not searched a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, final

from letsbe_redactor_registry.database import SharedDatabase
from letsbe_redactor_registry.expressions import (
    CLASSES,
    FOR_HYPERSCAN,
    FOR_PYTHON,
    OUTSIDE_ASCII,
    SPACED,
    SPACED_AS_CLASSES,
    SPACED_AS_FEW_DIGITS,
    WRAPPED,
    WRAPPED_BRIEFLY,
    Group,
)

LONGEST = 128
"""No sign is longer, in bytes."""

_FEW, _SOME = 256, 16 * 1024
_FEW_DIGITS = 10
_NEAR = 1024


class Signs(Protocol):
    """Looks for signs."""

    def seen(self, text: bytes) -> bool:
        """Tell whether a text shows one."""
        ...

    def chunks(self, text: bytes, size: int) -> set[int]:
        """Tell in which chunks of a text signs are shown, by the chunks' numbers.

        Args:
            text: The text.
            size: A chunk's length; more than that of any sign.
        """
        ...


class _Sign(Protocol):
    """Looks for one sign, or a few."""

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        """Return between which offsets the first sign stands, from one on."""
        ...


class _Kind(NamedTuple):
    """Signs that are looked for in the same reading of a text.

    Args:
        read: Gives the reading, or None if no such sign can stand in the text.
        signs: The signs.
    """

    read: Callable[[bytes], bytes | None]
    signs: Sequence[_Sign]


@final
class SomeSigns:
    """Looks for some signs.

    Args:
        kinds: The signs.
    """

    def __init__(self, kinds: Iterable[_Kind]) -> None:
        self._kinds = tuple(kinds)

    def seen(self, text: bytes) -> bool:
        """Tell whether a text shows one; see :class:`Signs`."""
        return any(sign.place(read, 0) is not None for sign, read in self._each(text))

    def chunks(self, text: bytes, size: int) -> set[int]:
        """Tell in which chunks signs are shown; see :class:`Signs`."""
        found: set[int] = set()
        for sign, read in self._each(text):
            begin = 0
            while place := sign.place(read, begin):
                first, last = place[0] // size, (place[1] - 1) // size
                found.update((first, last))
                # One is enough, and searching on would find very many of some.
                begin = (last + 1) * size
        return found

    def _each(self, text: bytes) -> Iterator[tuple[_Sign, bytes]]:
        for kind in self._kinds:
            read = kind.read(text)
            for sign in kind.signs if read is not None else ():
                yield sign, read  # type: ignore[misc]  # there are none without it


def _as_classes(text: bytes) -> bytes:
    return text.translate(CLASSES)


def _as_it_is(text: bytes) -> bytes:
    return text


def _outside_ascii(text: bytes) -> bytes | None:
    return None if text.isascii() else text


def plain_signs() -> SomeSigns:
    """Look for signs with Python's own expressions."""
    ascii_only = [
        _Expression(source, group.needed)
        for group in FOR_PYTHON
        for source in group.sources
    ]
    return SomeSigns(
        (
            _Kind(_as_classes, [_SpacedAsClasses()]),
            _Kind(_as_it_is, ascii_only),
            _Kind(_outside_ascii, [_Expression(one) for one in OUTSIDE_ASCII]),
        )
    )


def hyperscan_signs() -> SomeSigns:
    """Look for signs with Hyperscan.

    Few expressions share a database: all together take four times as long.
    """
    groups = [_Expressions(group) for group in FOR_HYPERSCAN]
    others = [_Expressions(Group((), (one,))) for one in OUTSIDE_ASCII]
    return SomeSigns(
        (
            _Kind(_as_it_is, [_Spaced(), *groups, _Wrapped()]),
            _Kind(_outside_ascii, others),
        )
    )


def _lacks(text: bytes, needed: Sequence[bytes], begin: int) -> bool:
    """Tell whether nothing of what is needed stands in a text, from an offset on."""
    return bool(needed) and all(text.find(one, begin) < 0 for one in needed)


@final
class _Expression:
    """An expression of Python.

    Args:
        source: The expression.
        needed: One of these is in every match, if there are any.
    """

    def __init__(self, source: bytes, needed: Sequence[bytes] = ()) -> None:
        self._search = re.compile(source, re.DOTALL).search
        self._needed = needed

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        if _lacks(text, self._needed, begin):
            return None
        match = self._search(text, begin)
        return match.span() if match else None


@final
class _SpacedAsClasses:
    """The signs in classes of characters: where digits are few, in fewer readings."""

    def __init__(self) -> None:
        self._all = [re.compile(source) for source in SPACED_AS_CLASSES]
        self._few = [re.compile(source) for source in SPACED_AS_FEW_DIGITS]

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        some = text[begin : begin + _SOME]
        few = some.count(b"d") * _FEW_DIGITS < len(some)
        for expression in self._few if few else self._all:
            if match := expression.search(text, begin):
                return match.span()
        return None


@final
class _Expressions:
    """A group of expressions in a database of Hyperscan.

    Args:
        group: The expressions.
    """

    def __init__(self, group: Group) -> None:
        import hyperscan  # noqa: PLC0415 - loaded only if it is chosen

        flags = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_SINGLEMATCH
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(
            expressions=list(group.sources),
            ids=list(range(len(group.sources))),
            elements=len(group.sources),
            flags=[flags] * len(group.sources),
        )
        self._database = SharedDatabase(database)
        self._terminated: type[Exception] = hyperscan.ScanTerminated
        self._needed = group.needed

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        """Return where the first sign may stand: where it begins is not told."""
        if _lacks(text, self._needed, begin):
            return None
        ends: list[int] = []

        def stop(_number: int, _start: int, end: int, _flags: int, _: object) -> bool:
            ends.append(begin + end)
            return True

        rest = memoryview(text)[begin:] if begin else text
        try:
            if rest:
                self._database.scan(rest, stop)
        except self._terminated:
            return max(ends[0] - LONGEST, begin), ends[0]
        return None


@final
class _Spaced:
    """The signs in classes of characters: what is seen at once is then read so."""

    def __init__(self) -> None:
        self._wide = _Expressions(Group((), (SPACED,)))
        self._narrow = _SpacedAsClasses()

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        while place := self._wide.place(text, begin):
            near = _as_classes(text[place[0] : place[0] + _NEAR])
            if found := self._narrow.place(near, 0):
                return place[0] + found[0], place[0] + found[1]
            begin = place[0] + _NEAR - LONGEST
        return None


@final
class _Wrapped:
    """The sign of lines: where lines are few they are looked for one by one."""

    def __init__(self) -> None:
        self._all = _Expressions(Group((b"\\", b"\n"), (WRAPPED,)))
        self._few = _Expressions(Group((b"\\", b"\n"), WRAPPED_BRIEFLY))

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        some = text[begin : begin + _SOME]
        ends = some.count(b"\\") + some.count(b"\n")
        few = ends * _FEW < len(some)
        return (self._few if few else self._all).place(text, begin)


@lru_cache(maxsize=2)
def signs_for(engine: str) -> Signs:
    """Return what looks for signs.

    Args:
        engine: The name of the search engine in use.
    """
    return hyperscan_signs() if engine == "hyperscan" else plain_signs()
