"""A tenant as `letsbe openclaw configure` makes it, with all that belongs to it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.openclaw.gateway import Gateway, State, free_port, running
from tests.openclaw.runtime import Runtime
from tests.openclaw.tenant import PLUGIN, Tenant

MODEL = "anthropic/large-x"
"""A model whose provider takes cache markers."""


@dataclass
class Cafe:
    """A home with a business, models and agents, and its OpenClaw's state.

    Args:
        folder: Where all of it is.
        llm: The address of what stands behind the Secrets Proxy.
        runtime: The installed OpenClaw.
    """

    folder: Path
    llm: str
    runtime: Runtime
    wrapper_port: int = field(default_factory=free_port)
    proxy_port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def work(self) -> Path:
        """The folder that agents may use."""
        return self.folder / "work"

    @property
    def tenant(self) -> Tenant:
        """The home as what runs on it is asked, while it is up."""
        wrapper, proxy = (
            f"http://127.0.0.1:{port}" for port in (self.wrapper_port, self.proxy_port)
        )
        return Tenant(self.home, self.work, wrapper, proxy)

    @property
    def state(self) -> State:
        token = (self.home / "tokens" / "gateway").read_text(encoding="ascii").strip()
        return State(self.folder / "openclaw", self.gateway_port, token)

    @property
    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.state.config.read_text("utf-8"))
        return found

    def letsbe(self, *words: str, code: int = 0, stdin: str = "") -> str:
        """Run a `letsbe` command on the home."""
        ended = subprocess.run(
            [sys.executable, "-m", "letsbe", *words, "--home", str(self.home)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def make(self) -> None:
        """Make the home and say whom the agents work for."""
        self.work.mkdir(parents=True)
        (self.folder / "openclaw").mkdir(mode=0o700)
        self.letsbe("init", "--root", str(self.work))
        path = self.home / "letsbe.toml"
        text = path.read_text(encoding="utf-8")
        for room, port in (("wrapper", self.wrapper_port), ("proxy", self.proxy_port)):
            text = text.replace(f"\n[{room}]\n", f"\n[{room}]\nport = {port}\n", 1)
        text += f'\n[proxy.upstreams.router]\nbase_url = "{self.llm}"\n'
        path.write_text(text, encoding="utf-8")
        facts = ["--business", "Café Möwe", "--owner", "Ada Berg"]
        facts += ["--domain", "moewe.example", "--timezone", "Europe/Berlin"]
        facts += ["--gateway-port", str(self.gateway_port)]
        self.letsbe("openclaw", "tenant", *facts)
        self.letsbe("openclaw", "model", "add", "router", MODEL)

    @property
    def program(self) -> list[str]:
        """The options that name the installed OpenClaw."""
        runtime = self.runtime
        return ["--openclaw", str(runtime.openclaw), "--node", str(runtime.node)]

    def configure(self, *words: str, code: int = 0) -> str:
        """Run `letsbe openclaw configure` with OpenClaw's own check."""
        state = str(self.folder / "openclaw" / ".openclaw")
        options = ["--state", state, "--yes", *self.program, *words]
        return self.letsbe("openclaw", "configure", *options, code=code)

    def install_bridge(self, folder: Path) -> None:
        """Install the bridge, as an operator does; the wrapper is running."""
        token = str(self.home / "tokens" / "agents" / "it-admin")
        words = ["--wrapper", f"http://127.0.0.1:{self.wrapper_port}"]
        words += ["--token-file", token, "--to", str(folder)]
        install = str(PLUGIN / "install.js")
        subprocess.run([str(self.runtime.node), install, *words], check=True)

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """Run the wrapper and the proxy while the block runs."""
        words = ["up", "--json", "--home", str(self.home)]
        with (
            (self.folder / "letsbe.log").open("a") as log,
            subprocess.Popen(
                [sys.executable, "-m", "letsbe", *words],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            try:
                assert json.loads(process.stdout.readline())["secrets_proxy"]
                yield
            finally:
                process.terminate()
                process.wait(timeout=30)

    @contextlib.contextmanager
    def gateway(self) -> Iterator[Gateway]:
        """Run OpenClaw as it was configured, with no variable but the harness's own."""
        with running(self.runtime, self.state, self.settings) as started:
            yield started
