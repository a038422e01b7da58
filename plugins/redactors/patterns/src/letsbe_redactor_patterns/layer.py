"""The layer: anchors first, then each rule in a window round its anchors."""

from __future__ import annotations

from collections.abc import Sequence

from letsbe.plugin import Finding, Places, State
from letsbe_redactor_patterns.rules import Rule
from letsbe_redactor_patterns.scanning import Scanner


class PatternLayer:
    """Finds credentials by their form.

    Args:
        rules: The rules.
        scanner: What finds their anchors; made for these rules in this order.
    """

    name = "patterns"
    order = 20

    def __init__(self, rules: Sequence[Rule], scanner: Scanner) -> None:
        self._rules = tuple(rules)
        self._scanner = scanner

    def state(self) -> State:
        """Say that what is found in a message is the same whenever it comes again."""
        return State(0, 0)

    def find(self, text: bytes) -> list[Finding]:
        """Find what has the form of a credential; findings may overlap."""
        return self.find_at(text, self.search(text))

    def search(self, text: bytes) -> Places:
        """Find where rules' anchors may stand."""
        return self._scanner.search(text)

    def find_at(self, text: bytes, places: Places) -> list[Finding]:
        """Find what has the form of a credential round some places."""
        found = []
        for number, hits in self._scanner.hits(text, places).items():
            rule = self._rules[number]
            for start, end in rule.find(text, hits):
                found.append(Finding(start, end, rule.kind, None, rule.name))
        return found
