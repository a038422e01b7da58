"""A fake Portainer on loopback; every request must fit the vendor's document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from letsbe.plugin import ToolSite
from letsbe.testing import FakeTool, ToolCaller, VendorDocument, make_site, serve_fake
from letsbe_tool_portainer import letsbe_tool_adapters
from plugins.tools.portainer.tests.fake_portainer import TOKEN, FakePortainer

DOCUMENT = "portainer/client-api-go-swagger.yaml"
DOCKER = "/api/endpoints/1/docker"  # Docker's own API is in another document


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Served:
    """A running fake and what it keeps."""

    server: FakeTool
    kept: FakePortainer


@pytest.fixture
def served(vendor_document: Callable[[str], VendorDocument]) -> Iterator[Served]:
    fake = FakePortainer()
    with serve_fake(fake.app, [vendor_document(DOCUMENT)], [DOCKER]) as server:
        yield Served(server, fake)
    assert server.faults == []


def caller_of(url: str, tmp_path: Path, token: str = TOKEN) -> ToolCaller:
    tool = ToolSite("portainer", url, {"access_token": "portainer_token"})
    (adapter,) = letsbe_tool_adapters(make_site(tmp_path, tools=(tool,)))
    return ToolCaller(adapter, {"portainer_token": token, "db": "db-pass-5f0c9a"})


@pytest.fixture
def call(served: Served, tmp_path: Path) -> ToolCaller:
    return caller_of(served.server.url, tmp_path)
