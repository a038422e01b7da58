"""Finds long random-looking strings that no rule knows."""

from __future__ import annotations

from letsbe.plugin import RedactionLayer, hookimpl
from letsbe_redactor_entropy.layer import EntropyLayer

API_VERSION = (0, 1)


@hookimpl
def letsbe_redaction_layers() -> list[RedactionLayer]:
    """Register the layer."""
    return [EntropyLayer()]
