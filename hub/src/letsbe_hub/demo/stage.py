"""Where the demonstration happens: everything started, and all of it ended."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
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
from letsbe_hub.accounts import people
from letsbe_hub.accounts.passwords import hash_now
from letsbe_hub.demo.processes import DemoFailed, Process, Tenant
from letsbe_hub.home import HubHome
from letsbe_hub.home import make_home as make_hub_home
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.tenants.registration import issue_token
from letsbe_hub.tenants.registry import NewTenant, create

NAMES = ("bakery", "dentist", "garage")
OWNER = "owner@demo.example"
PATIENCE = 90.0
_SETTINGS = "[tenants]\nheartbeat_seconds = 1.0\nusage_seconds = 1.0\n"

Say = Callable[[str], None]


@dataclass
class Stage:
    """The Hub, the tenants' servers, their owner, and what was checked.

    Args:
        folder: Where all of it lies.
        hub: The Hub.
        store: Its database, which operators' commands write to as well.
        tenants: The tenants.
        say: Prints a line.
    """

    folder: Path
    hub: Process
    store: Store
    tenants: list[Tenant]
    say: Say
    broken: list[str] = field(default_factory=list)
    _token: str = ""

    @property
    def url(self) -> str:
        """The Hub's address."""
        return str(self.hub.facts["hub"])

    def scene(self, number: int, title: str) -> None:
        """Begin a scene."""
        self.say(f"\n{number}. {title}")

    def tell(self, who: str, what: str) -> None:
        """Say who did what."""
        self.say(f"   {who:<9} {what}")

    def fact(self, what: str, *, held: bool, wanted: bool = True) -> None:
        """Say whether something is so; what is not as it should be is remembered."""
        self.tell("checked", f"{what}: {'yes' if held else 'no'}")
        if held is not wanted:
            self.broken.append(what)

    def sign_in(self, password: str) -> None:
        """Sign the owner in."""
        known = {"kind": "customer", "email": OWNER, "password": password}
        self._token = self._ask("POST", "public/sign-in", json=known)["token"]

    def owner(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - any JSON
        """Ask the Hub as the owner does."""
        headers = {"authorization": f"Bearer {self._token}"}
        return self._ask(method, f"customer/{path}", headers=headers, **more)

    def _ask(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - any JSON
        answer = httpx.request(
            method, f"{self.url}/api/v1/{path}", timeout=60, **more
        ).json()
        if not answer["success"]:
            raise DemoFailed(f"the Hub says: {answer['error']['message']}")
        return answer["data"]


@contextlib.contextmanager
def staged(folder: Path, say: Say) -> Iterator[Stage]:
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
        hub.argv = [*argv[:-1], str(hub.facts["hub"]).rsplit(":", 1)[1]]
        store = Store(sqlite_url(home.database))
        closing.callback(store.close)
        stage = Stage(folder, hub, store, [], say)
        say(f"The Hub runs at {stage.url}; everything lies in {folder}")
        for name in NAMES:
            stage.tenants.append(_tenant(stage, name))
            closing.callback(stage.tenants[-1].process.kill)
            stage.tenants[-1].process.start()
            stage.tell(name, "registered by a one-time token; its server runs")
        _employ(stage)
        yield stage


def _tenant(stage: Stage, name: str) -> Tenant:
    folder, store = stage.folder, stage.store
    home, root = Home(folder / name / "home"), folder / name / "work"
    root.mkdir(parents=True)
    make_home(home, (root,), ("main",))
    order = f"demo-{secrets.token_hex(4)}"
    new = NewTenant(name, order, "lite", "sandbox")
    tenant_id = store.write(lambda c: create(c, new, "cli"))
    token, _ = store.write(lambda c: issue_token(c, tenant_id, 10, "cli"))
    with contextlib.closing(Database(home.database)) as database:
        state, nothing = HubState(database), Pipeline(())
        asyncio.run(
            register(home, state, nothing, url=stage.url, order=order, token=token)
        )
    argv = ["letsbe", "up", "--home", str(home.folder), "--json", "--port", "0"]
    return Tenant(name, tenant_id, home, root, Process(argv, folder / f"{name}.log"))


def _employ(stage: Stage) -> None:
    """Make the owner of all three, and sign them in."""
    password = secrets.token_urlsafe(16)
    ids = tuple(tenant.id for tenant in stage.tenants)
    new = people.NewPerson(OWNER, "Olga Owner", "owner", hash_now(password), ids)
    stage.store.write(lambda c: people.create(c, new, "cli"))
    stage.sign_in(password)
    stage.tell("owner", "signed in at the Hub with a password")


def wait_for(what: str, check: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the check gives
    """Wait until something is there, and return it.

    Raises:
        DemoFailed: It did not come.
    """
    until = time.monotonic() + PATIENCE
    while not (found := check()):
        if time.monotonic() > until:
            raise DemoFailed(f"{what} did not come within {PATIENCE:g} s")
        time.sleep(0.3)  # the owner's requests have a rate limit
    return found
