"""The processes of the demonstration: a Hub, and a tenant's server with its home."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from letsbe.errors import LetsBeError
from letsbe.home import Home
from letsbe.proxy.metering import Meter
from letsbe.proxy.sharing import open_usage
from letsbe.proxy.usage import Usage

MODEL = "deepseek/deepseek-v3"
"""One that uses the pool."""


class DemoFailed(LetsBeError):
    """Something did not happen that should have; the text says what."""

    code = "demo_failed"


@dataclass
class Process:
    """A server that announces itself in JSON.

    Args:
        argv: How it is started.
        log: Where it logs.
    """

    argv: Sequence[str]
    log: Path
    facts: dict[str, Any] = field(default_factory=dict)
    _running: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes requests.

        Raises:
            DemoFailed: It ended before that.
        """
        with self.log.open("a") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", *self.argv],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._running.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = self._running.stdout.readline()
            if not line:
                raise DemoFailed(f"a server did not start: see {self.log}")
            text += line
        self.facts = json.loads(text)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            assert self._running.stdout is not None
            self._running.stdout.close()
            self._running = None


@dataclass
class Tenant:
    """A tenant with its server."""

    name: str
    id: str
    home: Home
    root: Path
    process: Process

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Call a tool as its agent."""
        body = {"session_id": "demo", "tool_name": tool, "tool_args": arguments}
        token = self.home.agent_tokens / "main"
        return self._ask(token, "POST", "tools/execute", json=body)

    def approval(self, id_: str) -> dict[str, Any]:
        """Return what its server knows of an approval, as its operator sees it."""
        return self._ask(self.home.operator_token, "GET", f"approvals/{id_}")

    def use(self, tokens: int) -> None:
        """Meter an LLM call, as the Secrets Proxy does."""

        async def record() -> None:
            with contextlib.closing(open_usage(self.home)) as database:
                meter = Meter(database, self.home.usage)
                meter.record("main", MODEL, Usage(input_tokens=tokens))
                await meter.close()

        asyncio.run(record())

    def _ask(self, token: Path, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's
        answer = httpx.request(
            method,
            f"{self.process.facts['safety_wrapper']}/api/v1/{path}",
            headers={"authorization": f"Bearer {token.read_text().strip()}"},
            timeout=60,
            **more,
        )
        return dict(answer.json())
