"""A fake Chatwoot on loopback; every request must fit the vendor's document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from letsbe.plugin import ToolSite
from letsbe.testing import FakeTool, ToolCaller, VendorDocument, make_site, serve_fake
from letsbe_tool_chatwoot import letsbe_tool_adapters
from plugins.tools.chatwoot.tests.fake_chatwoot import TOKEN, FakeChatwoot

DOCUMENTS = ("chatwoot/swagger.json", "chatwoot/swagger-fork-2026-05.json")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Served:
    """A running fake and what it keeps."""

    server: FakeTool
    kept: FakeChatwoot


@pytest.fixture
def served(vendor_document: Callable[[str], VendorDocument]) -> Iterator[Served]:
    fake = FakeChatwoot()
    with serve_fake(fake.app, [vendor_document(d) for d in DOCUMENTS]) as server:
        yield Served(server, fake)
    # The address of its version is not documented.
    assert [f for f in server.faults if not f.startswith("GET /api:")] == []


@pytest.fixture
def call_as(served: Served, tmp_path: Path) -> Callable[[str], ToolCaller]:
    """Make a caller with a token."""

    def make(token: str) -> ToolCaller:
        secrets = {"access_token": "chatwoot_token"}
        tool = ToolSite("chatwoot", served.server.url, secrets, {"account_id": "7"})
        (adapter,) = letsbe_tool_adapters(make_site(tmp_path, tools=(tool,)))
        return ToolCaller(adapter, {"chatwoot_token": token})

    return make


@pytest.fixture
def call(call_as: Callable[[str], ToolCaller]) -> ToolCaller:
    return call_as(TOKEN)
