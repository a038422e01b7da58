"""Whole files from the server and to it, on a fake that keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import (
    Refused,
    Tier,
    ToolClient,
    ToolConflict,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
)
from letsbe.testing import ToolCaller
from letsbe_tool_nextcloud import transfer
from letsbe_tool_nextcloud.transfer import CHUNK
from plugins.tools.nextcloud.tests.conftest import Served
from plugins.tools.nextcloud.tests.fake_dav import HOME, Node

pytestmark = pytest.mark.anyio


@pytest.fixture
def large(tmp_path: Path) -> bytes:
    content = os.urandom(2 * CHUNK + 17)
    (tmp_path / "large.bin").write_bytes(content)
    return content


@pytest.mark.parametrize("size", [0, 17, CHUNK, CHUNK + 1, 2 * CHUNK])
async def test_a_file_goes_there_and_back(
    call: ToolCaller, served: Served, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    (tmp_path / "a.bin").write_bytes(content)
    kept = await call("upload_file", file="a.bin", path="ä & b.bin")
    assert (kept["size"], kept["path"]) == (size, "ä & b.bin")
    assert served.kept.dav.nodes[f"{HOME}/ä & b.bin"].content == content
    assert served.kept.dav.uploads == {}
    back = await call("download_file", path="ä & b.bin", file="back.bin")
    assert (back["created"], back["etag"]) == (True, kept["etag"])
    assert (tmp_path / "back.bin").read_bytes() == content


@pytest.mark.parametrize("name", ["small.txt", "large.bin"])
async def test_nothing_is_replaced_unasked(
    call: ToolCaller, served: Served, tmp_path: Path, large: bytes, name: str
) -> None:
    (tmp_path / "small.txt").write_text("small")
    first = await call("write_file", path="a", content="before")
    with pytest.raises(ToolConflict):
        await call("upload_file", file=name, path="a")
    with pytest.raises(ToolConflict):
        await call("upload_file", file=name, path="a", etag="another")
    assert served.kept.dav.nodes[f"{HOME}/a"].content == b"before"
    second = await call("upload_file", file=name, path="a", etag=first["etag"])
    assert second["etag"] != first["etag"]
    await call("upload_file", file=name, path="a", overwrite=True)
    assert (await call("list_versions", path="a"))["versions"]


Break = Callable[..., None]


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Do something just before the first request of a method."""
    send = ToolClient.send

    def install(method: str, act: Callable[[], None], nth: int = 1) -> None:
        seen = []

        async def acting(self: ToolClient, *sent: Any, **rest: Any) -> Any:
            if sent[0] == method:
                seen.append(method)
                if len(seen) == nth:
                    act()
            return await send(self, *sent, **rest)

        monkeypatch.setattr(ToolClient, "send", acting)

    return install


@pytest.mark.parametrize("etag", [False, True])
async def test_what_came_meanwhile_stays(
    call: ToolCaller, served: Served, before: Break, large: bytes, etag: bool
) -> None:
    dav = served.kept.dav
    condition = {}
    if etag:
        condition["etag"] = (await call("write_file", path="a", content="1"))["etag"]
    before("MOVE", lambda: dav.nodes.update({f"{HOME}/a": Node(b"theirs")}))
    with pytest.raises(ToolConflict) as caught:
        await call("upload_file", file="large.bin", path="a", **condition)
    assert "took effect" not in caught.value.message
    assert dav.nodes[f"{HOME}/a"].content == b"theirs"
    assert dav.uploads == {}


async def test_a_broken_upload_is_thrown_away(
    call: ToolCaller, served: Served, before: Break, tmp_path: Path, large: bytes
) -> None:
    def full() -> None:
        raise ToolForbidden("there is no room")

    before("PUT", full, nth=2)
    with pytest.raises(ToolForbidden, match="no room"):
        await call("upload_file", file="large.bin", path="a")
    (tmp_path / "leak.bin").write_bytes(b"x" * CHUNK + b"canary-5f0c9a1e77b2")
    with pytest.raises(Refused, match="holds these secrets: canary"):
        await call("upload_file", file="leak.bin", path="a")
    assert served.kept.dav.uploads == {}
    assert f"{HOME}/a" not in served.kept.dav.nodes


async def test_a_file_that_changes_is_not_saved(
    call: ToolCaller, served: Served, before: Break, tmp_path: Path, large: bytes
) -> None:
    dav = served.kept.dav
    await call("upload_file", file="large.bin", path="a")
    before("GET", lambda: dav.nodes.update({f"{HOME}/a": Node(b"new")}), nth=2)
    with pytest.raises(ToolConflict):
        await call("download_file", path="a", file="back.bin")
    assert not (tmp_path / "back.bin").exists()


async def test_a_server_without_ranges(
    call: ToolCaller, served: Served, tmp_path: Path
) -> None:
    served.kept.dav.knows_ranges = False
    await call("write_file", path="a", content="x" * 10)
    await call("download_file", path="a", file="back.txt")
    assert (tmp_path / "back.txt").read_text() == "x" * 10


async def test_what_is_wrong_is_said_first(
    call: ToolCaller, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("a")
    await call("create_folder", path="folder")
    with pytest.raises(ToolInvalid, match="this is a folder"):
        await call("download_file", path="folder", file="b")
    with pytest.raises(ToolNotFound):
        await call("download_file", path="none", file="b")
    monkeypatch.setattr(transfer, "_MOST", 0)
    with pytest.raises(ToolInvalid, match="larger than"):
        await call("upload_file", file="a", path="a")


def test_tiers(call: ToolCaller) -> None:
    assert call.tier("upload_file", file="a", path="a") is Tier.YELLOW
    assert call.tier("upload_file", file=".env", path="a") is Tier.RED
    assert call.tier("download_file", file="a", path="a") is Tier.YELLOW
    assert call.tier("download_file", file="a", path="a", overwrite=True) is Tier.RED
