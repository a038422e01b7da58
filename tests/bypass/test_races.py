"""Links swapped between check and use, with real threads and real executors."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letsbe.errors import LetsBeError
from letsbe.plugin import Result, Tier
from letsbe.policy.commands import parse_line
from letsbe.policy.rules import RuleBook, Where
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_file.executor import FileExecutor
from letsbe_executor_shell.judging import TABLES

SECONDS = 2.0


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    (tmp_path / "root" / "real").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "root" / "real" / "f").write_text("inside")
    (tmp_path / "outside" / "f").write_text("OUTSIDE")
    (tmp_path / "root" / ".env").write_text("OUTSIDE")
    (tmp_path / "root" / "door").symlink_to("real")
    (tmp_path / "root" / "trap").symlink_to("../outside")
    (tmp_path / "root" / "page").symlink_to("real/f")
    return tmp_path


@contextlib.contextmanager
def swapping(one: Path, two: Path) -> Iterator[None]:
    """Exchange two names again and again until the block ends."""
    done = threading.Event()
    spare = one.with_name("spare")

    def work() -> None:
        while not done.is_set():
            one.rename(spare)
            two.rename(one)
            spare.rename(two)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def repoint(link: Path, target: str) -> None:
    new = link.with_name("new-link")
    new.symlink_to(target)
    new.replace(link)


async def attempt(
    executor: FileExecutor, name: str, **arguments: object
) -> Result | LetsBeError:
    """Classify and execute, as the wrapper does, and return what comes of it."""
    action = next(a for a in executor.actions if a.name == name)
    call = make_call(action, arguments)
    try:
        verdict = executor.classify(call)
        return await executor.execute(call, verdict, FakeExecution())
    except LetsBeError as error:
        return error


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("door", ["door", "real"])
async def test_reads_through_a_swapped_folder_stay_inside(
    ground: Path, door: str
) -> None:
    root = ground / "root"
    executor = FileExecutor(make_site(root))
    seen: set[str] = set()
    end = time.monotonic() + SECONDS
    with swapping(root / door, root / "trap"):
        while time.monotonic() < end:
            result = await attempt(executor, "file_read", path=f"{door}/f")
            if isinstance(result, Result):
                seen.add(str(result.output))
            else:
                seen.add(type(result).__name__)
    assert not any("OUTSIDE" in said for said in seen)
    assert any("inside" in said for said in seen)
    assert "PathRefused" in seen  # the trap was met, so the race was real


@pytest.mark.slow
@pytest.mark.anyio
async def test_writes_through_a_swapped_folder_stay_inside(ground: Path) -> None:
    root = ground / "root"
    executor = FileExecutor(make_site(root))
    written = 0
    end = time.monotonic() + SECONDS
    with swapping(root / "door", root / "trap"):
        while time.monotonic() < end:
            path = f"door/new-{written}"
            result = await attempt(executor, "file_write", path=path, content="x")
            written += isinstance(result, Result)
    assert written
    assert [path.name for path in (ground / "outside").iterdir()] == ["f"]


@pytest.mark.anyio
async def test_a_link_swapped_after_the_judgement_grants_no_more(ground: Path) -> None:
    root = ground / "root"
    executor = FileExecutor(make_site(root))
    action = next(a for a in executor.actions if a.name == "file_read")
    call = make_call(action, {"path": "page"})
    verdict = executor.classify(call)
    assert verdict.tier is Tier.GREEN

    for target in (".env", "../outside/f", "/etc/passwd", "/proc/self/environ"):
        repoint(root / "page", target)
        with pytest.raises(LetsBeError):
            await executor.execute(call, verdict, FakeExecution())


@pytest.fixture(scope="module")
def judged() -> Callable[[str, Path], Tier]:
    book = RuleBook.read([TABLES])

    def judge(line: str, root: Path) -> Tier:
        where = Where(cwd=str(root), home="/home/agent", roots=(root,))
        return book.judge(parse_line(line), where).tier

    return judge


def test_commands_are_judged_by_what_a_link_leads_to_now(
    ground: Path, judged: Callable[[str, Path], Tier]
) -> None:
    root = ground / "root"
    lines = ("cat page", "sort <page", "grep x ./real/../page", "head -n1 page")
    assert [judged(line, root) for line in lines] == [Tier.GREEN] * len(lines)
    repoint(root / "page", ".env")
    assert [judged(line, root) for line in lines] == [Tier.RED] * len(lines)
    repoint(root / "page", "door")
    repoint(root / "door", "/etc")
    assert judged("cat page/shadow", root) is Tier.RED


@pytest.mark.parametrize(
    "line",
    [
        "ln -s .env x && cat x",
        "ln -s /etc x && cat x/shadow",
        "ln -sfn / x; cat x/etc/shadow",
        "cp -r /etc x && cat x/shadow",
        "cp -a ~ x && cat x/.ssh/id_rsa",
        "mv .env x && cat x",
        "mkdir x && mv .env x/y && cat x/y",
        "cd / && cat etc/shadow",
        "cd door && cat ../.env",
        "find . -name .env -exec ln -s {} x \\; ; cat x",
    ],
)
def test_a_line_cannot_rename_a_secret_and_read_it(
    line: str, ground: Path, judged: Callable[[str, Path], Tier]
) -> None:
    assert judged(line, ground / "root") >= Tier.RED
