"""Finds the values of sensitive keys in JSON and in literals like it."""

from __future__ import annotations

from letsbe.plugin import RedactionLayer, hookimpl
from letsbe_redactor_jsonkeys.engines import best_stems
from letsbe_redactor_jsonkeys.layer import JsonKeyLayer

API_VERSION = (0, 1)


@hookimpl
def letsbe_redaction_layers() -> list[RedactionLayer]:
    """Register the layer, with the fastest search that is installed."""
    return [JsonKeyLayer(best_stems())]
