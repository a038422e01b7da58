"""A real gateway in a process of its own, headless, on a free port of loopback."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.openclaw.runtime import Runtime

READY_SECONDS = 300
TURN_SECONDS = 300
"""Many times what an idle machine needs: others may be at work on it too."""
RELOAD_SECONDS = 60
_NOTICED = "config change detected"
"""What it logs before it takes a changed configuration over, and logs how."""
APIS = {
    "openai-completions": "/v1",
    "openai-responses": "/v1",
    "anthropic-messages": "",
}
"""The APIs that a provider may speak, with the path that its base URL needs."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class State:
    """The folders and the port of one OpenClaw, before it is configured.

    Args:
        folder: An empty, private folder.
        port: The gateway's port.
        token: The gateway's token.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(36))

    @property
    def state(self) -> Path:
        return self.folder / ".openclaw"

    @property
    def config(self) -> Path:
        return self.state / "openclaw.json"

    @property
    def workspace(self) -> Path:
        return self.state / "workspace"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    def write(self, config: Mapping[str, Any]) -> None:
        """Write the configuration, as private as the audit wants it."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        new = self.config.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(config, indent=2))
        new.rename(self.config)

    def environment(self, runtime: Runtime) -> dict[str, str]:
        """Return the environment of every OpenClaw process."""
        return {
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "OPENCLAW_CONFIG_PATH": str(self.config),
            "OPENCLAW_STATE_DIR": str(self.state),
            "PATH": runtime.path,
            "TMPDIR": str(self.folder),
        }


def model(api: str = "openai-completions") -> str:
    """Return the name of the model that is reached by an API."""
    return f"{api}/fake"


def base_config(
    state: State, llm: str, api: str = "openai-completions"
) -> dict[str, Any]:
    """Return the least configuration that runs: one agent, chat by HTTP, native tools.

    Args:
        state: Where it runs.
        llm: The address of the LLM, which speaks three APIs.
        api: By which of them the agent's model is reached.
    """
    return {
        "gateway": {
            "mode": "local",
            "bind": "loopback",
            "port": state.port,
            "auth": {"mode": "token", "token": state.token},
            "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
        },
        "models": {
            "mode": "replace",
            "providers": {name: _provider(name, llm + APIS[name]) for name in APIS},
        },
        "agents": {
            "defaults": {
                "workspace": str(state.workspace),
                "model": {"primary": model(api)},
                "skipBootstrap": True,
                "heartbeat": {"every": "0m"},
            }
        },
        "tools": {"toolSearch": False},
        "logging": {"file": str(state.folder / "openclaw.log")},
    }


def _provider(api: str, base_url: str) -> dict[str, Any]:
    offered = {
        "id": "fake",
        "name": "Fake",
        "reasoning": False,
        "input": ["text"],
        "cost": {"input": 1, "output": 2, "cacheRead": 0.1, "cacheWrite": 1.25},
        "contextWindow": 200000,
        "maxTokens": 8192,
    }
    return {"baseUrl": base_url, "apiKey": "dummy", "api": api, "models": [offered]}


@dataclass
class Gateway:
    """A running gateway."""

    runtime: Runtime
    state: State
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.state.port}"

    def client(self, token: str | None = None) -> httpx.Client:
        """Return a client that bears the gateway's token, or another."""
        bearer = self.state.token if token is None else token
        return httpx.Client(
            base_url=self.address,
            headers={"authorization": f"Bearer {bearer}"},
            timeout=TURN_SECONDS,
            trust_env=False,
        )

    def chat(
        self,
        text: str,
        conversation: str | None = None,
        agent: str = "main",
        api: str | None = None,
    ) -> str:
        """Play one user turn and return what the agent says.

        Args:
            text: What the user says.
            conversation: A stable id; a new one by default.
            agent: Which agent is spoken to.
            api: Reach the model by this API instead of the agent's own.
        """
        headers = {"x-openclaw-model": model(api)} if api else {}
        body = {
            "model": f"openclaw/{agent}",
            "user": conversation or uuid.uuid4().hex,
            "messages": [{"role": "user", "content": text}],
        }
        with self.client() as client:
            answer = client.post("/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["choices"][0]["message"]["content"])

    def reload(self, config: Mapping[str, Any]) -> None:
        """Write another configuration, and wait until it counts."""
        if config == json.loads(self.state.config.read_text()):
            return
        seen = self.said().count(_NOTICED)
        self.state.write(config)
        until, before = time.monotonic() + RELOAD_SECONDS, -1
        while self.said().count(_NOTICED) == seen or len(self.said()) != before:
            assert time.monotonic() < until, self.said()[-2000:]
            before = len(self.said())
            time.sleep(0.4)

    def run(self, *words: str, timeout: float = 120) -> str:
        """Run an `openclaw` command on this state and return what it prints."""
        return openclaw(self.runtime, self.state, *words, timeout=timeout)

    def resident(self) -> float:
        """Return the memory it holds, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(text for text in status.splitlines() if text.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def said(self) -> str:
        """Return what it has logged."""
        logs = [self.state.log, self.state.folder / "openclaw.log"]
        return "".join(p.read_text(errors="replace") for p in logs if p.exists())


def openclaw(
    runtime: Runtime,
    state: State,
    *words: str,
    timeout: float = 120,
    check: bool = True,
) -> str:
    """Run an `openclaw` command on a state, which need not be running."""
    ended = subprocess.run(
        [str(runtime.node), str(runtime.openclaw), *words],
        env=state.environment(runtime),
        cwd=state.folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check:
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout if ended.returncode == 0 else ended.stdout + ended.stderr


@contextlib.contextmanager
def running(
    runtime: Runtime,
    state: State,
    config: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Gateway]:
    """Run a gateway while the block runs.

    Args:
        runtime: The installed OpenClaw.
        state: Its folders and port.
        config: Its configuration.
        environment: More variables, such as those that the configuration names.
    """
    state.write(config)
    state.workspace.mkdir(exist_ok=True)
    with state.log.open("wb") as log:
        process = subprocess.Popen(
            [str(runtime.node), str(runtime.openclaw), "gateway", "run"],
            env=state.environment(runtime) | dict(environment or {}),
            cwd=state.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    gateway = Gateway(runtime, state, process)
    try:
        _wait_until_ready(gateway)
        yield gateway
    finally:
        _stop(process)


def _wait_until_ready(gateway: Gateway) -> None:
    until = time.monotonic() + READY_SECONDS
    with gateway.client() as client:
        while time.monotonic() < until:
            if gateway.process.poll() is not None:
                raise AssertionError(f"the gateway ended: {gateway.said()[-4000:]}")
            with contextlib.suppress(httpx.TransportError, ValueError):
                if client.get("/readyz").json().get("ready") is True:
                    return
            time.sleep(0.3)
    raise AssertionError(f"the gateway is not ready: {gateway.said()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # The gateway may have started programs; its session is its own.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=15)
