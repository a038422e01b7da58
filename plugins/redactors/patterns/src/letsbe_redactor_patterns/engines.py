"""Chooses between the scanners; all find the same, one of them faster."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from letsbe_redactor_patterns.rules import Rule
from letsbe_redactor_patterns.scanning import PlainScanner, Scanner


def best_scanner(rules: Sequence[Rule]) -> Scanner:
    """Return Hyperscan's scanner if it is installed, else the plain one.

    Args:
        rules: What the scanner is made for.
    """
    if importlib.util.find_spec("hyperscan") is None:
        return PlainScanner(rules)
    # Imported here, because it imports an optional part of the installation.
    from letsbe_redactor_patterns.hyperscanning import (  # noqa: PLC0415 - see above
        HyperscanScanner,
    )

    return HyperscanScanner(rules)
