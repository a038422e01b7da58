"""A real wrapper in a process of its own, over a real home and workspace."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

CANARY = "canary-Zk3v9QpL7wXr2TbN"


@dataclass
class Tenant:
    """A home, its workspace, and the command that works on them."""

    home: Path
    workspace: Path
    canary: str = CANARY

    def letsbe(
        self, *arguments: str, stdin: str | bytes | None = None, check: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on this home, and expect its exit code."""
        command = [sys.executable, "-m", "letsbe", *arguments]
        sent = stdin.encode() if isinstance(stdin, str) else stdin
        ended = subprocess.run(
            [*command, "--home", str(self.home)],
            input=sent if sent is not None else b"",
            capture_output=True,
            timeout=120,
            cwd=self.workspace,
            check=False,
        )
        result = subprocess.CompletedProcess(
            ended.args,
            ended.returncode,
            ended.stdout.decode(errors="replace"),
            ended.stderr.decode(errors="replace"),
        )
        if check is not None:
            assert result.returncode == check, result.stdout + result.stderr
        return result

    def call(self, tool: str, *, check: int | None = 0, **arguments: Any) -> Any:
        """Call a tool by the command line."""
        ended = self.letsbe("call", tool, json.dumps(arguments), "--json", check=check)
        return json.loads(ended.stdout)

    def provide(self, name: str = "token", value: str = CANARY) -> None:
        """Keep a secret."""
        self.letsbe("secrets", "provide", name, stdin=value)

    def token(self, who: str) -> str:
        """Return a bearer token."""
        return (self.home / "tokens" / who).read_text(encoding="ascii").strip()

    def everything_stored(self) -> bytes:
        """Return every byte of every file in the home."""
        files = (path for path in self.home.rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in files)


@dataclass
class Server:
    """A running wrapper."""

    tenant: Tenant
    process: subprocess.Popen[str]
    facts: dict[str, Any]

    @property
    def address(self) -> str:
        """Return its base address."""
        return str(self.facts["safety_wrapper"])

    def client(self, who: str = "agents/main", **settings: Any) -> httpx.Client:
        """Return a client that bears a token."""
        headers = {"authorization": f"Bearer {self.tenant.token(who)}"}
        return httpx.Client(
            base_url=self.address, headers=headers, trust_env=False, **settings
        )

    def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool by HTTP."""
        body = {"session_id": "e2e", "tool_name": tool, "tool_args": arguments}
        with self.client(timeout=60) as client:
            return client.post("/api/v1/tools/execute", json=body).json()

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    made = Tenant(tmp_path / "home", workspace)
    made.letsbe("init", "--root", str(workspace))
    return made


Start = Callable[[Tenant], contextlib.AbstractContextManager[Server]]


@pytest.fixture
def start() -> Start:
    return running


@pytest.fixture
def server(tenant: Tenant) -> Iterator[Server]:
    with running(tenant) as started:
        yield started


@contextlib.contextmanager
def running(tenant: Tenant) -> Iterator[Server]:
    """Run ``letsbe up`` until the block ends; what it logs lands beside the home."""
    log = tenant.home.with_suffix(".log")
    with log.open("a") as errors:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "letsbe", "up", "--port", "0", "--json"),
                *("--home", str(tenant.home)),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Server(tenant, process, json.loads(line))
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
