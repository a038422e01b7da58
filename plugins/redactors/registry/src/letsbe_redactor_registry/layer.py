"""The redaction layer of the registered secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from letsbe.plugin import Finding, RegisteredSecrets
from letsbe_redactor_registry.disguises import Reduced
from letsbe_redactor_registry.engines import choose_engine
from letsbe_redactor_registry.index import Index, View


@final
class RegistryLayer:
    """Finds every registered value, plain and encoded.

    Safe to use from several threads. A change of the registered secrets counts from the
    next call on.

    Args:
        secrets: The registered secrets.
        engine: The search engine's name; the fastest one installed if None.
        disguises: Whether to look for values in disguise too, a second pass over the
            text.

    Raises:
        UnknownEngine: There is no such engine here.
    """

    name = "registry"
    order = 10

    def __init__(
        self,
        secrets: RegisteredSecrets,
        engine: str | None = None,
        *,
        disguises: bool = True,
    ) -> None:
        choice = choose_engine(engine)
        self.engine = choice.name
        """The name of the search engine in use."""
        self._index = Index(secrets, choice, disguises=disguises)

    def find(self, text: bytes) -> list[Finding]:
        """Find every registered value; see :class:`letsbe.plugin.RedactionLayer`."""
        view = self._index.view()
        hits = view.parts[0].find(text, view.gone)
        for part in view.parts[1:]:
            hits += part.find(text, view.gone)
        new = tuple.__new__  # half the time of calling Finding
        found = [new(Finding, (start, end, *owner.what)) for start, end, owner in hits]
        if view.disguised:
            found += _disguised(text, found, view)
        return found

    def names(self) -> frozenset[str]:
        """Return the names of all registered secrets."""
        return self._index.view().names

    def settle(self, timeout: float) -> bool:
        """Wait until changes have been merged, for tests and measurements.

        Args:
            timeout: Seconds.

        Returns:
            Whether they have been.
        """
        return self._index.wait(timeout)


def _disguised(text: bytes, found: list[Finding], view: View) -> Iterator[Finding]:
    """Find values in disguise outside of what was found."""
    if found:
        masked = bytearray(text)
        for start, end, *_ in found:
            masked[start:end] = bytes(end - start)
        text = bytes(masked)
    reduced = Reduced(text)
    for part in view.disguised:
        for first, last, owner in part.find(reduced.letters, view.gone):
            start, end = reduced.place(first, last, owner.entry[1], owner.what[2])
            if start < end:
                yield Finding(start, end, *owner.what)
