"""What the benchmarks run: a wrapper, a bare MCP server, and clients of both.

``python -m benchmarks.servers PORT`` serves the bare one.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import MCPServer

from letsbe.home import Home

ROOT = Path(__file__).parents[1]
LETSBE = str(Path(sys.executable).with_name("letsbe"))
PROGRAM = "echo hello"
AGENT = "main"


@dataclass(frozen=True)
class Server:
    """A wrapper that runs, with a home and a workspace of its own."""

    home: Home
    work: Path
    port: int
    pid: int

    @property
    def token(self) -> str:
        return (self.home.agent_tokens / AGENT).read_text().strip()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
        }

    def resident(self) -> float:
        """Return the memory it holds, in MB (10^6 bytes)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(text for text in status.splitlines() if text.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6


class Caller:
    """One connection to a wrapper's HTTP API."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port)
        self._headers = server.headers

    def call(
        self, tool: str, arguments: dict[str, Any], tool_call_id: str | None = None
    ) -> dict[str, Any]:
        """Call a tool and return the answer."""
        body = {
            "session_id": "benchmark",
            "agent_id": AGENT,
            "tool_name": tool,
            "tool_args": arguments,
            "context": {"tool_call_id": tool_call_id} if tool_call_id else {},
        }
        self._connection.request(
            "POST", "/api/v1/tools/execute", json.dumps(body).encode(), self._headers
        )
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return answer

    def shell(self, command: str = PROGRAM) -> dict[str, Any]:
        """Run a command line, and insist that it ran."""
        answer = self.call("shell", {"command": command})
        if answer.get("status") != "ok":
            raise SystemExit(f"{command} did not run: {answer}")
        return answer


@contextlib.contextmanager
def process(argv: Sequence[str], **settings: Any) -> Iterator[subprocess.Popen[str]]:  # noqa: ANN401 - passed to Popen
    """Run a program while the block runs."""
    with subprocess.Popen(argv, text=True, **settings) as running:
        try:
            yield running
        finally:
            running.terminate()


@contextlib.contextmanager
def wrapper() -> Iterator[Server]:
    """Run ``letsbe up`` on a new home, with every plugin that is installed."""
    folder = Path(tempfile.mkdtemp(prefix="letsbe-benchmark-"))
    home, work = Home(folder / "home"), folder / "work"
    work.mkdir()
    place = ["--home", str(home.folder)]
    subprocess.run(
        [LETSBE, "init", *place, "--root", str(work), "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    port = free_port()
    up = [LETSBE, "up", *place, "--port", str(port), "--json"]
    log = folder / "log"
    try:
        with (
            log.open("w") as file,
            process(up, stdout=subprocess.DEVNULL, stderr=file) as running,
        ):
            wait_for(port, running, log)
            yield Server(home, work, port, running.pid)
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def bare_server() -> Iterator[int]:
    """Run the MCP server to compare with; return its port."""
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.servers", str(port)]
    with process(argv, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        wait_for(port, running)
        yield port


def serve_bare(port: int) -> None:
    """Serve one tool that runs a program and records nothing, as MCP's own SDK does."""
    server = MCPServer("bare", log_level="ERROR")

    @server.tool()
    def shell(command: str) -> str:
        """Run a program."""
        return run_program(command)

    server.run("streamable-http", port=port, json_response=True, stateless_http=True)


def run_program(command: str = PROGRAM) -> str:
    return subprocess.run(
        shlex.split(command), capture_output=True, check=True, text=True
    ).stdout


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(
    port: int, running: subprocess.Popen[str], log: Path | None = None
) -> None:
    for _ in range(300):
        if running.poll() is not None:
            said = log.read_text() if log else ""
            raise SystemExit(f"the server ended at its start: {said}")
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.1)
    raise SystemExit("the server did not start in 30 seconds")


@contextlib.asynccontextmanager
async def mcp_client(port: int, token: str = "") -> AsyncIterator[Client]:
    """Connect the SDK's client to a server."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"http://127.0.0.1:{port}/mcp"
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as web,
        Client(streamable_http_client(url, http_client=web)) as client,
    ):
        yield client


async def call_by_mcp(client: Client) -> None:
    result = await client.call_tool("shell", {"command": PROGRAM})
    if result.is_error:
        raise SystemExit(f"{PROGRAM} did not run: {result.content}")


if __name__ == "__main__":
    serve_bare(int(sys.argv[1]))
