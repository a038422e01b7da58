"""The redaction layer of the registered secrets."""

from __future__ import annotations

from typing import final

from letsbe.plugin import Finding, RegisteredSecrets
from letsbe_redactor_registry.engines import choose_engine
from letsbe_redactor_registry.index import Index


@final
class RegistryLayer:
    """Finds every registered value, plain and encoded.

    Safe to use from several threads. A change of the registered secrets counts from the
    next call on.

    Args:
        secrets: The registered secrets.
        engine: The search engine's name; the fastest one installed if None.

    Raises:
        UnknownEngine: There is no such engine here.
    """

    name = "registry"
    order = 10

    def __init__(self, secrets: RegisteredSecrets, engine: str | None = None) -> None:
        choice = choose_engine(engine)
        self.engine = choice.name
        """The name of the search engine in use."""
        self._index = Index(secrets, choice)

    def find(self, text: bytes) -> list[Finding]:
        """Find every registered value; see :class:`letsbe.plugin.RedactionLayer`."""
        view = self._index.view()
        found = view.parts[0].find(text, view.gone)
        for part in view.parts[1:]:
            found += part.find(text, view.gone)
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
