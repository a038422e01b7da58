"""The contract of every redaction layer."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import RedactionLayerContract

KEY = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zB9dF1hJ3kL5"


class TestPatterns(RedactionLayerContract):
    module = "letsbe_redactor_patterns"
    found: ClassVar = [(f"token: {KEY} is it", KEY)]
