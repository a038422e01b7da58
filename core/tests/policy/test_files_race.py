"""Links swapped between check and use, by a real second thread."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letsbe.errors import LetsBeError
from letsbe.policy.files import Confinement, write_file

SECONDS = 1.0


@contextlib.contextmanager
def swapping(swap: Callable[[], None]) -> Iterator[None]:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            swap()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    (tmp_path / "root" / "real").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "root" / "real" / "f").write_text("inside")
    (tmp_path / "outside" / "f").write_text("OUTSIDE")
    (tmp_path / "root" / "door").symlink_to("real")
    (tmp_path / "root" / "trap").symlink_to("../outside")
    return tmp_path


def exchange(one: Path, two: Path) -> None:
    """Swap two names; for a moment one of them is missing."""
    spare = one.with_name("spare")
    one.rename(spare)
    two.rename(one)
    spare.rename(two)


def attempts() -> Iterator[None]:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        yield


@pytest.mark.slow
@pytest.mark.parametrize("door", ["door", "real"])
def test_reads_never_leave(ground: Path, door: str) -> None:
    root = ground / "root"
    confined = Confinement((root,))
    seen: dict[str, int] = {}
    with swapping(lambda: exchange(root / door, root / "trap")):
        for _ in attempts():
            try:
                with confined.find(f"{door}/f") as place:
                    file = place.open_file()
                with os.fdopen(file) as stream:
                    said = stream.read()
            except LetsBeError as error:
                said = type(error).__name__
            seen[said] = seen.get(said, 0) + 1
    assert "OUTSIDE" not in seen
    assert seen.get("inside"), seen
    assert seen.get("PathRefused"), seen  # the trap was met, so the race was real


@pytest.mark.slow
@pytest.mark.parametrize("door", ["door", "real"])
def test_writes_never_leave(ground: Path, door: str) -> None:
    root = ground / "root"
    confined = Confinement((root,))
    written = 0
    with swapping(lambda: exchange(root / door, root / "trap")):
        for _ in attempts():
            try:
                with confined.find(f"{door}/new-{written}/f") as place:
                    if place.missing > 1:
                        continue  # the door itself is away: leave its name free
                    place.make_folders()
                    written += bool(write_file(place, b"inside").size)
            except LetsBeError:
                continue
    assert written
    assert [path.name for path in (ground / "outside").iterdir()] == ["f"]
    assert (ground / "outside" / "f").read_text() == "OUTSIDE"


@pytest.mark.slow
def test_a_file_swapped_for_a_fifo_or_link_is_not_opened(ground: Path) -> None:
    real = ground / "root" / "real"
    os.mkfifo(real / "fifo")
    (real / "link").symlink_to("../../outside/f")
    confined = Confinement((ground / "root",))
    seen = set()

    def swap() -> None:
        exchange(real / "f", real / "fifo")
        exchange(real / "f", real / "link")

    with swapping(swap):
        for _ in attempts():
            try:
                with confined.find("real/f") as place:
                    file = place.open_file()
                with os.fdopen(file) as stream:
                    seen.add(stream.read())
            except LetsBeError:
                continue
    assert seen <= {"inside"}


def test_readers_see_the_old_or_the_new_content(tmp_path: Path) -> None:
    confined = Confinement((tmp_path,))
    contents = [bytes([65 + i]) * (50_000 + i * 7919) for i in range(4)]
    (tmp_path / "f").write_bytes(contents[0])
    count = iter(range(10**9))

    def replace() -> None:
        with confined.find("f") as place:
            write_file(place, contents[next(count) % 4])

    with swapping(replace):
        for _ in range(300):
            assert (tmp_path / "f").read_bytes() in contents
