"""Runs the scorer that a test module is named after, as a person would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Score = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def score(request: pytest.FixtureRequest) -> Score:
    """Run ``score_NAME.py`` from ``test_score_NAME.py``, with a set's path or none."""
    scorer = request.path.with_name(request.path.name.removeprefix("test_"))

    def run(*arguments: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, scorer, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    return run
