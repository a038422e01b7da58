"""What the proxy's benchmarks run: a provider, a bare pass-through, and the proxy.

``python -m benchmarks.proxy_servers provider|bare PORT [UPSTREAM]`` serves the first
two.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from benchmarks.servers import LETSBE, ROOT, free_port, process, wait_for
from letsbe.home import Home

PATH = "/v1/chat/completions"
KEY = "sk-benchmark-9QmX4vTzW2pLc7"
USAGE = {"prompt_tokens": 30_000, "completion_tokens": 20}
CHUNKS = 20
PAUSE = 0.5
"""Seconds between the chunks of a slow stream."""

_ANSWER = json.dumps(
    {"id": "1", "model": "m", "choices": [{"message": {"content": "ok " * 200}}]}
    | {"usage": USAGE}
).encode()
_DROPPED = {"host", "content-length", "connection", "transfer-encoding"}


async def provider(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer chat completions: whole, streamed, or streamed slowly."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    query = scope["query_string"]
    if query == b"":
        length = (b"content-length", str(len(_ANSWER)).encode())
        headers = [(b"content-type", b"application/json"), length]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": _ANSWER})
        return
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(CHUNKS):
        await _send_event(send, number)
        if query == b"slow":
            await asyncio.sleep(PAUSE)
    end = b"data: " + json.dumps({"usage": USAGE}).encode() + b"\n\ndata: [DONE]\n\n"
    await send({"type": "http.response.body", "body": end})


async def _send_event(send: Send, number: int) -> None:
    delta = {"index": 0, "delta": {"content": f"word {number} "}}
    event = {"id": "1", "model": "m", "choices": [delta]}
    body = b"data: " + json.dumps(event).encode() + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


def bare(upstream: str) -> Starlette:
    """Make what anybody would write first: Starlette before, httpx behind."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=1000)
    client = httpx.AsyncClient(timeout=600, limits=limits, trust_env=False)

    async def forward(request: Request) -> StreamingResponse:
        body = await request.body()
        headers = [(k, v) for k, v in request.headers.items() if k not in _DROPPED]
        url = httpx.URL(upstream + request.url.path, query=request.url.query.encode())
        sent = client.build_request(request.method, url, headers=headers, content=body)
        answer = await client.send(sent, stream=True)

        async def chunks() -> AsyncIterator[bytes]:
            try:
                async for chunk in answer.aiter_raw():
                    yield chunk
            finally:
                await answer.aclose()

        kept = {k: v for k, v in answer.headers.items() if k not in _DROPPED}
        return StreamingResponse(chunks(), answer.status_code, kept)

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])


@dataclass(frozen=True)
class Target:
    """One way to the provider.

    Args:
        port: Where it listens.
        path: What to ask for.
        pid: The process.
    """

    port: int
    path: str
    pid: int

    def resident(self) -> float:
        """Return the memory it holds, in MB (10^6 bytes)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(text for text in status.splitlines() if text.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6


@contextlib.contextmanager
def targets(secrets: int) -> Iterator[dict[str, Target]]:
    """Run all three, the proxy with so many secrets in its vault."""
    with contextlib.ExitStack() as closing:

        def serve(what: str, *more: str) -> tuple[int, int]:
            port = free_port()
            module = [sys.executable, "-m", "benchmarks.proxy_servers"]
            running = closing.enter_context(
                process([*module, what, str(port), *more], cwd=ROOT)
            )
            wait_for(port, running)
            return port, running.pid

        port, pid = serve("provider")
        found = {"direct": Target(port, PATH, pid)}
        found["bare"] = Target(*_at(serve("bare", f"http://127.0.0.1:{port}")))
        found["proxy"] = closing.enter_context(_proxy(port, secrets))
        yield found


def _at(served: tuple[int, int]) -> tuple[int, str, int]:
    return served[0], PATH, served[1]


@contextlib.contextmanager
def _proxy(upstream: int, secrets: int) -> Iterator[Target]:
    folder = Path(tempfile.mkdtemp(prefix="letsbe-benchmark-"))
    home = Home(folder / "home")
    place = ["--home", str(home.folder)]
    made = [LETSBE, "init", *place, "--json"]
    try:
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        _fill(home, secrets)
        settings = f'base_url = "http://127.0.0.1:{upstream}"\nsecret = "up"\n'
        with home.configuration.open("a") as file:
            file.write(f"\n[proxy.upstreams.up]\n{settings}")
        port, log = free_port(), folder / "log"
        argv = [LETSBE, "proxy", *place, "--port", str(port), "--json"]
        with (
            log.open("w") as file,
            process(argv, stdout=subprocess.DEVNULL, stderr=file) as running,
        ):
            wait_for(port, running, log)
            yield Target(port, f"/up{PATH}", running.pid)
    finally:
        shutil.rmtree(folder)


def _fill(home: Home, secrets: int) -> None:
    from letsbe.storage.database import Database  # noqa: PLC0415 - not in the servers
    from letsbe.storage.keys import load_key  # noqa: PLC0415
    from letsbe.vault.vault import Vault  # noqa: PLC0415

    with Database(home.database) as database:
        vault = Vault(database, load_key(home.vault_key))
        vault.provide("up", KEY)
        for number in range(secrets - 1):
            vault.generate(f"secret_{number}")


def main(what: str, port: str, upstream: str = "") -> None:
    app: Any = provider if what == "provider" else bare(upstream)
    uvicorn.run(
        app, port=int(port), log_level="error", access_log=False, lifespan="off"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
