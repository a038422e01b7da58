"""Portainer's container operations on a real Docker Engine, behind a small façade."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from letsbe.plugin import ToolConflict, ToolNotFound
from letsbe.testing import ToolCaller, serve_fake
from plugins.tools.portainer.tests.conftest import caller_of
from plugins.tools.portainer.tests.fake_portainer import FakePortainer
from tests.docker.conftest import IMAGE, Daemon


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def call(daemon: Daemon, tmp_path: Path) -> Iterator[ToolCaller]:
    fake = FakePortainer(daemon.host.removeprefix("unix://"))
    with serve_fake(fake.app) as server:
        yield caller_of(server.url, tmp_path)


async def create(call: ToolCaller, *command: str) -> None:
    await call(
        "create_container",
        name="web",
        image=IMAGE,
        command=list(command),
        environment={"DB": "SECRET_REF(db)"},
        volumes={"web_data": "/data"},
    )


@pytest.mark.anyio
async def test_a_container_from_its_image_to_its_end(
    call: ToolCaller, daemon: Daemon
) -> None:
    await create(call, "sh", "-c", "echo hello; echo trouble >&2; sleep 300")
    started = await call("start_container", container="web")
    assert started == {"container": "web", "changed": True}
    assert not (await call("start_container", container="web"))["changed"]

    (listed,) = (await call("list_containers", all=False))["containers"]
    assert (listed["names"], listed["state"]) == (["web"], "running")
    end = time.monotonic() + 20
    while not (log := (await call("read_logs", container="web", tail=10))["log"]):
        assert time.monotonic() < end
    assert sorted(log.split()) == ["hello", "trouble"]
    inspected = await call("inspect_container", container="web")
    assert inspected["Config"]["Env"][0] == "DB=db-pass-5f0c9a"
    assert inspected["HostConfig"]["Binds"] == ["web_data:/data"]
    assert (await call("read_stats", container="web"))["memory_stats"]

    await call("restart_container", container="web")
    with pytest.raises(ToolConflict, match="running"):
        await call("remove_container", container="web")
    assert (await call("stop_container", container="web"))["changed"]
    await call("remove_container", container="web", volumes=True)
    assert daemon.docker("ps", "-aq") == ""
    await call("remove_volume", volume="web_data")
    assert daemon.docker("volume", "ls", "-q") == ""


@pytest.mark.anyio
async def test_what_the_engine_has(call: ToolCaller) -> None:
    images = (await call("list_images"))["images"]
    assert IMAGE in str(images)
    assert (await call("list_volumes"))["Volumes"] in ([], None)
    assert {n["Name"] for n in await call("list_networks")} >= {"host", "none"}
    assert (await call("read_docker_info"))["ServerVersion"]


@pytest.mark.anyio
async def test_what_goes_wrong_is_named_in_the_engines_words(call: ToolCaller) -> None:
    with pytest.raises(ToolNotFound, match="No such container"):
        await call("read_logs", container="nothing")
    with pytest.raises(ToolNotFound, match="No such image"):
        await call("remove_image", image="example.com/none:1")
    await create(call, "true")
    with pytest.raises(ToolConflict, match="already in use"):
        await create(call, "true")


@pytest.mark.anyio
async def test_pruning_takes_what_does_not_run(call: ToolCaller) -> None:
    await create(call, "true")
    pruned = await call("prune_containers")
    assert len(pruned["ContainersDeleted"]) == 1
    assert (await call("prune_images"))["SpaceReclaimed"] == 0
