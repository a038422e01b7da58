"""The registered secrets, compiled for searching and kept up to date."""

from __future__ import annotations

import logging
import threading
from typing import NamedTuple

from letsbe.plugin import RegisteredSecrets
from letsbe_redactor_registry.disguises import (
    folded_forms_of,
    groups_of,
    hints_of,
    reduced_forms_of,
    turned_forms_of,
)
from letsbe_redactor_registry.engines import Choice, Engine
from letsbe_redactor_registry.forms import forms_of
from letsbe_redactor_registry.part import KIND, Entry, Form, Part, What
from letsbe_redactor_registry.signs import signs_for

MERGE_SHARE = 40
"""One in so many entries changed makes it worth compiling the big set again. Until
then a second, small set costs a search of its own; compiling 10,000 values takes
seconds, and pyahocorasick stops all threads for a part of that."""

_log = logging.getLogger(__name__)


class _Compiled(NamedTuple):
    entries: frozenset[Entry]
    whole: Part[What]
    reduced: Part[tuple[What, str]] | None
    hints: tuple[Engine, ...]


class View(NamedTuple):
    """What is searched for at one moment.

    Args:
        engine: The name of the search engine.
        version: The version of the registered secrets it was made from.
        entries: Every name and value.
        names: Every name.
        parts: What to search with: the big set, and what came since.
        reduced: The same, for reduced text.
        hints: What finds hints of values in pieces, if the parts do not.
        gone: Entries of the parts that are no longer registered.
    """

    engine: str
    version: int
    entries: frozenset[Entry]
    names: frozenset[str]
    parts: tuple[Part[What], ...]
    reduced: tuple[Part[tuple[What, str]], ...]
    hints: tuple[Engine, ...]
    gone: frozenset[Entry]


class Index:
    """Keeps a view of the registered secrets that is never older than they are.

    A change is compiled by itself, in milliseconds, before the call that noticed it
    goes on; when enough has changed, the big set is compiled again in another thread
    and then takes over.

    Args:
        secrets: The registered secrets.
        choice: The engine to search with.
        disguises: Whether to compile reduced forms too.
    """

    def __init__(
        self, secrets: RegisteredSecrets, choice: Choice, *, disguises: bool
    ) -> None:
        self._secrets = secrets
        self._disguises = disguises
        self._choice = choice
        self._lock = threading.Lock()
        self._merging: threading.Thread | None = None
        if disguises:
            signs_for(choice.name)  # compiled here, not while a request waits
        version, entries = self._registered()
        self._base = self._compiled(entries)
        self._view = self._make_view(version, entries)

    def view(self) -> View:
        """Return the view of what is registered now."""
        version = self._secrets.version
        view = self._view
        if view.version == version:
            return view
        with self._lock:
            # Another thread may have brought it up to date while this one waited.
            if self._view.version != self._secrets.version:
                self._view = self._make_view(*self._registered())
                if self._worth_merging(self._view):
                    self._merge_later()
            return self._view

    def wait(self, timeout: float) -> bool:
        """Wait until no compilation is under way.

        Args:
            timeout: Seconds.

        Returns:
            Whether that is so.
        """
        merging = self._merging
        if merging is not None:
            merging.join(timeout)
            return not merging.is_alive()
        return True

    def _registered(self) -> tuple[int, frozenset[Entry]]:
        # The version first: a change in between is then seen again, not missed.
        version = self._secrets.version
        current = self._secrets.current()
        entries = frozenset((secret.name, secret.reveal()) for secret in current)
        return version, frozenset(entry for entry in entries if entry[1])

    def _make_view(self, version: int, entries: frozenset[Entry]) -> View:
        new = entries - self._base.entries
        if len(new) > len(self._base.entries):
            self._base = self._compiled(entries)
            new = frozenset()
        compiled = [self._base, self._compiled(new)] if new else [self._base]
        return View(
            self._choice.name,
            version,
            entries,
            frozenset(name for name, _ in entries),
            tuple(each.whole for each in compiled),
            tuple(each.reduced for each in compiled if each.reduced),
            tuple(engine for each in compiled for engine in each.hints),
            self._base.entries - entries,
        )

    def _compiled(self, entries: frozenset[Entry]) -> _Compiled:
        choice = self._choice
        if not self._disguises:
            whole = Part(entries, choice, _exact_forms, _what)
            return _Compiled(entries, whole, None, ())
        # Apart, because groups hold a space: beside them all others cost three times.
        hints = [
            sorted(set().union(*(of(value) for _, value in entries)))
            for of in (hints_of, groups_of)
        ]
        here = [hint.lower() for each in hints for hint in each]
        return _Compiled(
            entries,
            Part(entries, choice, _all_forms, _what, here if choice.one_pass else ()),
            Part(entries, choice, reduced_forms_of, _what_and_value),
            ()
            if choice.one_pass
            else tuple(choice.compile(each, [False] * len(each)) for each in hints),
        )

    def _worth_merging(self, view: View) -> bool:
        base = self._base.entries
        return len(base ^ view.entries) > len(base) // MERGE_SHARE

    def _merge_later(self) -> None:
        if self._merging is None or not self._merging.is_alive():
            self._merging = threading.Thread(
                target=self._merge, name="letsbe-registry", daemon=True
            )
            self._merging.start()

    def _merge(self) -> None:
        """Compile all that is registered, until nothing has changed meanwhile."""
        while True:
            entries = self._view.entries
            try:
                compiled = self._compiled(entries)
            except Exception:  # noqa: BLE001 - the parts at hand still find everything
                _log.warning("compiling the registered secrets failed; trying later")
                return
            with self._lock:
                self._base = compiled
                view = self._view
                self._view = self._make_view(view.version, view.entries)
                if self._view.entries == entries:
                    self._merging = None
                    return


def _what(entry: Entry, rule: str) -> What:
    return KIND, entry[0], rule


def _what_and_value(entry: Entry, rule: str) -> tuple[What, str]:
    return (KIND, entry[0], rule), entry[1]


def _exact_forms(value: str) -> dict[Form, str]:
    return {Form(form, folded=False): rule for form, rule in forms_of(value).items()}


def _all_forms(value: str) -> dict[Form, str]:
    folded = folded_forms_of(value)
    forms = {Form(form, folded=True): rule for form, rule in folded.items()}
    for form, rule in (*forms_of(value).items(), *turned_forms_of(value).items()):
        if form.lower() not in folded:
            forms.setdefault(Form(form, folded=False), rule)
    return forms
