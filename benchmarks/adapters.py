"""What an adapter's call adds to the bare httpx call, and how fast plugins are listed.

    python -m benchmarks.adapters [--calls N]

Prints one JSON line per figure. The server is the same for both and answers at once;
the two kinds of call take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from letsbe.plugin import (
    Adapter,
    Arguments,
    Credential,
    Outgoing,
    RouteRule,
    Tier,
    ToolSite,
    route,
)
from letsbe.testing import FakeExecution, make_call, make_site, serve_fake

LIBRARIES = ("httpx", "stripe", "mcp", "ahocorasick", "hyperscan", "sqlalchemy")
ITEMS = {"items": [{"id": n, "title": f"Item {n}"} for n in range(50)]}


class ById(Arguments):
    id: str


def authenticate(out: Outgoing) -> None:
    out.headers["authorization"] = f"Bearer {out.secret('token')}"


ADAPTER = Adapter(
    name="bench",
    summary="Answers.",
    operations=(route("get", "Get.", "GET /items/{id}", ById, Tier.GREEN),),
    routes=(RouteRule("GET", "/**", Tier.GREEN, "reads"),),
    authenticate=authenticate,
    credentials=(Credential("token", "a token"),),
)


async def items(_: Request) -> JSONResponse:
    return JSONResponse(ITEMS)


async def compare(url: str, calls: int) -> dict[str, float]:
    """Return medians of bare and adapter calls in milliseconds."""
    tool = ToolSite("bench", url, {"token": "bench_token"})
    (bound,) = ADAPTER.for_site(make_site(Path.cwd(), tools=(tool,)))
    run = FakeExecution(secrets={"bench_token": "a" * 40})
    call = make_call(bound.operations[0], {"id": "7"})
    bare: list[float] = []
    ours: list[float] = []
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for number in range(calls + 20):
            began = time.perf_counter()
            (await client.get("/items/7")).json()
            between = time.perf_counter()
            await bound.invoke(call, bound.classify(call), run)
            ended = time.perf_counter()
            if number >= 20:
                bare.append(between - began)
                ours.append(ended - between)
    return {
        "bare_ms": round(1000 * statistics.median(bare), 3),
        "adapter_ms": round(1000 * statistics.median(ours), 3),
        "added_ms": round(
            1000 * (statistics.median(ours) - statistics.median(bare)), 3
        ),
    }


def listing(plugins: int) -> dict[str, float | int]:
    """Time ``letsbe plugins list`` with many plugins installed, and watch imports."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(plugins):
            info = folder / f"bench_plugin_{number}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: bench-plugin-{number}\nVersion: 1.0\n"
            )
            point = f"[letsbe.tools]\nbench{number} = no_such_module_{number}\n"
            (info / "entry_points.txt").write_text(point)
        program = (
            f"import sys; sys.path.insert(0, {str(folder)!r})\n"
            "from letsbe.cli import main\n"
            "main(['plugins', 'list', '--home', sys.argv[1]], standalone_mode=False)\n"
        )
        command = [sys.executable, "-c", program, name]
        times, processor = [], []
        for _ in range(7):
            before, began = os.times(), time.perf_counter()
            subprocess.run(command, capture_output=True, check=False)
            times.append(time.perf_counter() - began)
            after = os.times()
            processor.append(
                after.children_user
                + after.children_system
                - before.children_user
                - before.children_system
            )
        command.insert(1, "-Ximporttime")
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        listed = ran.stdout.count("bench-plugin-")
        libraries = [n for n in LIBRARIES if f" {n}\n" in ran.stderr]
        return {
            "plugins": listed,
            "median_s": round(statistics.median(times), 3),
            "best_s": round(min(times), 3),
            "processor_s": round(statistics.median(processor), 3),
            "libraries_imported": len(libraries),
        }


def serve() -> None:
    """Serve until standard input ends; print the address first."""
    with serve_fake(Starlette(routes=[Route("/items/{id}", items)])) as server:
        print(server.url, flush=True)
        sys.stdin.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve()
        return
    # In a process of its own: threads of one would wait for each other's turns.
    command = [sys.executable, "-m", "benchmarks.adapters", "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        for _ in range(3):
            told = anyio.run(compare, url, given.calls)
            print(json.dumps({"figure": "adapter call", **told}))
        process.communicate()
    print(json.dumps({"figure": "plugins list", **listing(30)}))


if __name__ == "__main__":
    main()
