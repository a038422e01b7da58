"""A fake Nextcloud on loopback; OCS requests must fit the vendor's documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from letsbe.plugin import ToolSite
from letsbe.testing import FakeTool, ToolCaller, VendorDocument, make_site, serve_fake
from letsbe_tool_nextcloud import letsbe_tool_adapters
from plugins.tools.nextcloud.tests.fake_nextcloud import (
    APP_PASSWORD,
    REAL_PASSWORD,
    FakeNextcloud,
)

DOCUMENTS = (
    "core__openapi",
    "apps__provisioning_api__openapi",
    "apps__provisioning_api__openapi-administration",
    "apps__files_sharing__openapi",
    "apps__notifications__openapi",
    "apps__user_status__openapi",
)
UNDOCUMENTED = ("/remote.php/", "/status.php", "/ocs/v2.php/apps/serverinfo/")
SECRETS = {"app_password": "nc_app", "admin_password": "nc_admin"}
SETTINGS = {"user": "ada", "admin_user": "root"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Served:
    """A running fake and what it keeps."""

    server: FakeTool
    kept: FakeNextcloud


@pytest.fixture
def served(vendor_document: Callable[[str], VendorDocument]) -> Iterator[Served]:
    fake = FakeNextcloud()
    documents = [vendor_document(f"nextcloud/{name}.json") for name in DOCUMENTS]
    with serve_fake(fake.app, documents, UNDOCUMENTED) as server:
        yield Served(server, fake)
    assert server.faults == []


Caller = Callable[..., ToolCaller]


@pytest.fixture
def call_as(served: Served, tmp_path: Path) -> Caller:
    """Make a caller with some of the credentials, or other values of them."""

    def make(**values: str) -> ToolCaller:
        held = {SECRETS[role]: value for role, value in values.items()}
        secrets = {role: SECRETS[role] for role in values}
        tool = ToolSite("nextcloud", served.server.url, secrets, SETTINGS)
        (adapter,) = letsbe_tool_adapters(make_site(tmp_path, tools=(tool,)))
        return ToolCaller(adapter, {**held, "canary": "canary-5f0c9a1e77b2"})

    return make


@pytest.fixture
def call(call_as: Caller) -> ToolCaller:
    return call_as(app_password=APP_PASSWORD, admin_password=REAL_PASSWORD)
