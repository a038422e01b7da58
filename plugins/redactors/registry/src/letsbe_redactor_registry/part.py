"""Secrets compiled for searching: one unchanging set of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from letsbe_redactor_registry.engines import Choice

Entry: TypeAlias = tuple[str, str]
"""A secret's name and one of its values."""

KIND = "registered"
"""The kind of every finding here."""

FEW = 8
"""More forms than that behind one anchor are looked up, not tried in turn."""


FormsOf: TypeAlias = Callable[[str], Mapping[bytes, str]]
"""Gives the forms of a value, each with the name of the encoding."""


class Owner(NamedTuple):
    """Whose form was found.

    Args:
        entry: The secret's name and the value.
        what: Kind, name and rule of a finding.
    """

    entry: Entry
    what: tuple[str, str, str]


Hit: TypeAlias = tuple[int, int, Owner]
"""Where a form stands, from its first byte to after its last, and whose it is."""

_Owners: TypeAlias = tuple[Owner, ...]


class Part:
    """Some entries, compiled. Nothing of it changes.

    Args:
        entries: Names and values.
        choice: The engine to search with.
        forms_of: Gives what to search for.
    """

    def __init__(
        self, entries: Iterable[Entry], choice: Choice, forms_of: FormsOf
    ) -> None:
        by_anchor: dict[bytes, dict[bytes, _Owners]] = {}
        for form, owners in _owners_of_forms(entries, forms_of).items():
            by_anchor.setdefault(form[: choice.anchor], {})[form] = owners
        self._anchors = [len(anchor) for anchor in by_anchor]
        self._forms = [tuple(forms.items()) for forms in by_anchor.values()]
        self._crowds = {
            number: _Crowd(forms)
            for number, forms in enumerate(by_anchor.values())
            if len(forms) > FEW
        }
        self._alone = [
            forms[anchor] if len(forms) == 1 and anchor in forms else None
            for anchor, forms in by_anchor.items()
        ]
        self._engine = choice.compile(list(by_anchor))

    def find(self, text: bytes, gone: frozenset[Entry]) -> list[Hit]:
        """Find every occurrence of the entries, overlapping ones too.

        Args:
            text: Any bytes.
            gone: Entries that are no longer registered.
        """
        hits: list[Hit] = []
        anchors, forms, crowds = self._anchors, self._forms, self._crowds
        alone = self._alone
        for number, end in self._engine.scan(text):
            start = end - anchors[number]
            owners = alone[number]
            if owners is not None and not gone:
                hits.append((start, end, owners[0]))
                continue
            here = forms[number]
            if number in crowds:
                here = crowds[number].at(text, start)
            for form, owners in here:
                if not text.startswith(form, start):
                    continue
                owner = owners[0] if not gone else _first_left(owners, gone)
                if owner is not None:
                    hits.append((start, start + len(form), owner))
        return hits


class _Crowd:
    """Many forms with one anchor (key headers, tokens of one issuer), by length."""

    def __init__(self, forms: Mapping[bytes, _Owners]) -> None:
        self._forms = forms
        self._lengths = sorted({len(form) for form in forms})

    def at(self, text: bytes, start: int) -> tuple[tuple[bytes, _Owners], ...]:
        """Return the forms that stand at an offset."""
        pieces = (text[start : start + length] for length in self._lengths)
        return tuple(
            (piece, self._forms[piece]) for piece in pieces if piece in self._forms
        )


def _owners_of_forms(
    entries: Iterable[Entry], forms_of: FormsOf
) -> dict[bytes, _Owners]:
    owners: dict[bytes, _Owners] = {}
    # Sorted, so that a value with two names always gets the same one.
    for entry in sorted(set(entries)):
        forms = forms_of(entry[1])
        by_rule = {
            rule: (Owner(entry, (KIND, entry[0], rule)),) for rule in forms.values()
        }
        for form, rule in forms.items():
            owners[form] = owners.get(form, ()) + by_rule[rule]
    return owners


def _first_left(owners: _Owners, gone: frozenset[Entry]) -> Owner | None:
    return next((owner for owner in owners if owner.entry not in gone), None)
