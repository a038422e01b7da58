"""The contract of every notifier."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typing_extensions import override

from letsbe.plugin import Notifier
from letsbe.testing import Arrivals, NotifierContract
from letsbe_notifier_sample.notifier import SampleNotifier


class TestSample(NotifierContract):
    module = "letsbe_notifier_sample"
    wrong_addresses = ("../box", "Box", "a/b", "x" * 33)

    @pytest.fixture
    @override
    def notifier(self, tmp_path: Path) -> Notifier:
        (tmp_path / "owner").mkdir()
        return SampleNotifier(tmp_path)

    @pytest.fixture
    @override
    def away(self, tmp_path: Path) -> Notifier:
        return SampleNotifier(tmp_path / "unmounted")

    @pytest.fixture
    @override
    def address(self) -> str:
        return "owner"

    @pytest.fixture
    @override
    def dead_address(self) -> str:
        return "former-owner"

    @pytest.fixture
    @override
    def arrived(self, tmp_path: Path) -> Arrivals:
        def titles() -> list[str]:
            files = (tmp_path / "owner").glob("*.json")
            return [json.loads(file.read_text())["title"] for file in files]

        return titles
