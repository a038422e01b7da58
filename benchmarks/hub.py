"""Measures the Hub: ``python -m benchmarks.hub [FIGURE...]``.

Prints one JSON line per figure, with its limit and whether it is kept. Whatever is
compared is measured in turns in the same run. ``benchmarks/README.md`` says what each
figure means.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
from typing import Any

from benchmarks.hub_load import Measured, head, hold, introduce, quantile, storm
from benchmarks.hub_tenants import (
    SERVERS,
    beats,
    cost,
    databases,
    key,
    memory,
    processor,
    pushes,
    server,
    timed,
)
from benchmarks.hub_totals import INTERLEAVINGS, wrong_totals

ROUNDS = 5


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
    for kind, url in urls.items():
        report(
            f"usage_wrong_totals_{kind}",
            wrong_totals(url),
            0,
            at_least=False,
            of=INTERLEAVINGS,
        )


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
