"""What the environment actions do, and how they are judged."""

import fcntl
import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import anyio
import pytest

import letsbe_executor_env
from letsbe.plugin import (
    ConfigurationError,
    InvalidRequest,
    PathRefused,
    Tier,
    ToolFailed,
    Verdict,
)
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_env import updating
from letsbe_executor_env.executor import ACTIONS, EnvExecutor
from letsbe_executor_env.reading import WITHHELD

pytestmark = pytest.mark.anyio

BY_NAME = {action.name: action for action in ACTIONS}


class Bench:
    """An executor over a folder, called as the core does."""

    def __init__(self, root: Path, **site: Any) -> None:
        self.root = root
        self.env = root / ".env"
        self.executor = EnvExecutor(make_site(root, **site))

    def judge(self, name: str, **arguments: Any) -> Verdict:
        return self.executor.classify(make_call(BY_NAME[name], arguments))

    async def call(
        self,
        name: str,
        secrets: dict[str, str] | None = None,
        deadline: float = 20,
        **arguments: Any,
    ) -> Any:
        call = make_call(BY_NAME[name], arguments)
        verdict = self.executor.classify(call)
        run = FakeExecution(secrets=secrets, deadline=deadline)
        return (await self.executor.execute(call, verdict, run)).output

    async def values(self, secrets: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self.call("env_read", secrets)
        return {each["key"]: each["value"] for each in answer["variables"]}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_plugin_registers_the_executor(tmp_path: Path) -> None:
    (executor,) = letsbe_executor_env.letsbe_executors(make_site(tmp_path))
    assert [action.name for action in executor.actions] == ["env_read", "env_update"]


def test_it_takes_no_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Bench(tmp_path, settings={"colour": "hunter2"})
    assert caught.value.details[0].field == "colour"


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_examples_have_their_tier(bench: Bench, action: Any) -> None:
    for example in action.examples:
        assert bench.judge(action.name, **example.arguments).tier is example.tier


async def test_check(tmp_path: Path) -> None:
    assert (await Bench(tmp_path).executor.check()).healthy
    assert not (await Bench(tmp_path / "none").executor.check()).healthy


# --- reading --------------------------------------------------------------------------


async def test_read(bench: Bench) -> None:
    bench.env.write_text("# shop\nPORT=80\nAPI_KEY=abcdef\n?\nPORT=81\nHOME\n")
    assert await bench.call("env_read") == {
        "path": str(bench.env),
        "variables": [
            {"key": "PORT", "value": "80", "line": 2},
            {"key": "API_KEY", "value": WITHHELD, "line": 3},
            {"key": "PORT", "value": "81", "line": 5},
            {"key": "HOME", "value": None, "line": 6},
        ],
        "withheld": ["API_KEY"],
        "missing": [],
        "duplicates": ["PORT"],
        "invalid_lines": [{"line": 4, "wrong": "it is no KEY=VALUE"}],
    }


async def test_read_some_keys(bench: Bench) -> None:
    bench.env.write_text("A=1\nB=2\n")
    answer = await bench.call("env_read", keys=["B", "C"])
    assert [each["key"] for each in answer["variables"]] == ["B"]
    assert answer["missing"] == ["C"]


async def test_registered_values_are_shown_by_name(bench: Bench) -> None:
    bench.env.write_text(
        "API_KEY='in $the vault'\nTITLE=in\\ nothing\nDB_PASSWORD=in-the-vault-no\n"
        "URL=https://x?k=pepper-corn\nTOKEN=x-pepper-corn\n"
    )
    secrets = {"shop_api": "in $the vault", "corn": "pepper-corn"}
    assert await bench.values(secrets) == {
        "API_KEY": "SECRET_REF(shop_api)",
        "TITLE": "in\\ nothing",
        "DB_PASSWORD": WITHHELD,
        "URL": "https://x?k=SECRET_REF(corn)",
        "TOKEN": WITHHELD,
    }


async def test_values_that_are_secret_by_themselves(bench: Bench) -> None:
    bench.env.write_text(
        "DATABASE_URL=postgres://app:s3cr3t@db/app\nHOOK=https://me@host/x\n"
        "KNOWN=amqp://u:corn-corn@q\nREF=redis://:${PW}@r\n"
        "CERT='-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END'\nTOKEN=\nSECRET=${X}\n"
    )
    assert await bench.values({"corn": "corn-corn"}) == {
        "DATABASE_URL": "postgres://app:[REDACTED:url_password]@db/app",
        "HOOK": "https://me@host/x",
        "KNOWN": "amqp://u:SECRET_REF(corn)@q",
        "REF": "redis://:${PW}@r",
        "CERT": WITHHELD,
        "TOKEN": "",
        "SECRET": "${X}",
    }


async def test_invalid_lines_show_nothing_of_themselves(bench: Bench) -> None:
    bench.env.write_text("canary one\nA='canary\n")
    answer = await bench.call("env_read")
    assert [each["line"] for each in answer["invalid_lines"]] == [1, 2]
    assert "canary" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"A=\xff\xfe", "not UTF-8"), (b"A=1\n" * 300_000, "no .env file")],
)
async def test_what_is_no_env_file(bench: Bench, content: bytes, words: str) -> None:
    bench.env.write_bytes(content)
    with pytest.raises(ToolFailed, match=words):
        await bench.call("env_read")
    with pytest.raises(ToolFailed, match=words):
        await bench.call("env_update", set={"A": "1"})
    assert bench.env.read_bytes() == content


async def test_reading_what_is_not_there(bench: Bench) -> None:
    with pytest.raises(ToolFailed, match="does not exist"):
        await bench.call("env_read")


def test_tiers(bench: Bench) -> None:
    (bench.root / "link").symlink_to("id_rsa")
    (bench.root / "id_rsa").touch()
    for path, tier in (
        (".env", Tier.GREEN),
        ("prod.env", Tier.GREEN),
        ("app.conf", Tier.GREEN),
        (".aws/credentials", Tier.YELLOW),
        ("link", Tier.YELLOW),
    ):
        (bench.root / ".aws").mkdir(exist_ok=True)
        assert bench.judge("env_read", path=path).tier is tier
    for path, tier in (
        (".env", Tier.YELLOW),
        ("app.conf", Tier.YELLOW),
        (".ssh/.env", Tier.RED),
        ("id_rsa", Tier.RED),
    ):
        assert bench.judge("env_update", path=path, set={"A": "1"}).tier is tier
    system = Bench(Path("/")).judge("env_update", path="/etc/app.env", set={"A": "1"})
    assert (system.tier, system.rule) == (Tier.RED, "env.update_system")


@pytest.mark.parametrize("path", ["../x", "/etc/environment", "", "a\0", "fifo"])
def test_refused(bench: Bench, path: str) -> None:
    os.mkfifo(bench.root / "fifo")
    with pytest.raises(PathRefused):
        bench.judge("env_read", path=path)
    with pytest.raises(PathRefused):
        bench.judge("env_update", path=path, set={"A": "1"})


async def test_a_path_that_changes_after_it_was_judged(bench: Bench) -> None:
    (bench.root / "id_rsa").write_text("A=1\n")
    (bench.root / "plain").write_text("A=1\n")
    (bench.root / "link").symlink_to("plain")
    call = make_call(BY_NAME["env_update"], {"path": "link", "set": {"A": "2"}})
    verdict = bench.executor.classify(call)
    (bench.root / "link").unlink()
    (bench.root / "link").symlink_to("id_rsa")
    with pytest.raises(PathRefused, match="send the call again"):
        await bench.executor.execute(call, verdict, FakeExecution())
    assert (bench.root / "id_rsa").read_text() == "A=1\n"


# --- updating -------------------------------------------------------------------------


async def test_update(bench: Bench) -> None:
    bench.env.write_text("# shop\nA=1\nB=2 # two\nC=3\nA=4\n")
    bench.env.chmod(0o640)
    answer = await bench.call(
        "env_update", set={"B": "x y", "C": "3", "N": "new"}, unset=["A", "Z"]
    )
    assert bench.env.read_text() == "# shop\nB='x y' # two\nC=3\nN=new\n"
    assert bench.env.stat().st_mode & 0o777 == 0o640
    assert answer == {
        "path": str(bench.env),
        "created": False,
        "added": ["N"],
        "changed": ["B"],
        "unchanged": ["C"],
        "removed": ["A"],
        "missing": ["Z"],
        "notes": [],
        "duplicates": [],
        "invalid_lines": [],
    }


async def test_a_new_file_is_private(bench: Bench) -> None:
    answer = await bench.call("env_update", {"k": "s e c"}, set={"K": "SECRET_REF(k)"})
    assert answer["created"]
    assert bench.env.read_text() == "K='s e c'\n"
    assert bench.env.stat().st_mode & 0o777 == 0o600
    assert "s e c" not in json.dumps(answer)


async def test_no_change_writes_nothing(bench: Bench) -> None:
    bench.env.write_text("A=1\n")
    before = bench.env.stat().st_ino
    answer = await bench.call("env_update", set={"A": "1"}, unset=["B"])
    assert (answer["unchanged"], answer["missing"]) == (["A"], ["B"])
    assert bench.env.stat().st_ino == before
    absent = await bench.call("env_update", path="none.env", unset=["B"])
    assert not absent["created"]
    assert not (bench.root / "none.env").exists()


async def test_no_old_value_of_a_duplicate_stays(bench: Bench) -> None:
    bench.env.write_text("A=old\nA=new\n")
    answer = await bench.call("env_update", set={"A": "new"})
    assert bench.env.read_text() == "A=new\nA=new\n"
    assert answer["duplicates"] == ["A"]


async def test_all_or_nothing(bench: Bench) -> None:
    bench.env.write_text("A=1\n")
    with pytest.raises(ToolFailed, match="value of B") as caught:
        await bench.call(
            "env_update", {"s": "ca\0nary"}, set={"A": "2", "B": "SECRET_REF(s)"}
        )
    assert "nary" not in str(caught.value)
    assert bench.env.read_text() == "A=1\n"


async def test_an_open_quote_stops_the_update(bench: Bench) -> None:
    bench.env.write_text("A=1\nB='canary\nC=1\n")
    with pytest.raises(ToolFailed, match="line 2") as caught:
        await bench.call("env_update", set={"A": "2"})
    assert "canary" not in str(caught.value)


async def test_other_invalid_lines_are_kept_and_told(bench: Bench) -> None:
    bench.env.write_text("- x\nA=1\n")
    answer = await bench.call("env_update", set={"A": "2"})
    assert bench.env.read_text() == "- x\nA=2\n"
    assert [each["line"] for each in answer["invalid_lines"]] == [1]


async def test_notes_name_readers_that_differ(bench: Bench) -> None:
    answer = await bench.call("env_update", set={"A": "it's $5", "B": "fine"})
    assert len(answer["notes"]) == 1
    assert "$5" not in answer["notes"][0]


async def test_a_missing_folder(bench: Bench) -> None:
    with pytest.raises(ToolFailed, match="folder of"):
        await bench.call("env_update", path="a/b/.env", set={"A": "1"})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "tool_args"),
        ({"set": {"A": "canary"}, "unset": ["A"]}, "tool_args"),
        ({"set": {"A B": "canary"}}, "tool_args.set"),
        ({"set": {"A\n": "canary"}}, "tool_args.set"),
        ({"set": {"A": 1}}, "tool_args.set.A"),
        ({"unset": ["1"]}, "tool_args.unset.0"),
    ],
)
def test_wrong_arguments(bench: Bench, arguments: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        bench.judge("env_update", **arguments)
    assert caught.value.details[0].field.startswith(field)
    assert "canary" not in str(caught.value)


def test_the_plan_shows_keys_and_no_values(bench: Bench) -> None:
    plan = bench.judge("env_update", set={"B": "x", "A": "y"}, unset=["C"]).plan
    assert plan == {
        "path": str(bench.env),
        "exists": False,
        "action": "env_update",
        "set": ["A", "B"],
        "unset": ["C"],
    }


# --- at the same time -----------------------------------------------------------------


def _update_many(root: str, worker: int, count: int) -> None:
    async def work() -> None:
        bench = Bench(Path(root))
        for number in range(count):
            await bench.call("env_update", set={f"W{worker}_{number}": str(number)})

    anyio.run(work)


def test_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=_update_many, args=(str(tmp_path), worker, 25))
        for worker in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    lines = (tmp_path / ".env").read_text().splitlines()
    assert sorted(lines) == sorted(f"W{w}_{n}={n}" for w in range(4) for n in range(25))
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


async def test_calls_lose_nothing_of_each_other(bench: Bench) -> None:
    async with anyio.create_task_group() as group:
        for number in range(40):

            async def update(key: str = f"K{number}") -> None:
                await bench.call("env_update", set={key: "1"})

            group.start_soon(update)
    assert len(bench.env.read_text().splitlines()) == 40


async def test_waiting_for_the_lock_ends_at_the_deadline(bench: Bench) -> None:
    folder = os.open(bench.root, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(ToolFailed, match="by others: try again"):
        await bench.call("env_update", deadline=0.05, set={"A": "1"})
    os.close(folder)
    assert (await bench.call("env_update", set={"A": "1"}))["created"]


async def test_an_editor_that_does_not_lock_loses_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.env.write_text("A=1\n")
    edits = iter([True])
    real = updating._change

    def change(*arguments: Any) -> Any:
        found = real(*arguments)
        if next(edits, False):
            bench.env.write_text("A=1\nEDITED=yes\n")
        return found

    monkeypatch.setattr(updating, "_change", change)
    await bench.call("env_update", set={"B": "2"})
    assert bench.env.read_text() == "A=1\nEDITED=yes\nB=2\n"
