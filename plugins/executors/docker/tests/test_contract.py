"""The contract of every executor."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_extensions import override

from letsbe.plugin import Site
from letsbe.testing import ExecutorContract, make_site


class TestDocker(ExecutorContract):
    module = "letsbe_executor_docker"

    @pytest.fixture
    @override
    def site(self, workspace: Path, tables: Path) -> Site:
        """Add the tables that the shell executor would bring."""
        made = make_site(workspace)
        made.rules.add(tables)
        return made
