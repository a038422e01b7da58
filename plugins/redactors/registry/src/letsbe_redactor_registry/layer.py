"""The redaction layer of the registered secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from letsbe.plugin import Finding, Findings, Health, RegisteredSecrets, State
from letsbe_redactor_registry.engines import choose_engine
from letsbe_redactor_registry.hidden import REACH, find_hidden
from letsbe_redactor_registry.index import Index

MANY = 64
"""From here on findings are returned as columns."""


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

    def find(self, text: bytes) -> Iterable[Finding]:
        """Find every registered value; see :class:`letsbe.plugin.RedactionLayer`."""
        view = self._index.view()
        loose: list[int] = []
        hits = view.parts[0].find(text, view.gone, loose)
        for part in view.parts[1:]:
            hits.extend(part.find(text, view.gone, loose))
        for start, end, what in list(find_hidden(text, hits, loose, view)):
            hits.starts.append(start)
            hits.ends.append(end)
            hits.what.append(what)
        found = Findings(*hits)
        return found if len(found) > MANY else list(found)

    def names(self) -> frozenset[str]:
        """Return the names of all registered secrets."""
        return self._index.view().names

    def state(self) -> State:
        """Return the version of the secrets, and the longest that is found of them."""
        view = self._index.view()
        longest = max(part.longest for part in view.parts)
        return State(view.version, max(longest, REACH) if view.reduced else longest)

    async def check(self) -> Health:
        """Say which engine searches."""
        return Health(True, f"searches with {self.engine}")

    def settle(self, timeout: float) -> bool:
        """Wait until changes have been merged, for tests and measurements.

        Args:
            timeout: Seconds.

        Returns:
            Whether they have been.
        """
        return self._index.wait(timeout)
