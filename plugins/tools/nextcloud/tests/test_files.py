"""Files, folders and the trash, on a fake that keeps them."""

from __future__ import annotations

import base64

import pytest

from letsbe.plugin import InvalidRequest, ToolConflict, ToolInvalid, ToolNotFound
from letsbe.testing import ToolCaller
from plugins.tools.nextcloud.tests.conftest import Served
from plugins.tools.nextcloud.tests.fake_dav import HOME

pytestmark = pytest.mark.anyio


async def test_a_file_from_its_folder_to_its_end(
    call: ToolCaller, served: Served
) -> None:
    await call("create_folder", path="Invoices 2026")
    written = await call(
        "write_file", path="Invoices 2026/ä & b.md", content="# Größe\n"
    )
    assert written["created"]

    listed = (await call("list_files", path="Invoices 2026"))["entries"]
    assert [e["path"] for e in listed] == ["Invoices 2026/ä & b.md"]
    assert (listed[0]["kind"], listed[0]["size"]) == ("file", 10)
    read = await call("read_file", path="Invoices 2026/ä & b.md")
    assert (read["content"], read["truncated"]) == ("# Größe\n", False)

    await call("move", path="Invoices 2026/ä & b.md", to="notes.md")
    await call("copy", path="notes.md", to="Invoices 2026/copy.md")
    assert set(served.kept.dav.nodes) == {
        HOME,
        f"{HOME}/Invoices 2026",
        f"{HOME}/notes.md",
        f"{HOME}/Invoices 2026/copy.md",
    }
    await call("delete", path="notes.md")
    (thrown,) = (await call("list_trash"))["entries"]
    assert (thrown["name"], thrown["path"]) == ("notes.md", "notes.md")
    await call("restore", id=thrown["id"])
    assert (await call("stat_file", path="notes.md"))["size"] == 10
    await call("delete", path="notes.md")
    await call("delete_for_good", id=thrown["id"])
    assert (await call("list_trash"))["entries"] == []


async def test_nothing_is_replaced_unasked(call: ToolCaller, served: Served) -> None:
    first = await call("write_file", path="a.txt", content="1")
    with pytest.raises(ToolConflict, match="exists"):
        await call("write_file", path="a.txt", content="2")
    await call("write_file", path="a.txt", content="2", etag=first["etag"])
    with pytest.raises(ToolConflict, match="etag did not match"):
        await call("write_file", path="a.txt", content="3", etag=first["etag"])
    replaced = await call("write_file", path="a.txt", content="3", overwrite=True)
    assert not replaced["created"]
    await call("write_file", path="b.txt", content="b")
    with pytest.raises(ToolConflict):
        await call("move", path="a.txt", to="b.txt")
    assert (await call("move", path="a.txt", to="b.txt", overwrite=True))["replaced"]
    assert served.kept.dav.nodes[f"{HOME}/b.txt"].content == b"3"


async def test_what_is_missing_or_there_is_named(call: ToolCaller) -> None:
    with pytest.raises(ToolNotFound, match="could not be located"):
        await call("read_file", path="none.txt")
    with pytest.raises(ToolNotFound, match="Parent node"):
        await call("write_file", path="none/a.txt", content="x")
    await call("create_folder", path="there")
    with pytest.raises(ToolConflict, match="already exists"):
        await call("create_folder", path="there")
    with pytest.raises(ToolInvalid, match="this is a folder"):
        await call("read_file", path="there")


async def test_a_secret_in_a_file_is_taken_out_before_the_text_is_cut(
    call: ToolCaller, served: Served
) -> None:
    canary = "canary-5f0c9a1e77b2"
    dav = served.kept.dav
    await call("write_file", path="env", content=f"KEY={canary}\nEND")
    whole = await call("read_file", path="env")
    assert whole["content"] == "KEY=SECRET_REF(canary)\nEND"
    part = await call("read_file", path="env", offset=4, limit=10)
    assert (part["content"], part["truncated"]) == ("SECRET_REF", True)
    dav.nodes[f"{HOME}/env"].content = b"\xff\xfe" + canary.encode()
    binary = await call("read_file", path="env")
    assert base64.b64decode(binary["base64"]) == b"\xff\xfeSECRET_REF(canary)"


@pytest.mark.parametrize("knows_ranges", [True, False])
async def test_a_large_file_is_read_in_whole_lines_from_end_to_end(
    call: ToolCaller, served: Served, knows_ranges: bool
) -> None:
    served.kept.dav.knows_ranges = knows_ranges
    line = b"day=%06d key=canary-5f0c9a1e77b2 \xc3\xa9\n"
    whole = b"".join(line % number for number in range(40_000))
    await call("write_file", path="log", content="x")
    served.kept.dav.nodes[f"{HOME}/log"].content = whole
    read: list[str] = []
    place: int | None = 0
    while place is not None:
        part = await call("read_file", path="log", offset=place, limit=100_000)
        read.append(part["content"])
        place = part["next_offset"]
    clean = whole.replace(b"canary-5f0c9a1e77b2", b"SECRET_REF(canary)")
    assert "".join(read) == clean.decode()
    middle = await call("read_file", path="log", offset=1_000_000, limit=5)
    assert middle["content"].startswith("day=")
    assert middle["content"].endswith("é\n")
    assert len(middle["content"]) < 100
    ranges = [r for r in served.server.requests if r.method == "GET"]
    assert all("range" in r.headers for r in ranges)


async def test_a_small_file_is_read_on_from_where_it_was_left(call: ToolCaller) -> None:
    await call("write_file", path="a", content="äöü")
    first = await call("read_file", path="a", limit=2)
    assert (first["content"], first["next_offset"]) == ("äö", 2)
    rest = await call("read_file", path="a", offset=2)
    assert (rest["content"], rest["next_offset"]) == ("ü", None)
    assert (await call("read_file", path="a", offset=99))["content"] == ""


async def test_older_versions_come_back(call: ToolCaller, served: Served) -> None:
    await call("write_file", path="a.txt", content="first")
    await call("write_file", path="a.txt", content="second!", overwrite=True)
    (older,) = (await call("list_versions", path="a.txt"))["versions"]
    assert older["size"] == 5
    await call("restore_version", path="a.txt", version=older["version"])
    assert (await call("read_file", path="a.txt"))["content"] == "first"
    (older,) = (await call("list_versions", path="a.txt"))["versions"]
    assert older["size"] == 7
    with pytest.raises(ToolNotFound):
        await call("restore_version", path="a.txt", version="12")
    await call("create_folder", path="there")
    with pytest.raises(ToolInvalid, match="only files have versions"):
        await call("list_versions", path="there")


async def test_a_folder_is_listed_in_parts(call: ToolCaller) -> None:
    for name in "abc":
        await call("write_file", path=name, content=name)
    listed = await call("list_files", limit=2)
    assert [e["path"] for e in listed["entries"]] == ["a", "b"]
    assert (listed["total"], listed["truncated"]) == (3, True)
    listed = await call("list_files", limit=2, offset=2)
    assert ([e["path"] for e in listed["entries"]], listed["truncated"]) == (
        ["c"],
        False,
    )
    with pytest.raises(ToolInvalid, match="this is a file"):
        await call("list_files", path="a")


async def test_an_empty_file_and_one_that_is_no_text(call: ToolCaller) -> None:
    await call("write_file", path="empty", content="")
    assert (await call("read_file", path="empty"))["content"] == ""
    await call("write_file", path="bin", content="AP8B", encoding="base64")
    assert (await call("read_file", path="bin"))["base64"] == "AP8B"
    with pytest.raises(InvalidRequest, match="not base64"):
        await call("write_file", path="x", content="?", encoding="base64")


async def test_files_are_found_by_name_whatever_the_name_is(call: ToolCaller) -> None:
    await call("create_folder", path="Office")
    for name in ("100%_sure.md", "1000 sure.md", "<b>.md"):
        await call("write_file", path=f"Office/{name}", content="x")
    found = (await call("search_files", name="0%_s"))["entries"]
    assert [e["path"] for e in found] == ["Office/100%_sure.md"]
    assert len((await call("search_files", name="sure", path="Office"))["entries"]) == 2


@pytest.mark.parametrize(
    "path",
    ["../root/x", "a/../../x", "a/%2e%2e/x", "a\\..\\x", "a/./b", "a\x00b", "a//b"],
)
async def test_no_path_leaves_the_users_files(
    call: ToolCaller, served: Served, path: str
) -> None:
    for operation in ("read_file", "delete"):
        with pytest.raises(InvalidRequest):
            await call(operation, path=path)
    with pytest.raises(InvalidRequest):
        await call("copy", path="x", to=path)
    assert served.server.requests == []
