"""Files of the server: judged by their path, sent without secrets, saved whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.tests.plugin.adapters.conftest import Serve
from letsbe.plugin import (
    PathRefused,
    Refused,
    SentFile,
    Tier,
    ToolFailed,
    ToolUnavailable,
)
from letsbe.policy.classes import CallClass, class_of
from letsbe.policy.files import Content
from letsbe.testing._wire import Reply, WireServer

pytestmark = pytest.mark.anyio
FINE = Reply(200, {"id": 1})


def pieces(server: WireServer) -> list[bytes]:
    return [r.content for r in server.received if r.path == "/piece"]


def finished(server: WireServer) -> bool:
    return any(r.path == "/whole" for r in server.received)


async def test_a_file_goes_in_pieces(serve: Serve, tmp_path: Path) -> None:
    server, call = serve(FINE)
    (tmp_path / "a.txt").write_bytes(b"twenty bytes of text")
    assert await call("keep", file="a.txt") == {"path": str(tmp_path / "a.txt")}
    assert pieces(server) == [b"twenty b", b"ytes of ", b"text"]
    assert server.received[-1].json() == {"name": "a.txt", "size": 20}
    (tmp_path / "empty").touch()
    await call("keep", file="empty")
    assert server.received[-1].json() == {"name": "empty", "size": 0}


@pytest.mark.parametrize("size", [8, 20, 1000])
async def test_a_file_with_a_secret_is_not_finished(
    serve: Serve, tmp_path: Path, size: int
) -> None:
    server, call = serve(FINE)
    (tmp_path / "a.txt").write_text("0123456 value-of-other and more")
    with pytest.raises(Refused, match=r"holds these secrets: other") as caught:
        await call("keep", file="a.txt", size=size)
    assert "value-of-other" not in str(caught.value)
    assert not finished(server)
    assert b"value-of-other" not in b"".join(pieces(server))


@pytest.mark.parametrize("change", [b"", b"longer than the twenty", b"x" * 20])
async def test_a_file_that_changes_is_not_finished(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
) -> None:
    server, call = serve(FINE)
    file = tmp_path / "a.txt"
    file.write_bytes(b"twenty bytes of text")
    os.utime(file, (1, 1))

    def meanwhile(_: SentFile, data: bytes) -> None:
        if data == b"twenty b":
            file.write_bytes(change)

    monkeypatch.setattr(SentFile, "_check", meanwhile)
    with pytest.raises(ToolFailed, match="was changed while it was read"):
        await call("keep", file="a.txt")
    assert not finished(server)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("../out.txt", "outside the allowed folders"),
        ("/etc/passwd", "outside the allowed folders"),
        ("link", "outside the allowed folders"),
        ("pipe", "only regular files"),
    ],
)
@pytest.mark.parametrize("operation", ["keep", "fetch"])
async def test_only_files_inside_are_used(
    serve: Serve, tmp_path: Path, operation: str, path: str, what: str
) -> None:
    server, call = serve(FINE)
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PathRefused, match=what):
        await call(operation, file=path)
    assert server.received == []


def test_tiers_are_those_of_the_file(serve: Serve, tmp_path: Path) -> None:
    _, call = serve(FINE)
    (tmp_path / "a.txt").touch()
    assert call.tier("keep", file="a.txt") is Tier.YELLOW
    judged = call.judge("keep", file="a/.env")
    assert judged.tier is Tier.RED
    assert "by its name holds secrets, to tool" in judged.reason
    assert call.tier("fetch", file=".ssh/authorized_keys") is Tier.RED
    assert call.tier("fetch", file=".git/hooks/post-commit") is Tier.RED
    assert call.judge("fetch", file="a.txt").plan["files"] == [
        {"save": str(tmp_path / "a.txt"), "bytes": 0}
    ]


def test_a_class_holds_the_kind_of_place(serve: Serve) -> None:
    _, call = serve(FINE)

    def allowed(path: str) -> CallClass:
        judged = call.judge("keep", file=path)
        return class_of("tool.keep", judged, frozenset(), is_operation=True)

    assert allowed("a.txt").covers(allowed("b/c.txt"))
    assert not allowed("a.txt").covers(allowed(".env"))
    assert "file_read on any path, those that hold secrets" in allowed(".env").text()


def test_agents_need_the_tools_for_files(serve: Serve) -> None:
    _, call = serve(FINE)
    needs = {a.name: a.needs for a in call.adapter.operations}
    assert needs["tool.keep"] == ("file_read",)
    assert needs["tool.fetch"] == ("file_write",)
    assert needs["tool.read"] == ()


async def test_what_leads_elsewhere_by_now_is_not_used(
    serve: Serve, tmp_path: Path
) -> None:
    server, call = serve(FINE)
    (tmp_path / ".env").write_text("A=1")
    (tmp_path / "a.txt").write_text("harmless")
    classify = call.adapter.classify

    def then_swapped(call_: object) -> object:
        verdict = classify(call_)  # type: ignore[arg-type]  # handed on
        (tmp_path / "a.txt").unlink()
        (tmp_path / "a.txt").symlink_to(".env")
        return verdict

    call.adapter.classify = then_swapped  # type: ignore[method-assign,assignment]
    with pytest.raises(PathRefused, match="leads elsewhere"):
        await call("keep", file="a.txt")
    assert server.received == []


async def test_an_operation_opens_what_its_call_named(
    serve: Serve, tmp_path: Path
) -> None:
    _, call = serve(FINE)
    with pytest.raises(PathRefused, match="no file argument of this call"):
        await call("fetch", file="a.txt", other="b.txt")
    assert list(tmp_path.iterdir()) == []


async def test_a_file_is_saved_whole(serve: Serve, tmp_path: Path) -> None:
    _, call = serve(Reply(200, b"half"))
    saved = await call("fetch", file="a.txt")
    assert saved == {"path": str(tmp_path / "a.txt"), "size": 8, "created": True}
    assert (tmp_path / "a.txt").read_bytes() == b"halfhalf"
    with pytest.raises(ToolFailed, match="exists already: set overwrite"):
        await call("fetch", file="a.txt")
    assert not (await call("fetch", file="a.txt", overwrite=True))["created"]
    with pytest.raises(ToolFailed, match=r"folder of .* does not exist"):
        await call("fetch", file="b/a.txt")


async def test_half_a_file_is_none(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("before")
    _, call = serve(Reply(200, b"half"), Reply(200, b"half", cut=9))
    with pytest.raises(ToolUnavailable):
        await call("fetch", file="a.txt", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


async def test_the_disk_is_not_filled(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, call = serve(Reply(200, b"half"))
    monkeypatch.setattr(Content, "room", lambda _: (1003, 20_000))
    with pytest.raises(ToolFailed, match="too little would be left free"):
        await call("fetch", file="a.txt")
    assert list(tmp_path.iterdir()) == []
