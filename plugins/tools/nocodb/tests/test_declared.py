"""What can be said of the adapter without a NocoDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from letsbe.testing import ToolCaller
from plugins.tools.nocodb.tests.conftest import caller_of


@pytest.fixture
def call(tmp_path: Path) -> ToolCaller:
    return caller_of("http://127.0.0.1:9", tmp_path, "token-5f0c9a1e")
