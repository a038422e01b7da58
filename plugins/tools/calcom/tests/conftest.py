"""A fake Cal.com on loopback; every request must fit the vendor's document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from letsbe.plugin import ToolSite
from letsbe.testing import FakeTool, ToolCaller, VendorDocument, make_site, serve_fake
from letsbe_tool_calcom import letsbe_tool_adapters
from plugins.tools.calcom.tests.fake_calcom import KEY, FakeCalcom

DOCUMENTS = (
    "calcom/openapi-v2-2025-04.fixed.json",
    "calcom/openapi-v2-2026-07-fork.json",
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Served:
    """A running fake and what it keeps."""

    server: FakeTool
    kept: FakeCalcom


@pytest.fixture
def served(vendor_document: Callable[[str], VendorDocument]) -> Iterator[Served]:
    fake = FakeCalcom()
    with serve_fake(fake.app, [vendor_document(d) for d in DOCUMENTS]) as server:
        yield Served(server, fake)
    # The health check asks without a key, to be turned away.
    assert [f for f in server.faults if "/v2/me: the header parameter" not in f] == []


@pytest.fixture
def call_as(served: Served, tmp_path: Path) -> Callable[[str], ToolCaller]:
    """Make a caller with a key."""

    def make(key: str) -> ToolCaller:
        tool = ToolSite("calcom", served.server.url, {"api_key": "calcom_key"})
        (adapter,) = letsbe_tool_adapters(make_site(tmp_path, tools=(tool,)))
        return ToolCaller(adapter, {"calcom_key": key})

    return make


@pytest.fixture
def call(call_as: Callable[[str], ToolCaller]) -> ToolCaller:
    return call_as(KEY)
