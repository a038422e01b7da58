"""What the file actions do, and how they are judged."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import letsbe_executor_file
from letsbe.plugin import (
    InvalidRequest,
    LetsBeError,
    PathRefused,
    Tier,
    ToolFailed,
    Verdict,
)
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_file.executor import ACTIONS, FileExecutor

pytestmark = pytest.mark.anyio

BY_NAME = {action.name: action for action in ACTIONS}


class Bench:
    """An executor over a folder, called as the core does."""

    def __init__(self, root: Path, **site: Any) -> None:
        self.root = root
        self.executor = FileExecutor(make_site(root, **site))

    def judge(self, name: str, **arguments: Any) -> Verdict:
        return self.executor.classify(make_call(BY_NAME[name], arguments))

    async def call(
        self, name: str, secrets: dict[str, str] | None = None, **arguments: Any
    ) -> Any:
        call = make_call(BY_NAME[name], arguments)
        verdict = self.executor.classify(call)
        run = FakeExecution(secrets=secrets)
        return (await self.executor.execute(call, verdict, run)).output


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_plugin_registers_the_executor(tmp_path: Path) -> None:
    (executor,) = letsbe_executor_file.letsbe_executors(make_site(tmp_path))
    assert [action.name for action in executor.actions] == [
        "file_read",
        "file_write",
        "file_list",
        "file_stat",
    ]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_examples_have_their_tier(bench: Bench, action: Any) -> None:
    (bench.root / "app").mkdir()
    for example in action.examples:
        assert bench.judge(action.name, **example.arguments).tier is example.tier


async def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="hard_lnks"):
        Bench(tmp_path, settings={"hard_lnks": True})
    (tmp_path / "one").write_text("x")
    os.link(tmp_path / "one", tmp_path / "two")
    with pytest.raises(PathRefused, match="hard links"):
        await Bench(tmp_path, settings={"hard_links": False}).call(
            "file_read", path="one"
        )


async def test_check(tmp_path: Path) -> None:
    assert (await Bench(tmp_path).executor.check()).healthy
    health = await Bench(tmp_path / "none").executor.check()
    assert (health.healthy, "roots" in health.message) == (False, True)


# --- reading --------------------------------------------------------------------------


async def test_read_text(bench: Bench) -> None:
    (bench.root / "f").write_text("héllo\n")
    assert await bench.call("file_read", path="f") == {
        "path": str(bench.root / "f"),
        "content": "héllo\n",
        "encoding": "utf-8",
        "size": 7,
        "offset": 0,
        "bytes": 7,
        "truncated": False,
        "next_offset": None,
    }


async def test_read_binary_as_base64(bench: Bench) -> None:
    (bench.root / "f").write_bytes(b"\x00\xff")
    answer = await bench.call("file_read", path="f")
    assert (answer["encoding"], answer["content"]) == ("base64", "AP8=")
    with pytest.raises(ToolFailed, match="base64"):
        await bench.call("file_read", path="f", encoding="utf-8")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=200), limit=st.integers(1, 40))
async def test_pages_add_up_to_the_file(tmp_path: Path, text: str, limit: int) -> None:
    (tmp_path / "f").write_bytes(text.encode())
    bench, offset, read = Bench(tmp_path), 0, b""
    while True:
        answer = await bench.call("file_read", path="f", offset=offset, limit=limit)
        part = answer["content"].encode()
        if answer["encoding"] == "base64":
            part = base64.b64decode(answer["content"])
        assert answer["offset"] == offset
        read += part
        if not answer["truncated"]:
            break
        assert answer["next_offset"] > offset
        offset = answer["next_offset"]
    assert read == text.encode()


async def test_a_secret_is_not_read_in_halves(bench: Bench) -> None:
    secret = "correct-horse-battery"
    (bench.root / "f").write_text(f"a={secret}\n")
    read = ""
    for offset in range(30):
        answer = await bench.call(
            "file_read", {"key": secret}, path="f", offset=offset, limit=1
        )
        read += answer["content"]
    assert read == "a=SECRET_REF(key)\n"


async def test_a_secret_is_not_read_as_base64(bench: Bench) -> None:
    (bench.root / "f").write_bytes(b"\x00correct-horse-battery")
    answer = await bench.call("file_read", {"key": "correct-horse-battery"}, path="f")
    assert base64.b64decode(answer["content"]) == b"\x00SECRET_REF(key)"


async def test_a_large_file_is_read_by_whole_lines(bench: Bench) -> None:
    secret = "correct-horse-battery"
    lines = [f"{number:07} {secret} {'x' * 70}\n" for number in range(20_000)]
    (bench.root / "f").write_text("".join(lines))
    offset, read, pages = 0, [], 0
    while True:
        answer = await bench.call("file_read", {"k": secret}, path="f", offset=offset)
        assert "horse" not in answer["content"]
        assert len(answer["content"]) < 256 * 1024
        read += answer["content"].splitlines()
        pages += 1
        if not answer["truncated"]:
            break
        offset = answer["next_offset"]
    assert [line[:7] for line in read] == [line[:7] for line in lines]
    assert pages > 5
    middle = await bench.call(
        "file_read", {"k": secret}, path="f", offset=1_000_012, limit=3
    )
    assert middle["content"].count("SECRET_REF(k)") == middle["content"].count("\n") > 0


async def test_a_large_file_of_one_line_is_read_to_its_end(bench: Bench) -> None:
    (bench.root / "f").write_bytes(b"z" * 1_500_000)
    offset, size = 0, 0
    while True:
        answer = await bench.call("file_read", path="f", offset=offset)
        size += answer["bytes"]
        if not answer["truncated"]:
            break
        offset = answer["next_offset"]
    assert size == 1_500_000


async def test_the_output_limit_holds(tmp_path: Path) -> None:
    (tmp_path / "small").write_text("x" * 100_000)
    (tmp_path / "large").write_text("x\n" * 1_000_000)
    bench = Bench(tmp_path, output_limit=8192)
    for path in ("small", "large"):
        answer = await bench.call("file_read", path=path)
        assert (len(answer["content"]) < 8192, answer["truncated"]) == (True, True)


async def test_reading_what_is_not_there(bench: Bench) -> None:
    assert bench.judge("file_read", path="none").tier is Tier.GREEN
    with pytest.raises(ToolFailed, match="does not exist"):
        await bench.call("file_read", path="none")
    with pytest.raises(ToolFailed, match="is a folder"):
        await bench.call("file_read", path=".")


@pytest.mark.parametrize("path", ["fifo", "/dev/zero", "../x", "", "a\0b", "~/x/../.."])
def test_refused_before_anything_is_opened(bench: Bench, path: str) -> None:
    os.mkfifo(bench.root / "fifo")
    for name, more in (("file_read", {}), ("file_write", {"content": "x"})):
        with pytest.raises(LetsBeError) as caught:
            bench.judge(name, path=path, **more)
        assert caught.value.code in {"path_refused", "tool_failed"}


def test_secret_files_are_above_green(bench: Bench) -> None:
    for name in (".env", "id_rsa", "site.pem"):
        (bench.root / name).write_text("x")
    (bench.root / "notes").symlink_to(".env")
    (bench.root / "[x].env").write_text("x")
    for path in (".env", "id_rsa", "site.pem", "notes", "[x].env", "./a/../id_rsa"):
        (bench.root / "a").mkdir(exist_ok=True)
        verdict = bench.judge("file_read", path=path)
        assert (verdict.tier, verdict.rule) == (Tier.YELLOW, "file.read_secret")
        assert verdict.alternative is not None
    for path in ("monkey.txt", "[a]{b,c}?*", ".env.example"):
        assert bench.judge("file_read", path=path).tier is Tier.GREEN


# --- writing --------------------------------------------------------------------------


async def test_write_modes(bench: Bench) -> None:
    first = await bench.call("file_write", path="f", content="one", mode="create")
    assert first == {
        "path": str(bench.root / "f"),
        "created": True,
        "bytes": 3,
        "size": 3,
    }
    with pytest.raises(ToolFailed, match="mode overwrite"):
        await bench.call("file_write", path="f", content="two", mode="create")
    added = await bench.call("file_write", path="f", content="+", mode="append")
    assert (added["created"], added["bytes"], added["size"]) == (False, 1, 4)
    await bench.call("file_write", path="f", content="new")
    assert (bench.root / "f").read_text() == "new"
    await bench.call("file_write", path="g", content="g", mode="append")
    assert (bench.root / "g").read_text() == "g"


async def test_write_base64(bench: Bench) -> None:
    await bench.call("file_write", path="f", content="AP8=", encoding="base64")
    assert (bench.root / "f").read_bytes() == b"\x00\xff"
    with pytest.raises(InvalidRequest) as caught:
        bench.judge("file_write", path="f", content="hunter2!", encoding="base64")
    assert caught.value.details[0].field == "tool_args.content"
    assert "hunter2" not in str(caught.value)


async def test_secrets_are_filled_in_and_kept_private(bench: Bench) -> None:
    await bench.call("file_write", {"k": "val-ue"}, path="f", content="k=SECRET_REF(k)")
    assert (bench.root / "f").read_text() == "k=val-ue"
    assert (bench.root / "f").stat().st_mode & 0o777 == 0o600
    plan = bench.judge("file_write", path="f", content="k=SECRET_REF(k)").plan
    assert "val-ue" not in str(plan)


async def test_missing_folders(bench: Bench) -> None:
    with pytest.raises(ToolFailed, match="create_parents"):
        await bench.call("file_write", path="a/b/f", content="x")
    assert not (bench.root / "a").exists()
    await bench.call("file_write", path="a/b/f", content="x", create_parents=True)
    assert (bench.root / "a" / "b" / "f").read_text() == "x"


async def test_a_folder_is_not_written(bench: Bench) -> None:
    with pytest.raises(ToolFailed, match="is a folder"):
        await bench.call("file_write", path=".", content="x")


def test_write_plan_shows_what_would_happen(bench: Bench) -> None:
    (bench.root / "f").write_text("12345")
    (bench.root / "link").symlink_to("f")
    assert bench.judge("file_write", path="link", content="abc").plan == {
        "action": "file_write",
        "path": str(bench.root / "f"),
        "exists": True,
        "mode": "overwrite",
        "bytes": 3,
        "replaces_bytes": 5,
    }


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        ("notes.txt", Tier.YELLOW),
        (".env", Tier.YELLOW),
        ("app.env", Tier.YELLOW),
        (".ssh/authorized_keys", Tier.RED),
        ("id_rsa", Tier.RED),
        ("repo/.git/hooks/pre-commit", Tier.RED),
        ("repo/.git/config", Tier.RED),
        ("repo/.gitignore", Tier.YELLOW),
    ],
)
def test_write_tiers(bench: Bench, path: str, tier: Tier) -> None:
    assert bench.judge("file_write", path=path, content="x").tier is tier


def test_writing_to_the_system_is_red() -> None:
    bench = Bench(Path("/"))
    for path in ("/etc/letsbe-none.conf", "/usr/bin/letsbe-none", "/bin/none"):
        verdict = bench.judge("file_write", path=path, content="x")
        assert (verdict.tier, verdict.rule) == (Tier.RED, "file.write_system")
    assert bench.judge("file_read", path="/etc/shadow").tier is Tier.YELLOW
    assert bench.judge("file_read", path="/etc/passwd").tier is Tier.GREEN


async def test_a_path_that_changes_after_it_was_judged(bench: Bench) -> None:
    (bench.root / "plain").write_text("x")
    (bench.root / ".env").write_text("K=hidden")
    (bench.root / "link").symlink_to("plain")
    call = make_call(BY_NAME["file_read"], {"path": "link"})
    verdict = bench.executor.classify(call)
    (bench.root / "link").unlink()
    (bench.root / "link").symlink_to(".env")
    with pytest.raises(PathRefused, match="send the call again"):
        await bench.executor.execute(call, verdict, FakeExecution())


# --- looking --------------------------------------------------------------------------


async def test_list(bench: Bench) -> None:
    (bench.root / "b").mkdir()
    (bench.root / "b" / "inner").write_text("123")
    (bench.root / "a").write_text("1")
    (bench.root / "c").symlink_to("/etc")
    os.mkfifo(bench.root / "d")
    answer = await bench.call("file_list")
    assert [(e["path"], e["type"]) for e in answer["entries"]] == [
        ("a", "file"),
        ("b", "folder"),
        ("c", "link"),
        ("d", "fifo"),
    ]
    assert answer["entries"][2]["target"] == "/etc"
    assert answer["entries"][0]["modified"].endswith("Z")
    assert (answer["truncated"], answer["path"]) == (False, str(bench.root))
    deep = await bench.call("file_list", depth=5)
    assert [e["path"] for e in deep["entries"]] == ["a", "b", "b/inner", "c", "d"]


async def test_list_is_cut(bench: Bench) -> None:
    for number in range(20):
        (bench.root / f"{number:02}").touch()
    answer = await bench.call("file_list", limit=7)
    assert [e["path"] for e in answer["entries"]] == [f"{n:02}" for n in range(7)]
    assert answer["truncated"]
    assert not (await bench.call("file_list", limit=20))["truncated"]


async def test_list_leaves_out_what_is_closed(tmp_path: Path) -> None:
    for name in ("closed", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").touch()
    bench = Bench(tmp_path, forbidden=(tmp_path / "closed",))
    answer = await bench.call("file_list", depth=3)
    assert [e["path"] for e in answer["entries"]] == ["open", "open/f"]
    with pytest.raises(PathRefused, match="closed to agents"):
        await bench.call("file_list", path="closed")


async def test_list_shows_names_that_are_no_text(bench: Bench) -> None:
    (bench.root / os.fsdecode(b"\xff.txt")).touch()
    answer = await bench.call("file_list")
    assert [e["path"] for e in answer["entries"]] == ["\\xff.txt"]


async def test_list_gives_descriptors_back(bench: Bench) -> None:
    (bench.root / "a" / "b" / "c").mkdir(parents=True)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for limit in (1, 2, 100):
        await bench.call("file_list", depth=9, limit=limit)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_list_of_a_file(bench: Bench) -> None:
    (bench.root / "f").touch()
    with pytest.raises(ToolFailed, match="not a folder"):
        await bench.call("file_list", path="f")
    with pytest.raises(ToolFailed, match="does not exist"):
        await bench.call("file_list", path="none")


async def test_stat(bench: Bench) -> None:
    (bench.root / "f").write_text("123")
    (bench.root / "f").chmod(0o640)
    answer = await bench.call("file_stat", path="f")
    assert (answer["exists"], answer["type"], answer["size"]) == (True, "file", 3)
    assert (answer["mode"], answer["links"]) == ("0640", 1)
    missing = await bench.call("file_stat", path="none")
    assert missing == {"path": str(bench.root / "none"), "exists": False}
    os.mkfifo(bench.root / "fifo")
    assert (await bench.call("file_stat", path="fifo"))["type"] == "fifo"
    assert (await bench.call("file_stat", path="."))["type"] == "folder"
