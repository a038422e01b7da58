"""Fakes of both generations on loopback; REST requests fit the vendor's document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from letsbe.plugin import ToolSite
from letsbe.testing import FakeTool, ToolCaller, VendorDocument, make_site, serve_fake
from letsbe_tool_stalwart import letsbe_tool_adapters
from plugins.tools.stalwart.tests.fake_jmap import TOKEN, FakeJmap
from plugins.tools.stalwart.tests.fake_rest import FakeRest

PASSWORD = "stan-pass-5f0c9a"
WRONG = (  # what the document leaves out and the server's source has
    "the query parameter text is not documented",  # of the queue's list
    "value: 5 is not of type 'string'",  # a quota is a number
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Served:
    """A running fake, what it keeps, and who calls it."""

    server: FakeTool
    kept: FakeRest | FakeJmap
    call: ToolCaller


def caller_of(url: str, tmp_path: Path, credential: str, value: str) -> ToolCaller:
    tool = ToolSite("stalwart", url, {credential: "stalwart_secret"})
    (adapter,) = letsbe_tool_adapters(make_site(tmp_path, tools=(tool,)))
    held = {"stalwart_secret": value, "ada_mail": "ada-pass-8812", "new": "new-pass-99"}
    return ToolCaller(adapter, held)


@pytest.fixture
def rest(
    vendor_document: Callable[[str], VendorDocument], tmp_path: Path
) -> Iterator[Served]:
    fake = FakeRest()
    document = vendor_document("stalwart/openapi-0.15.5.yml")
    # Neither the question which generation it is, nor JMAP, is in the document.
    undocumented = ["/api/schema", "/jmap"]
    with serve_fake(fake.app, [document], undocumented) as server:
        call = caller_of(server.url, tmp_path, "password", PASSWORD)
        yield Served(server, fake, call)
    assert [f for f in server.faults if not any(map(f.__contains__, WRONG))] == []


@pytest.fixture
def jmap(
    vendor_document: Callable[[str], VendorDocument], tmp_path: Path
) -> Iterator[Served]:
    fake = FakeJmap()
    document = vendor_document("stalwart/openapi-0.16-main.yml")
    with serve_fake(fake.app, [document], ["/jmap"]) as server:
        yield Served(server, fake, caller_of(server.url, tmp_path, "api_token", TOKEN))
    assert server.faults == []


@pytest.fixture(params=["rest", "jmap"])
def served(request: pytest.FixtureRequest) -> Served:
    """Each generation in turn."""
    found: Served = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def call(served: Served) -> ToolCaller:
    return served.call
