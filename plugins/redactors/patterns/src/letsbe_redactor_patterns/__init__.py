"""Finds credentials by the forms that vendors and formats give them."""

from __future__ import annotations

from letsbe.plugin import RedactionLayer, hookimpl
from letsbe_redactor_patterns.engines import best_scanner
from letsbe_redactor_patterns.layer import PatternLayer
from letsbe_redactor_patterns.rules import load_rules

API_VERSION = (0, 1)


@hookimpl
def letsbe_redaction_layers() -> list[RedactionLayer]:
    """Register the layer, with the fastest scanner that is installed."""
    rules = load_rules()
    return [PatternLayer(rules, best_scanner(rules))]
