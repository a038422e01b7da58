"""The contract of every billing backend."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from typing_extensions import override

from letsbe.plugin import BillingBackend
from letsbe.testing import BillingBackendContract
from letsbe_billing_sample.backend import SampleBackend


class TestSample(BillingBackendContract):
    module = "letsbe_billing_sample"

    @pytest.fixture
    @override
    def backend(self, tmp_path: Path) -> BillingBackend:
        return SampleBackend(tmp_path / "lines.jsonl")

    @override
    def now(self) -> int:
        return int(time.time())

    @override
    async def adjusted(self, backend: BillingBackend, customer: str) -> list[int]:
        assert isinstance(backend, SampleBackend)
        return backend.adjustments(customer)
