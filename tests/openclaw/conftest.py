"""A real OpenClaw for the tests of this folder.

Installing it takes minutes, once; starting a gateway takes 14 to 45 seconds and more
than a gigabyte, so that tests share one where they can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.openclaw import tenant as tenants
from tests.openclaw.configured import Cafe
from tests.openclaw.gateway import Gateway, State, running
from tests.openclaw.runtime import CannotInstall, Runtime, install
from tests.openclaw.scripted_llm import ScriptedLlm
from tests.openclaw.stage import Stage
from tests.openclaw.tenant import SECRET


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


@pytest.fixture(scope="session")
def stage(
    runtime: Runtime,
    llm: ScriptedLlm,
    new_state: Callable[[str], State],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Run an OpenClaw whose tools come by the bridge, for all tests of the session.

    The real Secrets Proxy is between it and the LLM, the real wrapper and executors
    behind its tools.
    """
    state = new_state("plugin")
    folder = tmp_path_factory.mktemp("tenant")
    plugin = folder / "bridge"
    tenant = tenants.make(folder, llm.address, closed=(state.folder, plugin))
    tenant.letsbe("secrets", "provide", "cloud_token", stdin=SECRET)
    tenants.meet(tenant, state)
    with tenants.running(tenant):
        tenants.install_bridge(runtime, tenant, plugin)
        config = tenants.by_plugin(state, tenant, plugin)
        with running(runtime, state, config) as gateway:
            yield Stage(gateway, tenant, llm)


@pytest.fixture(scope="session")
def cafe(
    runtime: Runtime, llm: ScriptedLlm, tmp_path_factory: pytest.TempPathFactory
) -> Cafe:
    """Make a tenant as `letsbe openclaw configure` does, its tools by MCP."""
    made = Cafe(tmp_path_factory.mktemp("cafe"), llm.address, runtime)
    made.make()
    made.configure()
    return made


@pytest.fixture(scope="session")
def gateway(cafe: Cafe) -> Iterator[Gateway]:
    """Run that tenant, and its OpenClaw, for all tests of the session."""
    (cafe.work / "menu.txt").write_text("rhubarb cake")
    with cafe.up(), cafe.gateway() as started:
        yield started
