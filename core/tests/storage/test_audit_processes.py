"""The audit log across processes, and across their sudden death."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from letsbe.storage.audit import AuditLog
from letsbe.storage.database import Database

KEY = bytes(range(32))

APPEND = """
import sys, threading
from pathlib import Path
from letsbe.storage.audit import AuditEntry, AuditLog
from letsbe.storage.database import Database
database = Database(Path(sys.argv[1]))
log = AuditLog(database, bytes(range(32)))
def work(agent):
    for n in range(40):
        entry = AuditEntry(kind="start", agent_id=agent, detail={"n": n})
        database.write(lambda c: log.append(c, entry))
names = [f"{sys.argv[2]}-{n}" for n in range(3)]
threads = [threading.Thread(target=work, args=(name,)) for name in names]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
database.close()
"""

CALL_FOREVER = """
import sys, threading
from pathlib import Path
from letsbe.storage.audit import AuditEntry, AuditLog
from letsbe.storage.database import Database
database = Database(Path(sys.argv[1]))
log = AuditLog(database, bytes(range(32)))
lock = threading.Lock()
def said(word, seq):
    with lock:
        sys.stdout.write(f"{word} {seq}\\n")
        sys.stdout.flush()
def work():
    while True:
        seq = database.write(lambda c: log.append(c, AuditEntry(kind="intent")))
        said("intent", seq)
        end = AuditEntry(kind="outcome", intent_seq=seq)
        said("outcome", seq) if database.write(lambda c: log.append(c, end)) else None
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""

ONE_INTENT = """
import sys, time
from pathlib import Path
from letsbe.storage.audit import AuditEntry, AuditLog
from letsbe.storage.database import Database
database = Database(Path(sys.argv[1]))
log = AuditLog(database, bytes(range(32)))
database.write(lambda c: log.append(c, AuditEntry(kind="intent", tool_name="shell")))
print("running", flush=True)
time.sleep(60)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_append_to_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    processes = [start(APPEND, path, n) for n in range(2)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    with Database(path) as database:
        log = AuditLog(database, KEY)
        found = log.verify(log.head())
        assert found.ok
        assert found.rows == 2 * 3 * 40
        for agent in ("0-0", "0-1", "0-2", "1-0", "1-1", "1-2"):
            rows = log.query(agent_id=agent)
            assert [row.detail["n"] for row in rows] == list(range(40))


def test_a_killed_call_is_an_open_intent(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    process = start(ONE_INTENT, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    with Database(path) as database:
        found = AuditLog(database, KEY).verify()
    assert found.ok
    assert found.open_intents == (1,)


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_point_nothing_that_was_said_is_lost(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "a.db"
    process = start(CALL_FOREVER, path)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.0, 0.15))
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=60)
    # The last line may be cut in the middle.
    lines = [line.split() for line in (first + rest).split("\n")[:-1]]
    intents = {int(seq) for word, seq in lines if word == "intent"}
    outcomes = {int(seq) for word, seq in lines if word == "outcome"}
    with Database(path) as database:
        log = AuditLog(database, KEY)
        found = log.verify()
        assert found.ok
        written = {row.seq for row in log.query(kind="intent", limit=10_000)}
        ended = {row.intent_seq for row in log.query(kind="outcome", limit=10_000)}
    assert intents <= written
    assert outcomes <= ended
    assert set(found.open_intents) == written - ended
    assert len(found.open_intents) <= 4
