"""The contract of every redaction layer."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import RedactionLayerContract


class TestRegistry(RedactionLayerContract):
    module = "letsbe_redactor_registry"
    secrets: ClassVar = {"token": "canary/Hq7Rt2WmZx9Lk4Pv"}
    found: ClassVar = [
        ("the token is canary/Hq7Rt2WmZx9Lk4Pv.", "canary/Hq7Rt2WmZx9Lk4Pv"),
        ("x=canary%2FHq7Rt2WmZx9Lk4Pv", "canary%2FHq7Rt2WmZx9Lk4Pv"),
    ]
