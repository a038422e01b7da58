"""The contract of every redaction layer."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import RedactionLayerContract


class TestJsonKeys(RedactionLayerContract):
    module = "letsbe_redactor_jsonkeys"
    found: ClassVar = [('{"password": "correct horse", "n": 1}', "correct horse")]
