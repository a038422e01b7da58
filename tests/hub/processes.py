"""A Hub and tenants' servers as real processes, each with a home of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from letsbe.cli.init import make_home
from letsbe.home import Home
from letsbe.hub_client.registration import register
from letsbe.hub_client.state import HubState
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.database import Database
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.tenants.registration import issue_token
from letsbe_hub.tenants.registry import NewTenant, create

START_SECONDS = 90.0


@dataclass
class Server:
    """A process that announces itself in JSON."""

    argv: list[str]
    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes requests."""
        log = (self.folder / "log").open("a")
        self.process = subprocess.Popen(
            self.argv, stdout=subprocess.PIPE, stderr=log, text=True, env=environment()
        )
        log.close()
        assert self.process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, (self.folder / "log").read_text()[-4000:]
            text += line
        self.facts = json.loads(text)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "error"}


def run(module: str, *argv: str, given: str | None = None) -> Any:
    """Run a command that prints JSON."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *argv, "--json"],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


@dataclass
class HubProcess:
    """A Hub with its home."""

    home: Path
    server: Server

    @property
    def url(self) -> str:
        return str(self.server.facts["hub"])


@dataclass
class TenantServer:
    """A tenant's server with its home and what it may touch."""

    home: Path
    root: Path
    tenant_id: str
    server: Server

    def agent(self) -> httpx.Client:
        token = (self.home / "tokens/agents/main").read_text().strip()
        return self._client(token)

    def operator(self) -> httpx.Client:
        return self._client((self.home / "tokens/operator").read_text().strip())

    def _client(self, token: str) -> httpx.Client:
        headers = {"authorization": f"Bearer {token}"}
        address = self.server.facts["safety_wrapper"]
        return httpx.Client(base_url=address, headers=headers, timeout=60)

    def call(self, tool: str, **arguments: Any) -> Any:
        body = {"session_id": "s1", "tool_name": tool, "tool_args": arguments}
        with self.agent() as http:
            return http.post("/api/v1/tools/execute", json=body).json()


@contextmanager
def hub(folder: Path, *argv: str, settings: str = "") -> Iterator[HubProcess]:
    """Run a Hub whose tenants beat every second."""
    home = folder / "hub"
    run("letsbe_hub", "migrate", "--home", str(home))
    text = settings or (
        "[tenants]\nheartbeat_seconds = 1.0\nusage_seconds = 1.0\nwait_seconds = 5.0\n"
    )
    (home / "hub.toml").write_text(text)
    start = [sys.executable, "-m", "letsbe_hub", "up", "--json", "--port", "0"]
    made = HubProcess(home, Server([*start, "--home", str(home), *argv], home))
    made.server.start()
    # Started again, it is to be found where it was.
    port = made.url.rsplit(":", 1)[1]
    made.server.argv[made.server.argv.index("--port") + 1] = port
    try:
        yield made
    finally:
        made.server.kill()


@contextmanager
def tenant(
    folder: Path, at: HubProcess, name: str, *, running: bool = True
) -> Iterator[TenantServer]:
    """Make a tenant, register its server, and run it."""
    home, root = folder / name / "home", folder / name / "work"
    root.mkdir(parents=True)
    make_home(Home(home), (root,), ("main",))
    order = f"ord-{secrets.token_hex(6)}"
    store = Store(sqlite_url(at.home / "hub.db"))
    new = NewTenant(name, order, "lite")
    tenant_id = store.write(lambda c: create(c, new, "cli"))
    token, _ = store.write(lambda c: issue_token(c, tenant_id, 10, "cli"))
    store.close()
    with contextlib.closing(Database(home / "letsbe.db")) as database:
        asyncio.run(
            register(
                Home(home),
                HubState(database),
                Pipeline(()),
                url=at.url,
                order=order,
                token=token,
            )
        )
    start = [sys.executable, "-m", "letsbe", "up", "--json", "--port", "0"]
    server = Server([*start, "--home", str(home)], folder / name)
    found = TenantServer(home, root, tenant_id, server)
    if running:
        server.start()
    try:
        yield found
    finally:
        server.kill()


def eventually(check: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait until something is true, and return it."""
    until = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.1)
