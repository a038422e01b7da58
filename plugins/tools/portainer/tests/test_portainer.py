"""Stacks and environments on a fake; containers are tried on a real Docker Engine.

The latter are in ``tests/docker/test_portainer_adapter.py``.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from letsbe.plugin import (
    Tier,
    ToolConflict,
    ToolNotFound,
    ToolUnauthenticated,
    ToolUnavailable,
)
from letsbe.testing import ToolCaller
from letsbe_tool_portainer.access import log_text
from letsbe_tool_portainer.compose import judge_stack
from plugins.tools.portainer.tests.conftest import Served, caller_of

FILE = "services:\n  web:\n    image: nginx:1.27\n"


async def a_stack(call: ToolCaller) -> int:
    environment = {"DB_PASSWORD": "SECRET_REF(db)"}
    made = await call("create_stack", name="site", file=FILE, environment=environment)
    return int(made["id"])


@pytest.mark.anyio
async def test_a_stack_from_its_file_to_its_end(
    call: ToolCaller, served: Served
) -> None:
    assert await call("list_stacks") == {"stacks": []}
    number = await a_stack(call)
    assert served.kept.stacks[number]["Env"][0]["value"] == "db-pass-5f0c9a"

    shown = await call("read_stack", stack_id=number)
    assert (shown["variables"], shown["active"]) == (["DB_PASSWORD"], True)
    assert "db-pass-5f0c9a" not in str(shown)
    assert await call("read_stack_file", stack_id=number) == {"file": FILE}

    await call("stop_stack", stack_id=number)
    assert not (await call("list_stacks"))["stacks"][0]["active"]
    assert (await call("start_stack", stack_id=number))["active"]
    await call("redeploy_stack", stack_id=number)
    assert served.kept.redeployed == [number]
    await call("remove_stack", stack_id=number, volumes=True)
    assert served.kept.stacks == {}


@pytest.mark.anyio
async def test_an_update_keeps_the_variables_unless_they_are_given(
    call: ToolCaller, served: Served
) -> None:
    number = await a_stack(call)
    await call("update_stack", stack_id=number, file=FILE.replace("1.27", "1.28"))
    assert "1.28" in served.kept.files[number]
    assert served.kept.stacks[number]["Env"][0]["name"] == "DB_PASSWORD"
    await call("update_stack", stack_id=number, file=FILE, environment={})
    assert served.kept.stacks[number]["Env"] == []


@pytest.mark.anyio
async def test_environments_and_people(call: ToolCaller) -> None:
    assert (await call("read_status"))["Version"] == "2.31.2"
    assert (await call("list_environments"))["environments"][0]["Name"] == "local"
    assert (await call("read_environment", environment_id=1))["Id"] == 1
    assert (await call("list_users"))[0]["Username"] == "admin"
    assert await call("list_teams")


@pytest.mark.anyio
async def test_errors_have_names(
    call: ToolCaller, served: Served, tmp_path: Path
) -> None:
    with pytest.raises(ToolNotFound, match="Unable to find a stack"):
        await call("read_stack", stack_id=9)
    await a_stack(call)
    with pytest.raises(ToolConflict, match="already exists"):
        await a_stack(call)
    with pytest.raises(ToolUnavailable, match="Unable to query the environment"):
        await call("list_containers")
    with pytest.raises(ToolUnauthenticated):
        await caller_of(served.server.url, tmp_path, "ptr_wrong")("list_environments")


@pytest.mark.anyio
async def test_the_health_check_needs_no_token(call: ToolCaller) -> None:
    health = await call.adapter.check()
    assert (health.healthy, health.message) == (True, "Portainer 2.31.2")


WEB = "services:\n  web:\n    image: nginx:1.27\n    "


@pytest.mark.parametrize(
    ("file", "tier"),
    [
        (FILE, None),
        (WEB + "volumes: [data:/var/lib]\nvolumes:\n  data: {}\n", None),
        (WEB + "volumes:\n      - {type: volume, source: data, target: /x}\n", None),
        (WEB + "environment: {A: b}\n    depends_on: [db]\n", None),
        (WEB + "ports: ['80:80']\n", Tier.RED),
        (WEB + "environment: ['A=${HOME}']\n", Tier.RED),
        ("include: [other.yaml]\n" + FILE, Tier.RED),
        ("just: text\n", Tier.RED),
        ("services: [a]\n", Tier.RED),
        ("services: {web: 3}\n", Tier.RED),
        ("a: [", Tier.RED),
        ("!!python/object/apply:os.system ['id']\n", Tier.RED),
        (WEB + "privileged: true\n", Tier.CRITICAL_RED),
        (WEB + "volumes: [/:/host]\n", Tier.CRITICAL_RED),
        (WEB + "volumes: [./x:/x]\n", Tier.CRITICAL_RED),
        (WEB + "volumes: [~/x:/x]\n", Tier.CRITICAL_RED),
        (WEB + "volumes:\n      - {type: bind, source: /, target: /x}\n", "power"),
        (WEB + "network_mode: host\n", Tier.CRITICAL_RED),
        (WEB + "pid: host\n", Tier.CRITICAL_RED),
        (WEB + "ipc: 'container:db'\n", Tier.CRITICAL_RED),
        (WEB + "cap_add: [SYS_ADMIN]\n", Tier.CRITICAL_RED),
        (WEB + "devices: ['/dev/sda']\n", Tier.CRITICAL_RED),
        (WEB + "build: .\n", Tier.CRITICAL_RED),
        (WEB + "extends: {file: x, service: y}\n", Tier.CRITICAL_RED),
        (
            FILE
            + "volumes:\n  d:\n    driver_opts: {type: none, o: bind, device: /}\n",
            Tier.CRITICAL_RED,
        ),
        (FILE + "secrets:\n  s: {file: /etc/shadow}\n", Tier.CRITICAL_RED),
    ],
)
def test_a_stack_that_reaches_for_the_machine_is_named(
    file: str, tier: Tier | str | None
) -> None:
    found = max((each.tier for each in judge_stack(file)), default=None)
    assert found is (Tier.CRITICAL_RED if tier == "power" else tier)


def frame(stream: int, text: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(text)) + text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (frame(1, b"out\n") + frame(2, b"err\n"), "out\nerr\n"),
        (b"plain from a terminal\r\n", "plain from a terminal\r\n"),
        (frame(1, b"x") + b"\x01\x00\x00\x00\x00\x00\x00\x09cut", "xcut"),
        (b"", ""),
        (frame(1, b"\xff"), "\ufffd"),
    ],
)
def test_a_log_comes_in_frames_or_plain(content: bytes, text: str) -> None:
    assert log_text(content) == text
