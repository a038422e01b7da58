"""A Hub and three tenants' servers on this machine, with traffic, for all to see.

Everything is a real process with a home of its own in a folder that is thrown away:
what is printed is what they answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from letsbe.cli.init import make_home
from letsbe.errors import LetsBeError
from letsbe.home import Home
from letsbe.hub_client.registration import register
from letsbe.hub_client.state import HubState
from letsbe.proxy.metering import Meter
from letsbe.proxy.sharing import open_usage
from letsbe.proxy.usage import Usage
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.database import Database
from letsbe_hub.api.principals import Audience, Principal
from letsbe_hub.approvals import decisions
from letsbe_hub.configuration import rollouts, versions
from letsbe_hub.home import HubHome
from letsbe_hub.home import make_home as make_hub_home
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.tenants.registration import issue_token
from letsbe_hub.tenants.registry import NewTenant, create, listing
from letsbe_hub.usage.totals import total

NAMES = ("bakery", "dentist", "garage")
PATIENCE = 90.0
OWNER = Principal(
    Audience.CUSTOMER, "demo-owner", frozenset({decisions.DECIDE}), tenants=None
)
_SETTINGS = "[tenants]\nheartbeat_seconds = 1.0\nusage_seconds = 1.0\n"

Say = Callable[[str], None]


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
        token = (self.home.agent_tokens / "main").read_text().strip()
        answer = httpx.post(
            f"{self.process.facts['safety_wrapper']}/api/v1/tools/execute",
            headers={"authorization": f"Bearer {token}"},
            json={"session_id": "demo", "tool_name": tool, "tool_args": arguments},
            timeout=60,
        )
        return dict(answer.json())

    def use(self, tokens: int) -> None:
        """Meter an LLM call, as the Secrets Proxy does."""

        async def record() -> None:
            with contextlib.closing(open_usage(self.home)) as database:
                meter = Meter(database, self.home.usage)
                meter.record("main", "openai/gpt", Usage(input_tokens=tokens))
                await meter.close()

        asyncio.run(record())


@contextlib.contextmanager
def stage(folder: Path, say: Say) -> Iterator[tuple[Process, Store, list[Tenant]]]:
    """Start the Hub and the tenants' servers; end them afterwards."""
    home = HubHome(folder / "hub")
    make_hub_home(home)
    home.configuration.write_text(_SETTINGS)
    argv = ["letsbe_hub", "up", "--home", str(home.folder), "--json", "--port", "0"]
    hub = Process(argv, folder / "hub.log")
    with contextlib.ExitStack() as closing:
        closing.callback(hub.kill)
        hub.start()
        # Started again, it is to be found where it was.
        port = str(hub.facts["hub"]).rsplit(":", 1)[1]
        hub.argv = [*argv[:-1], port]
        say(f"the Hub runs at {hub.facts['hub']}")
        store = Store(sqlite_url(home.database))
        closing.callback(store.close)
        tenants = []
        for name in NAMES:
            tenants.append(_tenant(folder, hub, store, name))
            closing.callback(tenants[-1].process.kill)
            tenants[-1].process.start()
            say(f"{name} registered with a one-time token and runs")
        yield hub, store, tenants


def _tenant(folder: Path, hub: Process, store: Store, name: str) -> Tenant:
    home, root = Home(folder / name / "home"), folder / name / "work"
    root.mkdir(parents=True)
    make_home(home, (root,), ("main",))
    order = f"demo-{secrets.token_hex(4)}"
    new = NewTenant(name, order, "lite", "sandbox")
    tenant_id = store.write(lambda c: create(c, new, "cli"))
    token, _ = store.write(lambda c: issue_token(c, tenant_id, 10, "cli"))
    url = str(hub.facts["hub"])
    with contextlib.closing(Database(home.database)) as database:
        state, nothing = HubState(database), Pipeline(())
        asyncio.run(register(home, state, nothing, url=url, order=order, token=token))
    argv = ["letsbe", "up", "--home", str(home.folder), "--json", "--port", "0"]
    return Tenant(name, tenant_id, home, root, Process(argv, folder / f"{name}.log"))


def play(folder: Path, say: Say) -> None:
    """Let it all happen.

    Args:
        folder: Empty; everything is kept there.
        say: Prints a line.

    Raises:
        DemoFailed: Something did not happen.
    """
    with stage(folder, say) as (hub, store, tenants):
        say("\n1. Every server is seen.")
        _wait("heartbeats", lambda: _statuses(store) == {"operational"})
        say(f"   {len(tenants)} servers, all operational")
        say("\n2. An agent wants to delete; a person decides at the Hub.")
        _approval(store, tenants[0], say)
        say("\n3. One change for all three, staged and acknowledged.")
        _rollout(store, tenants, say)
        say("\n4. The Hub dies; the servers go on; nothing is lost.")
        _outage(hub, store, tenants, say)


def _approval(store: Store, tenant: Tenant, say: Say) -> None:
    (tenant.root / "old").mkdir()
    answer = tenant.call("shell", command="rm -r old")
    say(f"   {tenant.name}   rm -r old: {answer['status']} ({answer['tier']})")
    query = decisions.listing(OWNER, "pending")
    (row,) = _wait("the approval", lambda: store.read(lambda c: c.execute(query).all()))
    shown = json.dumps(row.summary["arguments"])
    say(f"   the Hub  shows {shown}, digest {row.digest[:12]}")
    store.write(lambda c: decisions.decide(c, OWNER, row.id, "approved", "fine"))
    everything = decisions.listing(OWNER, "done")
    _wait("the outcome", lambda: store.read(lambda c: c.execute(everything).all()))
    gone = "yes" if not (tenant.root / "old").exists() else "no"
    say(f"   approved; the server ran it and told so; the folder is gone: {gone}")


def _rollout(store: Store, tenants: list[Tenant], say: Say) -> None:
    change = {
        "classification": [
            {"tool": "file_write", "tier": "RED", "reason": "a quiet week is asked for"}
        ]
    }

    def begin(connection: sa.Connection) -> str:
        new = rollouts.create(
            connection, "sandbox", change, note="quiet", most_failures=0, actor="cli"
        )
        rollouts.advance(connection, new, 100, "cli")
        return new

    new = store.write(begin)
    applied = {"applied": len(tenants)}
    _wait(
        "the acknowledgements",
        lambda: store.read(lambda c: dict(rollouts.progress(c, new))) == applied,
    )
    patch = store.read(lambda c: versions.between(c, tenants[1].id, 0, 1))
    say(f"   staged   {json.dumps(patch)}")
    answer = tenants[1].call("file_write", path="note.txt", content="x")
    say(f"   {tenants[1].name}  file_write: {answer['status']} ({answer['tier']})")


def _outage(hub: Process, store: Store, tenants: list[Tenant], say: Say) -> None:
    hub.kill()
    for number, tenant in enumerate(tenants, start=1):
        tenant.use(number * 1000)
    answer = tenants[2].call("file_list", path=".")
    say(f"   without it, {tenants[2].name}'s agent lists files: {answer['status']}")
    hub.start()

    def sums() -> list[int]:
        return [
            store.read(lambda c, t=each: total(c, t.id, 0, 1e11)).input_tokens  # type: ignore[misc] # mypy does not infer the default's type
            for each in tenants
        ]

    _wait("the usage", lambda: sums() == [1000, 2000, 3000])
    say(f"   it is back; usage metered meanwhile: {sums()} tokens, each once")


def _statuses(store: Store) -> set[str]:
    rows = store.read(lambda c: list(c.execute(listing())))
    return {str(row.status) for row in rows}


def _wait(what: str, check: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the check gives
    until = time.monotonic() + PATIENCE
    while not (found := check()):
        if time.monotonic() > until:
            raise DemoFailed(f"{what} did not come within {PATIENCE:g} s")
        time.sleep(0.1)
    return found
