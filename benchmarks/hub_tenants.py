"""Ten thousand tenants, a Hub that has them, and what their servers send."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.hub_load import Measured, head, steady
from letsbe_hub.api.principals import token_hash
from letsbe_hub.billing.closing import renew_due
from letsbe_hub.billing.rates import BillingSettings, Rates
from letsbe_hub.storage.schema import migrate
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.storage.tables.tenants import (
    server_connections,
    tenant_keys,
    tenants,
)
from letsbe_hub.testing import postgresql

SERVERS = 10_000
CALLERS = 256
SECONDS = 4.0
HOUR = int(time.time()) // 3600 * 3600 - 30 * 3600
START = """
from letsbe.footprint import keep_small
keep_small()
import sys
from benchmarks.hub_server import main
main(*sys.argv[1:])
"""
"""Starts a Hub as ``letsbe-hub up`` does: the first line before all other imports."""


def key(number: int) -> str:
    return f"lbk_{number:043}"


def fill(store: Store) -> None:
    """Make ten thousand tenants with servers, amid a period of theirs."""
    now = time.time()
    ids = [f"ten_{number:05}" for number in range(SERVERS)]
    since = now - 15 * 24 * 3600
    common = {"created_at": since, "updated_at": now, "cohort": "general"}

    def change(connection: sa.Connection) -> None:
        connection.execute(
            sa.insert(tenants),
            [
                {"id": i, "name": i, "order_id": i, "plan": "lite", "state": "active"}
                | common
                for i in ids
            ],
        )
        connection.execute(
            sa.insert(tenant_keys),
            [
                {"key_hash": token_hash(key(n)), "tenant_id": i, "created_at": now}
                | {"confirmed_at": now}
                for n, i in enumerate(ids)
            ],
        )
        connection.execute(
            sa.insert(server_connections),
            [
                {
                    "tenant_id": i,
                    "server_id": "srv",
                    "reported_status": "operational",
                    "registered_at": now,
                    "last_seen_at": now,
                    "status": "operational",
                    "status_since": now,
                }
                for i in ids
            ],
        )

    store.write(change)


@contextlib.contextmanager
def server(url: str, kind: str) -> Iterator[tuple[int, int]]:
    """Run a Hub; give its port and its process."""
    argv = [sys.executable, "-c", START, url, kind]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        try:
            yield int(address.rsplit(":", 1)[1]), process.pid
        finally:
            process.terminate()


def beats() -> Callable[[], bytes]:
    """Make heartbeats of some 300 bytes, each of another server."""
    body = json.dumps(
        {
            "serverId": "srv",
            "status": "operational",
            "wrapperVersion": "0.1.0",
            "openclawVersion": "2026.9.6",
            "safetyWrapperUrl": "http://127.0.0.1:8200",
            "configVersion": 0,
            "auditSeq": 12345,
            "auditHash": "a" * 64,
            "sentAt": time.time(),
            "details": {"diskFree": 10**10},
        }
    ).encode()
    made = [head("heartbeat", key(n), len(body)) + body for n in range(SERVERS)]
    random.shuffle(made)
    return itertools.cycle(made).__next__


def pushes() -> Callable[[], bytes]:
    """Make pushes of 24 buckets, each newer than the one before of its server."""
    revisions = itertools.count(1)
    numbers = itertools.cycle(range(SERVERS))

    def make() -> bytes:
        revision = next(revisions)
        buckets = [
            {
                "hour": HOUR + 3600 * hour,
                "agentId": "main",
                "model": "deepseek/v3.2",
                "revision": revision,
                # So few that no pool is used up, which would be a notice for each.
                "inputTokens": revision + hour,
                "outputTokens": revision,
                "requests": revision,
            }
            for hour in range(24)
        ]
        body = json.dumps({"buckets": buckets}).encode()
        return head("usage", key(next(numbers)), len(body)) + body

    return make


def processor(process: int) -> float:
    """Return the seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(port: int, process: int, make: Callable[[], bytes]) -> Measured:
    """Measure a load, and what it takes of the server's processor time."""
    before = processor(process)
    found = steady(port, make, callers=CALLERS, seconds=SECONDS)
    found.processor = processor(process) - before
    assert found.failures == 0, found.failures
    return found


def cost(found: Sequence[Measured]) -> dict[str, Any]:
    """Say what a request took of the server's processor, in microseconds."""
    each = sorted(m.processor / len(m.latencies) * 1e6 for m in found)
    return {
        "processor_us": round(statistics.median(each)),
        "processor_spread": [round(each[0]), round(each[-1])],
    }


def memory(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    line = next(row for row in status.splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@contextlib.contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Make both databases, flushing to the disk as real ones do."""
    with tempfile.TemporaryDirectory() as folder, postgresql(durable=True) as running:
        urls = {
            "sqlite": sqlite_url(Path(folder) / "hub.db"),
            "postgresql": running.create("hub"),
        }
        for url in urls.values():
            store = Store(url)
            migrate(store)
            fill(store)
            renew_due(store, Rates(BillingSettings()))
            store.close()
        yield urls
