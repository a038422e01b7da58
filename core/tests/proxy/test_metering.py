"""Usage adds up, whatever happens to the process that counts it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from letsbe.proxy import journal as journals
from letsbe.proxy import metering
from letsbe.proxy.journal import Entry, Journal, entries
from letsbe.proxy.metering import Meter, buckets, total
from letsbe.proxy.usage import Usage
from letsbe.storage.database import Database
from letsbe.storage.home_schema import USAGE

pytestmark = pytest.mark.anyio
CHAT = "/up/v1/chat/completions"
ONE = Usage(10, 5, 4, 3, 2)


def summed(database: Database) -> Usage:
    return total([bucket.usage for bucket in buckets(database)])


async def test_requests_of_an_hour_are_one_bucket(tmp_path: Path) -> None:
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        meter = Meter(database, tmp_path / "usage")
        for _ in range(3):
            meter.record("main", "m", ONE)
        await anyio.sleep(0.15)
        meter.record("main", "m", ONE)
        meter.record("other", "m", ONE)
        await meter.close()
        first, second = buckets(database)
        assert (first.agent_id, first.model) == ("main", "m")
        assert first.usage == Usage(40, 20, 16, 12, 8, requests=4)
        assert first.revision == 2
        assert first.hour % 3600 == 0
        assert second.usage == ONE
    assert not list((tmp_path / "usage").iterdir())


async def test_what_a_dead_process_counted_is_added_once(tmp_path: Path) -> None:
    folder = tmp_path / "usage"
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        meter = Meter(database, folder)
        meter.record("main", "m", ONE)
        await anyio.sleep(0.15)
        meter.record("main", "m", ONE)
        # As a process dies: nothing is written any more, the lock is gone.
        assert meter._task is not None
        meter._task.cancel()
        meter._journal.close()
        assert summed(database).requests == 1
        for _ in range(3):
            await Meter(database, folder).close()
            assert summed(database) == total([ONE, ONE])
    assert not list(folder.iterdir())


async def test_a_living_process_keeps_its_journal(tmp_path: Path) -> None:
    folder = tmp_path / "usage"
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        first = Meter(database, folder)
        first.record("main", "m", ONE)
        second = Meter(database, folder)
        second.record("main", "m", ONE)
        await first.close()
        await second.close()
        assert summed(database).requests == 2


async def test_a_database_that_cannot_be_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "TROUBLED_PAUSE", 0.05)
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        meter = Meter(database, tmp_path / "usage")
        broken = sqlite3.OperationalError("disk I/O error")

        async def fail(_: Any) -> None:
            raise broken

        monkeypatch.setattr(database, "write_async", fail)
        for _ in range(3):
            meter.record("main", "m", ONE)
            await anyio.sleep(0.07)
        monkeypatch.undo()
        await anyio.sleep(0.2)
        assert summed(database).requests == 3
        await meter.close()
        assert summed(database).requests == 3


async def test_a_full_disk_loses_nothing_while_the_process_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        meter = Meter(database, tmp_path / "usage")
        monkeypatch.setattr(os, "write", lambda *_: 3)
        meter.record("main", "m", ONE)
        monkeypatch.undo()
        meter.record("main", "m", ONE)
        await meter.close()
        assert summed(database).requests == 2


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(Entry(3600, "a", "m", ONE))
    path = tmp_path / f"{journal.id}.jsonl"
    with path.open("ab") as file:
        file.write(b'\n[2, 3600, "a", "m", 1')
    journal.append(Entry(7200, "b", "m", ONE))
    journal.close()
    assert [e.agent_id for e in entries(path, 0)] == ["a", "b"]
    assert [e.agent_id for e in entries(path, 1)] == ["b"]


def test_a_long_journal_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "CUT_AT", 100)
    journal = Journal(tmp_path)
    path = tmp_path / f"{journal.id}.jsonl"
    for _ in range(10):
        number = journal.append(Entry(3600, "a", "m", ONE))
    journal.trim(number - 1)
    assert path.stat().st_size > 100
    journal.trim(number)
    assert path.stat().st_size == 0
    journal.append(Entry(3600, "a", "m", ONE))
    assert len(entries(path, number)) == 1
    journal.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from letsbe.proxy.metering import Meter
from letsbe.proxy.usage import Usage
from letsbe.storage.database import Database
from letsbe.storage.home_schema import USAGE

async def main():
    meter = Meter(Database(Path(sys.argv[1]), schema=USAGE), Path(sys.argv[2]))
    while True:
        meter.record("main", "m", Usage(1, 1))
        os.write(1, b".")
        await asyncio.sleep(0.0005)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_killed_process_loses_and_doubles_nothing(tmp_path: Path) -> None:
    counted = 0
    for wait in (0.05, 0.3, 0.17):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, tmp_path / "a.db", tmp_path / "usage"],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        counted += len(process.stdout.read(1))
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        counted += len(process.stdout.read())
        process.wait()
        process.stdout.close()
    with Database(tmp_path / "a.db", schema=USAGE) as database:
        await Meter(database, tmp_path / "usage").close()
        # The last one may have been killed between counting and saying so.
        assert counted <= summed(database).requests <= counted + 3


def test_an_answer_is_counted_for_its_agent_and_model(
    proxy: Any, provider: Any
) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 80},
    }

    async def script(reply: Any) -> None:
        answer = {"model": "gpt-5-2026", "choices": [], "usage": usage}
        await reply.whole(json.dumps(answer).encode())

    provider.script = script
    asked = {"model": "gpt-5", "messages": []}
    proxy.post(CHAT, json=asked, headers={"x-letsbe-agent": "sales"})
    proxy.post(f"/agents/office{CHAT}", json=asked)
    proxy.post(CHAT, json=asked)
    found = {b.agent_id: b for b in proxy.buckets(3)}
    assert set(found) == {"sales", "office", "unknown"}
    assert {b.model for b in found.values()} == {"gpt-5-2026"}
    assert found["sales"].usage == Usage(100, 20, 80)


def test_other_paths_and_errors_count_nothing(proxy: Any, provider: Any) -> None:
    async def script(reply: Any) -> None:
        body = b'{"model": "m", "usage": {"input_tokens": 5}}'
        await reply.whole(body, 400 if len(provider.received) == 3 else 200)

    provider.script = script
    with proxy.client() as client:
        client.get("/up/v1/responses/resp_1")
        client.post("/up/v1/messages/count_tokens", json={})
        client.post(CHAT, json={})
        client.post("/up/v1/responses", json={"model": "m"})
    (bucket,) = proxy.buckets()
    assert bucket.usage == Usage(5)


def test_an_answer_without_usage_is_estimated_and_marked(
    proxy: Any, provider: Any
) -> None:
    proxy.post(CHAT, json={"model": "m", "messages": ["x" * 4000]})
    (bucket,) = proxy.buckets()
    assert bucket.model == "m"
    assert bucket.usage.estimated_requests == 1
    assert 1000 <= bucket.usage.input_tokens <= 1020
