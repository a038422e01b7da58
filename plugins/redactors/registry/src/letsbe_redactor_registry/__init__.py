"""Takes every registered secret out of text, in any of its usual encodings."""

from __future__ import annotations

from collections.abc import Iterable

from letsbe.plugin import RedactionLayer, RegisteredSecrets, Site, hookimpl
from letsbe_redactor_registry.layer import RegistryLayer

__all__ = ["API_VERSION", "RegistryLayer", "letsbe_redaction_layers"]

API_VERSION = (0, 1)


@hookimpl
def letsbe_redaction_layers(
    site: Site, secrets: RegisteredSecrets
) -> Iterable[RedactionLayer]:
    """Register the layer.

    The setting ``engine`` names the search engine (``hyperscan``, ``daachorse`` or
    ``pyahocorasick``); without it the fastest one that is installed is used. The
    setting ``disguises = false`` saves the second pass over each text.
    """
    engine = site.settings.get("engine")
    return [
        RegistryLayer(
            secrets,
            None if engine is None else str(engine),
            disguises=site.settings.get("disguises") is not False,
        )
    ]
