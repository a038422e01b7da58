"""One tenant: the real wrapper, its executors and the real proxy, for an OpenClaw."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.openclaw.gateway import APIS, State, base_config
from tests.openclaw.runtime import Runtime

BRIDGE = "letsbe-bridge"
PLUGIN = Path(__file__).parents[2] / "openclaw" / "bridge"
SECRET = "canary-Zk3v9QpL7wXr2TbN"
AGENTS = ("main", "marketing")


@dataclass
class Tenant:
    """A home, the folder that agents may use, and what runs on them."""

    home: Path
    work: Path
    wrapper: str = ""
    proxy: str = ""

    def letsbe(self, *words: str, stdin: str = "") -> str:
        """Run a `letsbe` command on the home and return what it prints."""
        ended = subprocess.run(
            [sys.executable, "-m", "letsbe", *words, "--home", str(self.home)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def token(self, who: str = "agents/main") -> str:
        """Return a bearer token."""
        return (self.home / "tokens" / who).read_text(encoding="ascii").strip()

    def ask(
        self, method: str, path: str, body: Any = None, who: str = "operator"
    ) -> Any:
        """Call the wrapper's HTTP interface and return its JSON."""
        headers = {"authorization": f"Bearer {self.token(who)}"}
        answer = httpx.request(
            method, self.wrapper + path, json=body, headers=headers, trust_env=False
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    def audit(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return rows of the audit log that are as wanted."""
        rows = self.ask("GET", "/api/v1/audit?limit=1000")["rows"]
        return [r for r in rows if all(r[k] == v for k, v in wanted.items())]

    def pending(self) -> list[dict[str, Any]]:
        """Return the approvals that wait for a person."""
        found = self.ask("GET", "/api/v1/approvals?state=pending")["approvals"]
        return list(found)


def make(folder: Path, llm: str, closed: tuple[Path, ...] = ()) -> Tenant:
    """Make a home whose proxy forwards to an LLM.

    Args:
        folder: Where; its ``work`` is what agents may use.
        llm: The LLM's address.
        closed: Folders that agents may not touch.
    """
    tenant = Tenant(folder / "home", folder / "work")
    tenant.work.mkdir()
    tenant.letsbe("init", "--root", str(tenant.work))
    for agent in AGENTS[1:]:
        tenant.letsbe("agents", "add", agent)
    path = tenant.home / "letsbe.toml"
    text = path.read_text().replace("\n[proxy]\n", "\n[proxy]\nport = 0\n", 1)
    forbidden = json.dumps([str(place) for place in closed])
    text = text.replace("\n[files]\n", f"\n[files]\nforbidden = {forbidden}\n", 1)
    for api in APIS:
        text += f'\n[proxy.upstreams.{api}]\nbase_url = "{llm}"\napi = "{api}"\n'
    path.write_text(text)
    return tenant


def meet(tenant: Tenant, state: State) -> None:
    """Let the chat relay know the gateway, as `letsbe openclaw configure` does."""
    tenant.letsbe("openclaw", "tenant", "--gateway-port", str(state.port))
    token = tenant.home / "tokens" / "gateway"
    token.touch(mode=0o600)
    token.write_text(state.token)


@contextlib.contextmanager
def running(tenant: Tenant, port: int = 0) -> Iterator[Tenant]:
    """Run the wrapper and the proxy while the block runs."""
    words = ["up", "--port", str(port), "--json", "--home", str(tenant.home)]
    with (
        (tenant.home.parent / "letsbe.log").open("a") as log,
        subprocess.Popen(
            [sys.executable, "-m", "letsbe", *words],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            facts = json.loads(process.stdout.readline())
            tenant.wrapper = facts["safety_wrapper"]
            tenant.proxy = facts["secrets_proxy"]
            yield tenant
        finally:
            process.terminate()
            process.wait(timeout=30)


def install_bridge(runtime: Runtime, tenant: Tenant, folder: Path) -> Path:
    """Install the bridge for a tenant, as an operator does."""
    token = str(tenant.home / "tokens" / "agents" / "main")
    words = ["--wrapper", tenant.wrapper, "--token-file", token, "--to", str(folder)]
    ended = subprocess.run(
        [str(runtime.node), str(PLUGIN / "install.js"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return folder


_COMPAT: dict[str, dict[str, Any]] = {
    "openai-completions": {
        "cacheControlFormat": "anthropic",
        "supportsLongCacheRetention": True,
        "supportsPromptCacheKey": True,
    },
    "openai-responses": {"supportsPromptCacheKey": True},
}
"""What brings the cache markers back that another base URL switches off."""


def _base(state: State, tenant: Tenant) -> dict[str, Any]:
    """Return a configuration whose LLM is the tenant's proxy."""
    config = base_config(state, "")
    for api, path in APIS.items():
        provider = config["models"]["providers"][api]
        provider["baseUrl"] = f"{tenant.proxy}/{api}{path}"
        provider["models"][0]["compat"] = _COMPAT.get(api, {})
    config["agents"]["defaults"]["params"] = {"cacheRetention": "long"}
    config["agents"]["entries"] = {agent: {} for agent in AGENTS}
    return config


def by_plugin(
    state: State, tenant: Tenant, plugin: Path, **settings: Any
) -> dict[str, Any]:
    """Return a configuration whose tools are the wrapper's, by the bridge."""
    config = _base(state, tenant)
    tokens = state.folder / "tokens"
    if not tokens.exists():
        shutil.copytree(tenant.home / "tokens" / "agents", tokens)
    config["tools"] = {"toolSearch": False, "allow": [BRIDGE]}
    given = {"wrapperUrl": tenant.wrapper, "tokenFolder": str(tokens), "pollSeconds": 1}
    entry = {"enabled": True, "config": given | settings}
    config["plugins"] = {
        "allow": [BRIDGE],
        "load": {"paths": [str(plugin)]},
        "entries": {BRIDGE: entry},
    }
    return config
