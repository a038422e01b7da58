"""The contract of every redaction layer."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import RedactionLayerContract

RANDOM = "q7Zx9LmK2vB8nR4tY6wP1sD3fG5hJ0aCeUiOkTzVbNxWy"


class TestEntropy(RedactionLayerContract):
    module = "letsbe_redactor_entropy"
    found: ClassVar = [(f"value {RANDOM} ends", RANDOM)]
