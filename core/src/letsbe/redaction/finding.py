"""What a redaction layer reports: where a secret stands, never what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from typing import NamedTuple, Protocol, TypeAlias, final, runtime_checkable

What: TypeAlias = tuple[str, str | None, str]
"""Kind, name and rule of a finding."""


class Finding(NamedTuple):
    """One stretch of bytes to take out.

    A tuple, because a dense text makes tens of thousands of them.

    Args:
        start: The first byte's offset.
        end: The offset after the last byte; above ``start``.
        kind: What it is, such as ``registered`` or ``github_token``: lower-case
            letters, digits, ``_`` and ``-``, at most 64.
        name: The registered secret's name, if it is one; it becomes
            ``SECRET_REF(name)``, all else ``[REDACTED:kind]``.
        rule: The layer's rule that found it: letters, digits, ``_.:-``, at most 80.
    """

    start: int
    end: int
    kind: str
    name: str | None = None
    rule: str = ""


@final
class Findings:
    """Many findings at once: what a layer may return that finds tens of thousands.

    Columns cost a fraction of an object for each.

    Args:
        starts: The first bytes' offsets.
        ends: The offsets after the last bytes; as many.
        what: Kind, name and rule of each; as many.
    """

    __slots__ = ("ends", "starts", "what")

    def __init__(
        self, starts: Sequence[int], ends: Sequence[int], what: Sequence[What]
    ) -> None:
        self.starts = starts
        self.ends = ends
        self.what = what

    def __iter__(self) -> Iterator[Finding]:
        columns = zip(self.starts, self.ends, self.what, strict=True)
        return starmap(_finding, columns)

    def __len__(self) -> int:
        return len(self.starts)


def _finding(start: int, end: int, what: What) -> Finding:
    return Finding(start, end, *what)


@runtime_checkable
class RedactionLayer(Protocol):
    """One way of finding secrets in text.

    A layer that knows the names of the registered secrets also offers
    ``names() -> frozenset[str]`` (:class:`NamesSecrets`).
    """

    name: str
    """The layer's name, unique among the active layers."""
    order: int
    """Its place in the pipeline; lower runs first, and wins where spans overlap."""

    def find(self, text: bytes) -> Iterable[Finding]:
        """Find what must not be seen. Called from several threads at once.

        Args:
            text: UTF-8, or bytes of unknown encoding. Never changed.

        Returns:
            Findings in any order; they may overlap.

        Raises:
            Exception: Whatever is raised withholds the whole text, and so does a
                finding that is malformed or outside the text.
        """
        ...


@runtime_checkable
class NamesSecrets(Protocol):
    """A layer that can tell the pipeline which references are real ones."""

    def names(self) -> frozenset[str]:
        """Return the names that its findings may carry."""
        ...


class State(NamedTuple):
    """What a layer's findings depend on besides the text.

    Args:
        version: Another number whenever it may find something else; 0 if it never does.
        reach: The most bytes that a finding of it takes, if it must be found wherever
            it stands; 0 if it is enough to look at each message by itself.
    """

    version: int
    reach: int


@runtime_checkable
class Rememberable(Protocol):
    """A layer that need not look again at text that it has seen.

    A long text is shown to it in blocks, cut between messages, and what it found in one
    is remembered as long as its state stays the same. All other layers are asked about
    every text as a whole.
    """

    def state(self) -> State:
        """Return the present state; whatever it raises withholds the text."""
        ...


@runtime_checkable
class FindsBeside(Protocol):
    """A layer that judges what is left beside the registered values, and only that.

    It is told what layers before it found of them: that is taken out in any case.
    """

    def find_beside(
        self, text: bytes, starts: Sequence[int], ends: Sequence[int]
    ) -> Iterable[Finding]:
        """Find what must not be seen; as :meth:`RedactionLayer.find`.

        Args:
            text: UTF-8, or bytes of unknown encoding. Never changed.
            starts: Where each registered value begins, in any order.
            ends: Where each of them ends.
        """
        ...


class Places(NamedTuple):
    """Where a layer has to look, as columns.

    Args:
        offsets: The places, rising.
        marks: What stands at each, in the layer's own numbers; as many.
    """

    offsets: Sequence[int]
    marks: Sequence[int]


@runtime_checkable
class SearchesFirst(Protocol):
    """A layer that searches for the places where it has to look, then looks there.

    The search takes nearly all of the time, and most text has no such place. A long
    text is searched once as a whole; then the layer is asked about each block of it
    that has places, by itself. So the places in a block may be more than a search of
    that block alone gives, never fewer, and must lead to the same findings.
    ``find(text)`` is ``find_at(text, search(text))``.
    """

    def search(self, text: bytes) -> Places:
        """Find the places. Called from several threads at once.

        Args:
            text: UTF-8, or bytes of unknown encoding. Never changed.

        Raises:
            Exception: Whatever is raised withholds the whole text.
        """
        ...

    def find_at(self, text: bytes, places: Places) -> Iterable[Finding]:
        """Find what must not be seen; as :meth:`RedactionLayer.find`.

        Args:
            text: UTF-8, or bytes of unknown encoding. Never changed.
            places: All places in it, and perhaps some where there is nothing.
        """
        ...
