"""The database: order, isolation, durability, and errors that say what to do."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from letsbe.errors import StorageError
from letsbe.storage.database import Database

Change = Callable[[sqlite3.Connection], None]


def put(key: str, value: str = "x") -> Change:
    def change(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO hub_state VALUES (?, ?, 0)", (key, value))

    return change


def keys(database: Database) -> list[str]:
    query = "SELECT key FROM hub_state ORDER BY rowid"
    return [row[0] for row in database.read(lambda c: c.execute(query).fetchall())]


def test_a_write_is_seen_by_the_next_read(database: Database) -> None:
    database.write(put("a"))
    assert keys(database) == ["a"]


def test_a_write_returns_what_the_change_returns(database: Database) -> None:
    assert database.write(lambda c: c.execute("SELECT 41 + 1").fetchone()[0]) == 42


def test_only_the_owner_may_open_the_files(database: Database) -> None:
    database.write(put("a"))
    files = list(database.path.parent.glob("letsbe.db*"))
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_every_commit_is_flushed(database: Database) -> None:
    pragmas = database.write(
        lambda c: [
            c.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode", "foreign_keys")
        ]
    )
    assert pragmas == [2, "wal", 1]


def test_what_raises_is_taken_back_alone(database: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        put("half")(connection)
        message = "no"
        raise LookupError(message)

    gate = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        # All wait in the queue behind the first, so that they share one commit.
        first = pool.submit(database.write, lambda _: gate.wait(10))
        while not database._writer._thread:
            time.sleep(0.001)
        time.sleep(0.05)
        before = pool.submit(database.write, put("before"))
        time.sleep(0.05)
        broken = pool.submit(database.write, half)
        time.sleep(0.05)
        after = pool.submit(database.write, put("after"))
        time.sleep(0.05)
        gate.set()
        first.result()
        before.result()
        after.result()
        with pytest.raises(LookupError):
            broken.result()
    assert keys(database) == ["before", "after"]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError])
def test_nothing_that_a_change_raises_stops_the_writer(
    database: Database, error: type[BaseException]
) -> None:
    def change(_: sqlite3.Connection) -> None:
        raise error

    with pytest.raises(error):
        database.write(change)
    database.write(put("still works"))
    assert keys(database) == ["still works"]


def test_a_change_that_ends_the_transaction_fails_and_harms_none_after_it(
    database: Database,
) -> None:
    with pytest.raises(StorageError):
        database.write(lambda c: c.execute("COMMIT"))
    database.write(put("still works"))
    assert keys(database) == ["still works"]


def test_a_broken_constraint_is_the_callers_own(database: Database) -> None:
    database.write(put("a"))
    with pytest.raises(sqlite3.IntegrityError):
        database.write(put("a"))


def test_a_change_inside_a_change_does_not_wait_for_itself(database: Database) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        database.write(lambda _: database.write(put("inner")))


def test_writes_of_many_threads_are_all_there_and_share_commits(
    database: Database,
) -> None:
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda n: database.write(put(f"k{n}")), range(500)))
    assert sorted(keys(database)) == sorted(f"k{n}" for n in range(500))


def test_one_threads_writes_keep_their_order(database: Database) -> None:
    for n in range(50):
        database.write(put(f"k{n:02}"))
    assert keys(database) == [f"k{n:02}" for n in range(50)]


def test_a_read_sees_one_state_though_others_write(database: Database) -> None:
    def look(connection: sqlite3.Connection) -> tuple[int, int]:
        count = "SELECT count(*) FROM hub_state"
        before = connection.execute(count).fetchone()[0]
        thread = threading.Thread(target=database.write, args=(put("a"),))
        thread.start()
        thread.join()
        return before, connection.execute(count).fetchone()[0]

    assert database.read(look) == (0, 0)
    assert keys(database) == ["a"]


def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError):
        database.read(put("a"))
    assert keys(database) == []


def test_a_read_that_raises_leaves_no_transaction_open(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        database.read(lambda _: 1 // 0)
    database.write(put("a"))
    assert keys(database) == ["a"]


@pytest.mark.anyio
async def test_writing_does_not_block_the_event_loop(database: Database) -> None:
    release = threading.Event()
    task = asyncio.ensure_future(database.write_async(lambda _: release.wait(10)))
    await asyncio.sleep(0.02)
    assert not task.done()
    release.set()
    assert await task is True


@pytest.mark.anyio
async def test_hundreds_of_async_writes_all_end(database: Database) -> None:
    await asyncio.gather(*(database.write_async(put(f"k{n}")) for n in range(300)))
    assert len(keys(database)) == 300


@pytest.mark.anyio
async def test_a_write_cancelled_in_the_queue_is_not_made(database: Database) -> None:
    begun, release = threading.Event(), threading.Event()

    def long(_: sqlite3.Connection) -> None:
        begun.set()
        release.wait(10)

    first = asyncio.ensure_future(database.write_async(long))
    await asyncio.to_thread(begun.wait, 10)
    second = asyncio.ensure_future(database.write_async(put("cancelled")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    await asyncio.sleep(0)  # the queue is told a turn of the loop later
    release.set()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    database.write(put("after"))
    assert keys(database) == ["after"]


def test_closing_stores_what_is_queued(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    release = threading.Event()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(database.write, lambda _: release.wait(10))
        time.sleep(0.05)
        others = [pool.submit(database.write, put(f"k{n}")) for n in range(15)]
        time.sleep(0.1)
        closing = pool.submit(database.close)
        time.sleep(0.05)
        release.set()
        closing.result()
        first.result()
        for future in others:
            future.result()
    with Database(tmp_path / "a.db") as again:
        assert len(keys(again)) == 15


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    database.close()
    database.close()
    with pytest.raises(StorageError, match="is closed"):
        database.write(put("a"))
    with pytest.raises(StorageError, match="is closed"):
        keys(database)


def test_a_full_disk_is_reported_and_recovered_from(database: Database) -> None:
    def limit(pages: int) -> Callable[[sqlite3.Connection], object]:
        return lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    database.write(put("before"))
    database.write(limit(1))
    with pytest.raises(StorageError, match="disk is full: free some space"):
        database.write(put("big", "x" * 1_000_000))
    database.write(limit(1_000_000))
    database.write(put("after", "x" * 1_000_000))
    assert keys(database) == ["before", "after"]


FILE_LIMIT = """
import resource, signal, sys
from pathlib import Path
from letsbe.errors import StorageError
from letsbe.storage.database import Database
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
put = lambda v: lambda c: c.execute(
    "INSERT OR REPLACE INTO hub_state VALUES ('k', ?, 0)", (v,))
database = Database(Path(sys.argv[1]))
database.write(put("before"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    database.write(put("x" * 1_000_000))
except StorageError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, resource.RLIM_INFINITY))
database.write(put("after"))
database.close()
"""


def test_a_disk_that_takes_no_more_is_reported_and_recovered_from(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"
    said = subprocess.run(
        [sys.executable, "-c", FILE_LIMIT, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert str(path) in said
    assert "check the disk" in said or "free some space" in said
    with Database(path) as database:
        query = "SELECT value FROM hub_state"
        assert database.read(lambda c: c.execute(query).fetchall()) == [("after",)]


def test_a_file_that_another_holds_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("letsbe.storage.connection.BUSY_SECONDS", 0.1)
    with Database(tmp_path / "a.db") as database:
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="held by another process"):
            database.write(put("a"))
        other.execute("ROLLBACK")
        other.close()
        database.write(put("b"))
        assert keys(database) == ["b"]


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"{}\n" * 400])
def test_a_file_that_is_no_database_is_reported_and_kept(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StorageError, match="not a database"):
        Database(path)
    assert path.read_bytes() == content


def test_a_damaged_page_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Database(path) as database:
        for n in range(200):
            database.write(put(f"k{n}", "x" * 500))
    content = bytearray(path.read_bytes())
    content[4096 * 8 :] = b"\xff" * len(content[4096 * 8 :])
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"), Database(path) as database:
        database.read(lambda c: c.execute("SELECT * FROM hub_state").fetchall())


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="check that its folder exists"):
        Database(tmp_path / "nowhere" / "a.db")


def test_a_folder_in_the_files_place_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=str(tmp_path)):
        Database(tmp_path)


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Database(path).close()
    path.chmod(0o640)
    with pytest.raises(StorageError, match=f"chmod 600 {path}"):
        Database(path)


def test_reading_only_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Database(path) as database:
        database.write(put("a"))
        with Database(path, read_only=True) as reader:
            assert keys(reader) == ["a"]
            with pytest.raises(StorageError, match="to read only"):
                reader.write(put("b"))


def test_reading_only_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        Database(tmp_path / "a.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


OPEN_AND_WRITE = """
import sys
from pathlib import Path
from letsbe.storage.database import Database
with Database(Path(sys.argv[1])) as database:
    for n in range(25):
        key = f"{sys.argv[2]}-{n}"
        database.write(
            lambda c: c.execute("INSERT INTO hub_state VALUES (?, '', 0)", (key,)))
"""


def test_processes_that_create_one_file_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN_AND_WRITE, str(path), str(n)])
        for n in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    with Database(path) as database:
        assert len(keys(database)) == 100
