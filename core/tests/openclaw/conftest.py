"""A tenant whose OpenClaw can be configured, and the command that does it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from letsbe.cli import main
from letsbe.cli.init import make_home
from letsbe.configuration import load_configuration
from letsbe.home import Home
from letsbe.openclaw.document import TenantDocument
from letsbe.openclaw.tenant import Model

UPSTREAMS = """
[proxy.upstreams.router]
base_url = "https://openrouter.ai/api/v1"
prefix = "/v1"

[proxy.upstreams.anthropic]
base_url = "https://api.anthropic.com"
api = "anthropic-messages"

[proxy.upstreams.openai]
base_url = "https://api.openai.com"
"""


@dataclass
class Business:
    """A tenant, and where its OpenClaw is."""

    home: Home
    state: Path

    @property
    def document(self) -> TenantDocument:
        return TenantDocument(self.home.tenant)

    @property
    def settings(self) -> dict[str, Any]:
        """What stands in ``openclaw.json``."""
        read = json.loads((self.state / "openclaw.json").read_text(encoding="utf-8"))
        assert isinstance(read, dict)
        return read

    def workspace(self, agent: str, name: str) -> Path:
        return self.state / "agents" / agent / name

    def run(self, *words: str, code: int = 0, stdin: str = "") -> str:
        """Run a `letsbe` command on this home."""
        command = [*words, "--home", str(self.home.folder)]
        # Without an openclaw program on PATH, whatever this machine has.
        ended = CliRunner(env={"PATH": "/nonexistent"}).invoke(main, command, stdin)
        assert ended.exit_code == code, ended.output
        return ended.output

    def configure(self, *words: str, code: int = 0, stdin: str = "") -> str:
        """Run `letsbe openclaw configure`."""
        options = ["--state", str(self.state), *words]
        return self.run("openclaw", "configure", *options, code=code, stdin=stdin)


@pytest.fixture
def business(tmp_path: Path) -> Business:
    home = Home(tmp_path / "home")
    root = tmp_path / "root"
    root.mkdir()
    make_home(home, (root,), ())
    with home.configuration.open("a", encoding="utf-8") as file:
        file.write(UPSTREAMS)
    load_configuration(home)
    made = Business(home, tmp_path / "state")
    made.document.set_single(
        "business",
        name="Café Möwe",
        owner="Ada Berg",
        domain="moewe.example",
        timezone="Europe/Berlin",
    )
    made.document.put(Model(upstream="router", model="z-ai/glm-5"))
    return made
