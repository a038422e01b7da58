"""A real NocoDB and the adapter that speaks to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letsbe.plugin import ToolSite
from letsbe.testing import ToolCaller, make_site
from letsbe_tool_nocodb import letsbe_tool_adapters
from plugins.tools.nocodb.tests.server import NocodbServer, running_nocodb


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def nocodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NocodbServer]:
    if shutil.which("npm") is None:
        pytest.skip("npm, which installs NocoDB, is not here")
    with running_nocodb(tmp_path_factory.mktemp("nocodb")) as server:
        yield server


Caller = Callable[..., ToolCaller]


def caller_of(url: str, tmp_path: Path, token: str) -> ToolCaller:
    tool = ToolSite("nocodb", url, {"api_token": "nocodb_token"})
    (adapter,) = letsbe_tool_adapters(make_site(tmp_path, tools=(tool,)))
    return ToolCaller(adapter, {"nocodb_token": token})


@pytest.fixture
def call_as(nocodb: NocodbServer, tmp_path: Path) -> Callable[[str], ToolCaller]:
    """Make a caller with a token."""
    return lambda token: caller_of(nocodb.url, tmp_path, token)


@pytest.fixture
def call(nocodb: NocodbServer, call_as: Callable[[str], ToolCaller]) -> ToolCaller:
    return call_as(nocodb.token)
