"""Measures the Safety Wrapper: ``python -m benchmarks.wrapper [FIGURE...]``.

Prints one JSON line per figure, with its limit and whether it is kept. Whatever is
compared is measured in turns in the same run. ``benchmarks/README.md`` says what each
figure means.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
from mcp import Client

from benchmarks.servers import (
    AGENT,
    LETSBE,
    ROOT,
    Caller,
    Server,
    bare_server,
    call_by_mcp,
    mcp_client,
    run_program,
    wrapper,
)
from letsbe.wrapper.opening import open_wrapper
from letsbe.wrapper.requests import ToolRequest

SAMPLES = 300
WARM_UP = 30
CALLERS = 16
COMMANDS = (
    "ls -la",
    "cat notes.txt",
    "grep -rn 'total' . | head -n 20",
    "find . -name '*.log' -mtime +7 | wc -l",
    "git log --oneline -n 20",
    "ps aux | grep nginx | sort -k 3 -n",
    "systemctl status nginx",
    "journalctl -u nginx --since today | tail -n 100",
    "mkdir -p reports/2026 && cp notes.txt reports/2026/",
    "tar -czf backup.tar.gz reports",
    "curl -fsS https://example.com/status",
    "rm -rf reports",
    "sed -i 's/a/b/' notes.txt",
    "sudo systemctl restart nginx",
    "python3 -c 'print(1)'",
    "du -sh * | sort -h",
)


def figure(name: str, value: float, unit: str, **more: object) -> None:
    """Print a figure as one line of JSON."""
    line = {"figure": name, "value": value, "unit": unit, **more}
    short = {k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}
    print(json.dumps(short))
    sys.stdout.flush()


def at_most(name: str, value: float, limit: float, unit: str, **more: object) -> None:
    figure(name, value, unit, at_most=limit, kept=value <= limit, **more)


def at_least(name: str, value: float, limit: float, unit: str, **more: object) -> None:
    figure(name, value, unit, at_least=limit, kept=value >= limit, **more)


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def in_turns(first: Callable[[], object], second: Callable[[], object]) -> list[float]:
    """Return the medians, in milliseconds, of two things done in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM_UP + SAMPLES):
        for action, kept in zip((first, second), times, strict=True):
            began = time.perf_counter()
            action()
            if turn >= WARM_UP:
                kept.append((time.perf_counter() - began) * 1000)
    return [statistics.median(kept) for kept in times]


def measure_http() -> None:
    """A GREEN shell call by HTTP, over the same program without the wrapper."""
    with wrapper() as server:
        bare, called = in_turns(run_program, Caller(server).shell)
    cost = called - bare
    at_most("http_added_median", cost, 5, "ms", bare=bare, called=called)


def measure_mcp() -> None:
    """A GREEN shell call by MCP, over a bare MCP server that runs the same program."""
    with wrapper() as server, bare_server() as port:
        anyio.run(_compare_mcp, server, port)


async def _compare_mcp(server: Server, bare_port: int) -> None:
    async with (
        mcp_client(bare_port) as bare,
        mcp_client(server.port, server.token) as ours,
    ):
        times: tuple[list[float], list[float]] = ([], [])
        for turn in range(WARM_UP + SAMPLES):
            for client, kept in zip((bare, ours), times, strict=True):
                began = time.perf_counter()
                await call_by_mcp(client)
                if turn >= WARM_UP:
                    kept.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        listed = await ours.list_tools()
        listing = time.perf_counter() - began
    medians = [statistics.median(kept) for kept in times]
    added = medians[1] - medians[0]
    at_most("mcp_added_median", added, 5, "ms", bare=medians[0], called=medians[1])
    at_most("mcp_tools_list", listing, 0.5, "s", tools=len(listed.tools))
    rates: list[list[float]] = [[], []]
    for _ in range(3):
        rates[0].append(await _rate(lambda: mcp_client(bare_port)))
        rates[1].append(await _rate(lambda: mcp_client(server.port, server.token)))
    bare_rate, our_rate = map(statistics.median, rates)
    ratio = our_rate / bare_rate
    at_least("mcp_rate_ratio", ratio, 0.5, "", bare=bare_rate, called=our_rate)


async def _rate(
    connect: Callable[[], contextlib.AbstractAsyncContextManager[Client]],
    seconds: float = 5,
) -> float:
    """Return the calls a second of many callers, each with its own connection."""
    done = 0

    async def caller(client: Client, until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await call_by_mcp(client)
            done += 1

    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect()) for _ in range(CALLERS)]
        await _each(call_by_mcp, clients)
        began = time.perf_counter()
        await _each(lambda client: caller(client, began + seconds), clients)
        return done / (time.perf_counter() - began)


async def _each(
    action: Callable[[Client], Coroutine[Any, Any, None]], clients: Sequence[Client]
) -> None:
    async with anyio.create_task_group() as group:
        for client in clients:
            group.start_soon(action, client)


def measure_classification() -> None:
    """What judging takes: arguments checked, command parsed and classified, gate."""
    with wrapper() as server, open_wrapper(server.home) as opened:
        requests = [
            ToolRequest(
                session_id="b", tool_name="shell", tool_args={"command": command}
            )
            for command in COMMANDS
        ]
        times = []
        for turn in range(110):
            for request in requests:
                began = time.perf_counter()
                opened.dispatcher.judge(request, AGENT)
                if turn >= 10:
                    times.append((time.perf_counter() - began) * 1000)
    median = statistics.median(times)
    at_most("classification_p99", percentile(times, 99), 1, "ms", p50=median)


def measure_help() -> None:
    """``letsbe --help`` beside Python's own start, and what it imports."""
    bare = _start([sys.executable, "-c", "pass"])
    shown = _start([LETSBE, "--help"])
    loaded = subprocess.run(
        [sys.executable, "-c", _IMPORTED], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    adapters = sorted(set(loaded[-1].split()) & set(plugin_libraries()))
    at_most("help_wall", shown, 0.3, "s", python=bare, plugin_libraries=adapters)


_IMPORTED = """
import sys
from letsbe.cli import main
main(["--help"], standalone_mode=False)
print(*{name.partition(".")[0] for name in sys.modules})
"""


def plugin_libraries() -> Iterator[str]:
    """Yield the modules of the plugins and of the libraries that they need."""
    for path in ROOT.glob("plugins/*/*/pyproject.toml"):
        project = tomllib.loads(path.read_text())["project"]
        yield project["name"].replace("-", "_")
        for text in project["dependencies"]:
            name = text.split(">")[0].strip()
            if name != "letsbe-core":
                yield {"pyahocorasick": "ahocorasick"}.get(name, name.replace("-", "_"))


def _start(argv: Sequence[str]) -> float:
    """Return the median seconds that a program takes."""
    times = []
    for _ in range(15):
        began = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure_memory() -> None:
    """What the wrapper holds with all plugins, after a thousand calls."""
    with wrapper() as server:
        caller = Caller(server)
        caller.shell()
        idle = server.resident()
        for _ in range(999):
            caller.shell()
        at_most("resident_after_1000_calls", server.resident(), 128, "MB", idle=idle)


def measure_concurrency() -> None:
    """Two hundred calls at once, each sent twice: each answered, each run once."""
    calls = 200
    with wrapper() as server, ThreadPoolExecutor(2 * calls) as pool:
        start = threading.Barrier(2 * calls)

        def call(number: int) -> dict[str, Any]:
            caller = Caller(server)
            start.wait()
            command = f"mkdir {server.work / f'call-{number}'}"
            return caller.call("shell", {"command": command}, f"id-{number}")

        numbers = [number for number in range(calls) for _ in range(2)]
        began = time.perf_counter()
        answers = list(pool.map(call, numbers))
        took = time.perf_counter() - began
        made = len(list(server.work.iterdir()))
        runs = _runs(server)
    # A call that ran twice would have left two intents, and mkdir's second would fail.
    lost = sum(answer.get("status") != "ok" for answer in answers)
    pairs = zip(answers[::2], answers[1::2], strict=True)
    differing = sum(first != second for first, second in pairs)
    wrong = lost + differing + abs(calls - made) + abs(calls - runs)
    counts = {"not_ok": lost, "differing": differing, "made": made, "runs": runs}
    at_most("concurrent_calls_lost_or_doubled", wrong, 0, "", **counts, seconds=took)


def _runs(server: Server) -> int:
    """Count the executions that the audit log knows."""
    with open_wrapper(server.home) as opened:
        return len(opened.audit.query(kind="intent", limit=10_000))


FIGURES: dict[str, Callable[[], None]] = {
    "http": measure_http,
    "mcp": measure_mcp,
    "classification": measure_classification,
    "help": measure_help,
    "memory": measure_memory,
    "concurrency": measure_concurrency,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    given = parser.parse_args()
    unknown = set(given.figures) - set(FIGURES)
    if unknown:
        parser.error(f"there is no figure {', '.join(sorted(unknown))}")
    for name in given.figures or FIGURES:
        FIGURES[name]()


if __name__ == "__main__":
    main()
