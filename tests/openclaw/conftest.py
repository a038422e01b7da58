"""A real OpenClaw for the tests of this folder.

Installing it takes minutes, once; starting a gateway takes 14 to 45 seconds and more
than a gigabyte, so that tests share one where they can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.openclaw.gateway import State
from tests.openclaw.runtime import CannotInstall, Runtime, install
from tests.openclaw.scripted_llm import ScriptedLlm


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """Return the installed OpenClaw."""
    try:
        return install()
    except CannotInstall as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def llm() -> Iterator[ScriptedLlm]:
    """Serve an LLM that says what a test tells it to say."""
    with ScriptedLlm() as served:
        yield served


@pytest.fixture(scope="session")
def new_state(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], State]:
    """Return what makes the folders of one OpenClaw."""

    def make(name: str) -> State:
        folder: Path = tmp_path_factory.mktemp(f"openclaw-{name}")
        return State(folder)

    return make
