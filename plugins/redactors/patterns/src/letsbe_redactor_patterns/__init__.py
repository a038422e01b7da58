"""Finds credentials by the forms that vendors and formats give them."""

from __future__ import annotations

from letsbe.plugin import RedactionLayer, hookimpl

API_VERSION = (0, 1)


@hookimpl
def letsbe_redaction_layers() -> list[RedactionLayer]:
    """Register the layer, with the fastest scanner that is installed."""
    from letsbe_redactor_patterns.engines import best_scanner
    from letsbe_redactor_patterns.layer import PatternLayer
    from letsbe_redactor_patterns.rules import load_rules

    rules = load_rules()
    return [PatternLayer(rules, best_scanner(rules))]
