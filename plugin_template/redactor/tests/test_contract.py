"""The contract of every redaction layer."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import RedactionLayerContract

KEY = "smpl_aB3dE5gH7jK9mN1pQ3sT5vX7"


class TestSample(RedactionLayerContract):
    module = "letsbe_redactor_sample"
    found: ClassVar = [(f"the key is {KEY}.", KEY), (f'{{"key":"{KEY}"}}', KEY)]
    kept: ClassVar = ["smpl_short", f"no{KEY}longer"]
