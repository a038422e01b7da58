"""Secrets compiled for searching: one unchanging set of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from letsbe.plugin import Finding
from letsbe_redactor_registry.engines import Choice
from letsbe_redactor_registry.forms import forms_of

Entry: TypeAlias = tuple[str, str]
"""A secret's name and one of its values."""

KIND = "registered"
"""The kind of every finding here."""

FEW = 8
"""More forms than that behind one anchor are looked up, not tried in turn."""


class _Owner(NamedTuple):
    entry: Entry
    what: tuple[str, str, str]
    """Kind, name and rule of a finding."""


_Owners: TypeAlias = tuple[_Owner, ...]


class Part:
    """Some entries, compiled. Nothing of it changes.

    Args:
        entries: Names and values.
        choice: The engine to search with.
    """

    def __init__(self, entries: Iterable[Entry], choice: Choice) -> None:
        by_anchor: dict[bytes, dict[bytes, _Owners]] = {}
        for form, owners in _owners_of_forms(entries).items():
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

    def find(self, text: bytes, gone: frozenset[Entry]) -> list[Finding]:
        """Find every occurrence of the entries, overlapping ones too.

        Args:
            text: Any bytes.
            gone: Entries that are no longer registered.
        """
        found: list[Finding] = []
        # Calling Finding takes twice the time of this, and the loop is a hot one.
        new = tuple.__new__
        anchors, forms, crowds = self._anchors, self._forms, self._crowds
        alone = self._alone
        for number, end in self._engine.scan(text):
            start = end - anchors[number]
            owners = alone[number]
            if owners is not None and not gone:
                found.append(new(Finding, (start, end, *owners[0].what)))
                continue
            here = forms[number]
            if number in crowds:
                here = crowds[number].at(text, start)
            for form, owners in here:
                if not text.startswith(form, start):
                    continue
                owner = owners[0] if not gone else _first_left(owners, gone)
                if owner is not None:
                    what = (start, start + len(form), *owner.what)
                    found.append(new(Finding, what))
        return found


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


def _owners_of_forms(entries: Iterable[Entry]) -> dict[bytes, _Owners]:
    owners: dict[bytes, _Owners] = {}
    # Sorted, so that a value with two names always gets the same one.
    for entry in sorted(set(entries)):
        forms = forms_of(entry[1])
        by_rule = {
            rule: (_Owner(entry, (KIND, entry[0], rule)),) for rule in forms.values()
        }
        for form, rule in forms.items():
            owners[form] = owners.get(form, ()) + by_rule[rule]
    return owners


def _first_left(owners: _Owners, gone: frozenset[Entry]) -> _Owner | None:
    return next((owner for owner in owners if owner.entry not in gone), None)
