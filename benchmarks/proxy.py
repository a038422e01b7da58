"""Measures the Secrets Proxy: ``python -m benchmarks.proxy [FIGURE...]``.

Every figure is taken in turns, in one run, for three ways to one provider: directly,
through a bare Starlette and httpx pass-through, and through the proxy.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable

import httpcore
import httpx

from benchmarks.proxy_servers import CHUNKS, PATH, Target, targets
from benchmarks.wrapper import at_least, at_most, figure, percentile
from letsbe.proxy.connections import Connections
from letsbe.proxy.exchanging import Sent, Timeouts
from letsbe.proxy.network import Origin

SECRETS = 50
SAMPLES = 300
WARM_UP = 30
CALLERS = 16
CALLS = 40
STREAMS = 500
START_WITHIN = 5.0
SIZES = {"1_kb": 1_000, "130_kb": 130_000, "1_mb": 1_048_576}

Targets = dict[str, Target]


def request(size: int, *, stream: bool = False) -> bytes:
    """Make a chat request as OpenClaw sends them: system prompt, history, tools."""
    chance = random.Random(size)
    words = ["invoice", "folder", "customer", "report", "table", "backup", "mail"]

    def prose(count: int) -> str:
        return " ".join(chance.choices(words, k=count))

    messages = [{"role": "system", "content": prose(size // 28)}]
    tools = [
        {
            "type": "function",
            "function": {"name": f"tool_{n}", "description": prose(60)},
        }
        for n in range(size // 2800)
    ]
    number = 0
    body = b""
    while len(body) < size:
        role = ("user", "assistant")[number % 2]
        messages.append({"role": role, "content": prose(size // 400 + 5)})
        number += 1
        asked = {"model": "m", "messages": messages, "tools": tools, "stream": stream}
        body = json.dumps(asked, separators=(",", ":")).encode()
    return body


class Caller:
    """One connection to a target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection = http.client.HTTPConnection("127.0.0.1", target.port)

    def call(self, body: bytes, query: str = "") -> tuple[float, float]:
        """Return the seconds to the first byte of the answer's body, and to its end."""
        begun = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", self._target.path + query, body, headers)
        answer = self._connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"{self._target.path} answered {answer.status}")
        answer.read(1)
        first = time.perf_counter() - begun
        answer.read()
        return first, time.perf_counter() - begun


def medians(
    found: Targets, body: bytes, query: str, part: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the median and the 99th percentile of each target, in ms."""
    callers = {name: Caller(target) for name, target in found.items()}
    taken: dict[str, list[float]] = {name: [] for name in found}
    for number in range(SAMPLES + WARM_UP):
        for name, caller in callers.items():
            seconds = caller.call(body, query)[part]
            if number >= WARM_UP:
                taken[name].append(seconds * 1000)
    middle = {name: statistics.median(values) for name, values in taken.items()}
    return middle, {name: percentile(values, 99) for name, values in taken.items()}


def added(found: Targets) -> None:
    """What the proxy adds to a request that is answered whole."""
    for name, size in SIZES.items():
        body = request(size)
        middle, worst = medians(found, body, "", 1)
        at_most(
            f"proxy_added_median_{name}",
            middle["proxy"] - middle["direct"],
            # The limit is for 130 KB; a larger body may take in proportion.
            2.0 if size <= SIZES["130_kb"] else 16.0,
            "ms",
            bytes=len(body),
            direct=middle["direct"],
            bare_added=middle["bare"] - middle["direct"],
            added_p99=worst["proxy"] - worst["direct"],
            bare_added_p99=worst["bare"] - worst["direct"],
        )


def first_token(found: Targets) -> None:
    """What it adds to the time until a stream's first event."""
    middle, _ = medians(found, request(SIZES["130_kb"], stream=True), "?stream", 0)
    at_most(
        "proxy_first_token_added",
        middle["proxy"] - middle["direct"],
        2.0,
        "ms",
        direct=middle["direct"],
        bare_added=middle["bare"] - middle["direct"],
    )


def rate(found: Targets) -> None:
    """Requests a second of 16 callers at 130 KB, the best of three turns."""
    body = request(SIZES["130_kb"])
    best = dict.fromkeys(found, 0.0)
    for _ in range(3):
        for name, target in found.items():
            best[name] = max(best[name], _rate(target, body))
    at_least(
        "proxy_rate_ratio",
        best["proxy"] / best["bare"],
        0.6,
        "of the bare pass-through",
        **{f"{name}_per_second": value for name, value in best.items()},
    )


def _rate(target: Target, body: bytes) -> float:
    def work() -> None:
        caller = Caller(target)
        for _ in range(CALLS):
            caller.call(body)

    threads = [threading.Thread(target=work) for _ in range(CALLERS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CALLERS * CALLS / (time.perf_counter() - begun)


def streams(found: Targets) -> None:
    """500 slow streams at once, started within five seconds."""
    took = {name: asyncio.run(_all_streams(target)) for name, target in found.items()}
    first = {name: percentile(times, 50) for name, (times, _, _) in took.items()}
    _, whole, memory = took["proxy"]
    at_most(
        "proxy_500_streams_first_token",
        first["proxy"],
        20.0,
        "ms",
        p99=percentile(took["proxy"][0], 99),
        bare=first["bare"],
        direct=first["direct"],
    )
    at_most("proxy_500_streams_memory", memory, 128.0, "MB", bare=took["bare"][2])
    at_least("proxy_500_streams_whole", float(whole), float(STREAMS), "streams")


async def _all_streams(target: Target) -> tuple[list[float], int, float]:
    chance = random.Random(1)
    body = request(29_000, stream=True)
    work = [
        asyncio.create_task(_stream(target, body, chance.random() * START_WITHIN))
        for _ in range(STREAMS)
    ]
    await asyncio.sleep(START_WITHIN + 2)
    memory = target.resident()
    took = await asyncio.gather(*work)
    return [first for first, _ in took], sum(whole for _, whole in took), memory


async def _stream(target: Target, body: bytes, wait: float) -> tuple[float, bool]:
    await asyncio.sleep(wait)
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    head = (
        f"POST {target.path}?slow HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    begun = time.perf_counter()
    writer.write(head.encode() + body)
    came, first = b"", 0.0
    while b"[DONE]" not in came:
        piece = await reader.read(65536)
        if not piece:
            break
        came += piece
        if not first and b"data:" in came:
            first = (time.perf_counter() - begun) * 1000
    writer.close()
    order = [came.find(b'"word %d ' % number) for number in range(CHUNKS)]
    return first, b"[DONE]" in came and order == sorted(order) and min(order) > 0


def clients(found: Targets) -> None:
    """Why the proxy keeps its own connections: three clients, 16 callers, 130 KB."""
    rates = asyncio.run(_client_rates(found["direct"]))
    figure("client_connections", rates["ours"], "requests a second", **rates)


async def _client_rates(target: Target) -> dict[str, float]:
    body, address = request(SIZES["130_kb"]), f"http://127.0.0.1:{target.port}"
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"host", b"127.0.0.1"), length]
    origin = Origin("http", "127.0.0.1", target.port)
    ours = Connections(Timeouts(connect=10, read=60, write=60))

    async def by_ours() -> None:
        sent = Sent(body, lambda: None)
        asked = ours.exchange(origin, b"POST", PATH.encode(), headers, sent)
        async with asked as answer:
            async for _ in answer.aiter_stream():
                pass

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with (
        httpcore.AsyncConnectionPool(max_connections=None) as pool,
        httpx.AsyncClient(limits=limits, trust_env=False) as client,
    ):

        async def by_pool() -> None:
            await pool.request("POST", address + PATH, headers=headers, content=body)

        async def by_httpx() -> None:
            await client.post(address + PATH, content=body)

        return {
            "ours": await _client_rate(by_ours),
            "httpcore_pool": await _client_rate(by_pool),
            "httpx": await _client_rate(by_httpx),
        }


async def _client_rate(call: Callable[[], object]) -> float:
    async def work() -> None:
        for _ in range(CALLS):
            await call()  # type: ignore[misc] # a coroutine function

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CALLERS)))
    return CALLERS * CALLS / (time.perf_counter() - begun)


FIGURES: dict[str, Callable[[Targets], None]] = {
    "added": added,
    "first_token": first_token,
    "rate": rate,
    "streams": streams,
    "clients": clients,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", choices=[*FIGURES, []], default=[])
    parser.add_argument("--secrets", type=int, default=SECRETS)
    chosen = parser.parse_args()
    with targets(chosen.secrets) as found:
        for name in chosen.figures or FIGURES:
            FIGURES[name](found)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
