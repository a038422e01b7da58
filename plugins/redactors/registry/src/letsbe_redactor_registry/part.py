"""Secrets compiled for searching: one unchanging set of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import sub
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from letsbe_redactor_registry.engines import Choice, Occurrences

Entry: TypeAlias = tuple[str, str]
"""A secret's name and one of its values."""

What: TypeAlias = tuple[str, str | None, str]
"""Kind, name and rule of a finding."""

KIND = "registered"
"""The kind of every finding here."""

FEW = 8
"""More forms than that behind one anchor are looked up, not tried in turn."""


class Form(NamedTuple):
    """Bytes to search for.

    Args:
        form: The bytes; in lower case if the case does not matter.
        folded: Whether the case of ASCII letters does not matter.
    """

    form: bytes
    folded: bool


FormsOf: TypeAlias = Callable[[str], Mapping[Form, str]]
"""Gives the forms of a value, each with the name of the encoding."""


T = TypeVar("T")
_Owners: TypeAlias = tuple[tuple[Entry, T], ...]
# Plain tuples of plain values: the garbage collector soon stops looking at them.
_Group: TypeAlias = tuple[tuple[bytes, bool, _Owners[T]], ...]


class Hits(NamedTuple, Generic[T]):
    """What was found, as columns.

    Args:
        starts: Offsets of the first bytes.
        ends: Offsets after the last bytes.
        what: What is known of each.
    """

    starts: list[int]
    ends: list[int]
    what: list[T]

    def extend(self, others: Hits[T]) -> None:
        """Add what another part found."""
        self.starts.extend(others.starts)
        self.ends.extend(others.ends)
        self.what.extend(others.what)


class Part(Generic[T]):
    """Some entries, compiled. Nothing of it changes.

    Args:
        entries: Names and values.
        choice: The engine to search with.
        forms_of: Gives what to search for.
        describe: Says what a finding of an entry is, by the name of the encoding.
        hints: What else to search for, in lower case, only to know where it stands.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        choice: Choice,
        forms_of: FormsOf,
        describe: Callable[[Entry, str], T],
        hints: Iterable[bytes] = (),
    ) -> None:
        anchors: dict[bytes, list[tuple[bytes, bool, _Owners[T]]]] = {}
        for (form, folded), owners in _owners(entries, forms_of, describe).items():
            anchor = form[: choice.anchor].lower()
            anchors.setdefault(anchor, []).append((form, folded, owners))
        for hint in hints:
            anchors.setdefault(hint[: choice.anchor], [])
        self._lengths = [len(anchor) for anchor in anchors]
        self._groups: list[_Group[T]] = [tuple(group) for group in anchors.values()]
        self._crowds = {
            number: _Crowd(group)
            for number, group in enumerate(self._groups)
            if len(group) > FEW
        }
        caseless = [_is_caseless(group, choice.anchor) for group in self._groups]
        sure = choice.exact or not any(caseless)
        self._alone = [_alone(group, choice, sure=sure) for group in self._groups]
        self._compared = frozenset(n for n, w in enumerate(self._alone) if w is None)
        self.longest = max((len(f) for g in self._groups for f, *_ in g), default=0)
        """The length of the longest form."""
        patterns = [
            anchor if fold else group[0][0][: choice.anchor]
            for anchor, group, fold in zip(anchors, self._groups, caseless, strict=True)
        ]
        self._engine = choice.compile(patterns, caseless)

    def find(
        self, text: bytes, gone: frozenset[Entry], loose: list[int] | None = None
    ) -> Hits[T]:
        """Find every occurrence of the entries, overlapping ones too.

        Args:
            text: Any bytes.
            gone: Entries that are no longer registered.
            loose: Is given the offsets after anchors and hints that stand alone.
        """
        numbers, ends = occurrences = self._engine.scan(text)
        if gone or not self._compared.isdisjoint(numbers):
            return self._compare(
                text, occurrences, gone, [] if loose is None else loose
            )
        starts = list(map(sub, ends, map(self._lengths.__getitem__, numbers)))
        what = list(map(self._alone.__getitem__, numbers))
        return Hits(starts, ends, what)  # type: ignore[arg-type]  # None is out

    def _compare(
        self,
        text: bytes,
        occurrences: Occurrences,
        gone: frozenset[Entry],
        loose: list[int],
    ) -> Hits[T]:
        """Tell which forms stand where their anchors do."""
        hits: Hits[T] = Hits([], [], [])
        for number, end in zip(*occurrences, strict=True):
            start = end - self._lengths[number]
            group = self._groups[number]
            if number in self._crowds:
                group = self._crowds[number].at(text, start)
            found = False
            for form, folded, owners in group:
                last = start + len(form)
                piece = text[start:last]
                if piece != form and not (folded and piece.lower() == form):
                    continue
                left = [what for entry, what in owners if entry not in gone]
                if left:
                    found = True
                    hits.starts.append(start)
                    hits.ends.append(last)
                    hits.what.append(left[0])
            if not found:
                loose.append(end)
        return hits


class _Crowd(Generic[T]):
    """Many forms with one anchor (key headers, tokens of one issuer), by length."""

    def __init__(self, group: _Group[T]) -> None:
        self._forms: dict[bytes, _Group[T]] = {}
        for each in group:
            form = each[0].lower()
            self._forms[form] = (*self._forms.get(form, ()), each)
        self._lengths = sorted({len(form) for form in self._forms})

    def at(self, text: bytes, start: int) -> _Group[T]:
        """Return the forms that may stand at an offset."""
        return tuple(
            each
            for length in self._lengths
            if start + length <= len(text)
            for each in self._forms.get(text[start : start + length].lower(), ())
        )


def _is_caseless(group: _Group[T], anchor: int) -> bool:
    return len({form[:anchor] for form, *_ in group}) != 1 or any(
        folded for _, folded, _ in group
    )


def _alone(group: _Group[T], choice: Choice, *, sure: bool) -> T | None:
    """Return what is found at an anchor that needs no comparison."""
    if len(group) != 1:
        return None
    form, folded, owners = group[0]
    whole = len(form) <= choice.anchor
    return owners[0][1] if whole and (sure or folded) else None


def _owners(
    entries: Iterable[Entry], forms_of: FormsOf, describe: Callable[[Entry, str], T]
) -> dict[Form, _Owners[T]]:
    owners: dict[Form, _Owners[T]] = {}
    # Sorted, so that a value with two names always gets the same one.
    for entry in sorted(set(entries)):
        forms = forms_of(entry[1])
        by_rule = {
            rule: ((entry, describe(entry, rule)),) for rule in set(forms.values())
        }
        for form, rule in forms.items():
            owners[form] = owners.get(form, ()) + by_rule[rule]
    return owners
