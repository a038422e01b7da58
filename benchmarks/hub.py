"""Measures the Hub: ``python -m benchmarks.hub [FIGURE...]``.

Prints one JSON line per figure, with its limit and whether it is kept. Whatever is
compared is measured in turns in the same run. ``benchmarks/README.md`` says what each
figure means.
"""

from __future__ import annotations

import argparse
import asyncio
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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.hub_load import (
    Measured,
    head,
    hold,
    introduce,
    quantile,
    steady,
    storm,
)
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
from letsbe_hub.usage.buckets import Bucket, Counts
from letsbe_hub.usage.ingestion import WAITING, Change, Ingestion, Push

SERVERS = 10_000
CALLERS = 256
SECONDS = 4.0
ROUNDS = 5
HOUR = int(time.time()) // 3600 * 3600 - 30 * 3600
INTERLEAVINGS = 1000
START = """
from letsbe.footprint import keep_small
keep_small()
import sys
from benchmarks.hub_server import main
main(*sys.argv[1:])
"""
"""Starts a Hub as ``letsbe-hub up`` does: the first line before all other imports."""


def report(
    figure: str,
    value: float,
    limit: float | None,
    *,
    at_least: bool = True,
    **more: Any,  # noqa: ANN401 - any JSON
) -> None:
    kept = None
    if limit is not None:
        kept = value >= limit if at_least else value <= limit
    line = {"figure": figure, "value": round(value, 4), "limit": limit, "kept": kept}
    print(json.dumps(line | more), flush=True)


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


def heartbeats(urls: dict[str, str]) -> None:
    make = beats()
    kinds = {"bare": urls["sqlite"], **urls}
    rates: dict[str, list[Measured]] = {kind: [] for kind in kinds}
    with contextlib.ExitStack() as running:
        ports = {
            kind: running.enter_context(server(url, kind))
            for kind, url in kinds.items()
        }
        for port, _ in ports.values():
            # Each key is looked up once by each node; that is the storm's to measure.
            introduce(port, (make() for _ in range(SERVERS)))
        for _ in range(ROUNDS):
            for kind, (port, process) in ports.items():
                rates[kind].append(timed(port, process, make))
    bare = statistics.median(m.rate for m in rates["bare"])
    report("heartbeat_rate_bare", bare, None, **cost(rates["bare"]))
    for kind, limit in (("sqlite", 0.6), ("postgresql", None)):
        ratios = [
            m.rate / b.rate for m, b in zip(rates[kind], rates["bare"], strict=True)
        ]
        report(
            f"heartbeat_ratio_{kind}",
            statistics.median(ratios),
            limit,
            spread=[round(min(ratios), 3), round(max(ratios), 3)],
            bare_rate=round(bare),
        )
        each = sorted(m.rate for m in rates[kind])
        report(
            f"heartbeat_rate_{kind}",
            statistics.median(each),
            3000 if kind == "postgresql" else None,
            spread=[round(each[0]), round(each[-1])],
            p99_ms=round(rates[kind][-1].quantile(0.99) * 1000, 1),
            **cost(rates[kind]),
        )


def usage(urls: dict[str, str]) -> None:
    for kind, url in urls.items():
        make = pushes()
        with server(url, kind) as (port, process):
            found = [timed(port, process, make) for _ in range(ROUNDS)]
        rates = sorted(m.rate for m in found)
        report(
            f"usage_rate_{kind}",
            statistics.median(rates),
            1000,
            spread=[round(rates[0]), round(rates[-1])],
            p99_ms=round(found[-1].quantile(0.99) * 1000, 1),
            **cost(found),
        )


def interleavings(urls: dict[str, str]) -> None:
    """Push revisions in random orders by two nodes at once; compare every total."""
    for kind, url in urls.items():
        store = Store(url)
        nodes = [Ingestion(store), Ingestion(store)]
        periods: Counter[str] = Counter()
        for node in nodes:
            node.observe(lambda _, changes: _add(periods, changes))  # noqa: B023 - used within this turn
        wrong = asyncio.run(_interleave(store, nodes, periods))
        for node in nodes:
            node.close()
        store.close()
        report(f"usage_wrong_totals_{kind}", wrong, 0, at_least=False, of=INTERLEAVINGS)


def _add(periods: Counter[str], changes: Sequence[Change]) -> None:
    """Keep a period's total as a billing room does: by what came to each bucket."""
    for change in changes:
        if change.bucket.agent_id.startswith("mix"):
            periods[change.bucket.agent_id] += change.added.input_tokens


async def _interleave(
    store: Store, nodes: list[Ingestion], periods: Counter[str]
) -> int:
    wrong = 0
    for start in range(0, INTERLEAVINGS, 50):
        numbers = range(start, start + 50)
        jobs: list[tuple[Ingestion, Push]] = []
        for number in numbers:
            rng = random.Random(number)
            buckets = [
                Bucket(
                    HOUR - 3600 * h, f"mix{number}", m, r, Counts(input_tokens=r * 7)
                )
                for h in range(2)
                for m in "ab"
                for r in range(1, 5)
            ]
            rng.shuffle(buckets)
            jobs += [
                (rng.choice(nodes), Push(f"ten_{number:05}", [b])) for b in buckets
            ]
            jobs += [(rng.choice(nodes), job) for _, job in rng.sample(jobs[-16:], 5)]
        random.Random(start).shuffle(jobs)
        # As many at once as a node lets wait.
        for first in range(0, len(jobs), WAITING):
            some = jobs[first : first + WAITING]
            await asyncio.gather(*(node.take(job) for node, job in some))
        sums = store.read(_sums)
        # Of each of four buckets the fourth revision counts.
        wrong += sum(
            not periods[f"mix{n}"] == sums.get(f"mix{n}") == 4 * 28 for n in numbers
        )
    return wrong


def _sums(connection: sa.Connection) -> dict[str, int]:
    query = sa.text(
        "SELECT agent_id, sum(input_tokens) FROM token_usage_buckets"
        " WHERE agent_id LIKE 'mix%' GROUP BY agent_id"
    )
    return {agent: int(tokens) for agent, tokens in connection.execute(query)}


def recovery(urls: dict[str, str]) -> None:
    """Ten thousand servers come back within twenty seconds, each with a day's usage;
    then, to a Hub that was started again, all of them within one second."""
    beat, push = beats(), pushes()
    for kind, url in urls.items():
        for name, spread in (("storm", 20.0), ("crowd", 1.0)):
            each = []
            for number in range(SERVERS):
                ask = head("config", key(number), 0, "GET")
                each.append([beat(), push(), ask])
            with server(url, kind) as (port, process):
                before = memory(process)
                found = storm(port, each, spread=spread)
                used, took = memory(process), processor(process)
            assert found.failures == 0, found.failures
            assert len(found.latencies) == 3 * SERVERS
            report(
                f"{name}_seconds_{kind}",
                found.seconds,
                30,
                at_least=False,
                told_to_come_again=found.refused,
                processor_seconds=round(took, 1),
            )
            # Where all come at once, most of it is time that they were told to wait.
            waited, answered = found.quantile(0.99), quantile(found.waits, 0.99)
            report(
                f"{name}_p99_seconds_{kind}",
                waited if name == "storm" else answered,
                2,
                at_least=False,
                of_an_answer=round(answered, 2),
                until_served=round(waited, 2),
            )
            report(
                f"{name}_memory_mb_{kind}",
                used,
                150,
                at_least=False,
                before=round(before),
            )


def waiting(urls: dict[str, str]) -> None:
    """Ten thousand servers ask at once to be told of news."""
    asked = [head("wait?seconds=40", key(n), 0, "GET") for n in range(SERVERS)]
    for kind, url in urls.items():
        with server(url, kind) as (port, process):
            before = memory(process)
            took, statuses = hold(port, asked, 5.0)
            report(
                f"waiting_memory_mb_{kind}",
                memory(process),
                150,
                at_least=False,
                before=round(before),
                held=SERVERS - statuses.total(),
                told_to_come_again=statuses[503],
                seconds=round(took, 1),
            )


FIGURES = {
    "heartbeats": heartbeats,
    "usage": usage,
    "interleavings": interleavings,
    "recovery": recovery,
    "waiting": waiting,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", choices=[*FIGURES, []])
    chosen = parser.parse_args().figures or list(FIGURES)
    with databases() as urls:
        for figure in chosen:
            FIGURES[figure](urls)


if __name__ == "__main__":
    main()
