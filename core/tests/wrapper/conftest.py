"""A wrapper over a real home, with an executor and a redaction layer of our own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import Field

from letsbe.cli.init import make_home
from letsbe.configuration import load_configuration
from letsbe.discovery.records import Kind, PluginRecord, Status
from letsbe.errors import PathRefused
from letsbe.home import Home
from letsbe.plugin import (
    Action,
    Arguments,
    Execution,
    Finding,
    Health,
    RegisteredSecrets,
    Result,
    Tier,
    ToolCall,
    Verdict,
    hookimpl,
)
from letsbe.plugin._facade import Plugins
from letsbe.plugin._loading import Loaded, new_manager
from letsbe.plugin._objects import Checked
from letsbe.storage.audit import AuditLog
from letsbe.storage.database import Database
from letsbe.storage.keys import load_key
from letsbe.vault.vault import Vault
from letsbe.wrapper.answers import Answer
from letsbe.wrapper.opening import Wrapper, assemble
from letsbe.wrapper.requests import RequestContext, ToolRequest
from letsbe.wrapper.secrets import SecretDesk, recorder

CANARY = "canary-5f1e7c0b9a"
SESSION = "session-1"


class DeedArguments(Arguments):
    """What a test asks the executor to be and do."""

    tier: str = "GREEN"
    external: bool = False
    refused: bool = False
    text: str = ""
    seconds: float = 0.0
    count: int = 1
    hosts: tuple[str, ...] | None = ()
    secret_refs: tuple[str, ...] = ()
    env_refs: dict[str, str] = Field(default_factory=dict)


@dataclass
class DeedExecutor:
    """Does what its arguments say, and remembers what it did."""

    done: list[str] = field(default_factory=list)
    plan: dict[str, Any] = field(default_factory=lambda: {"argv": ["deed"]})
    failure: BaseException | None = None
    running: int = 0
    most_running: int = 0

    @property
    def actions(self) -> Sequence[Action]:
        return (
            Action("deed", "Do a deed.", DeedArguments, tier=Tier.GREEN),
            Action("helping", "Do another's deed.", DeedArguments, needs=("deed",)),
            Action("undeclared", "Do a deed of no declared tier.", DeedArguments),
        )

    def classify(self, call: ToolCall) -> Verdict:
        arguments = call.arguments
        assert isinstance(arguments, DeedArguments)
        if arguments.text == "outside":
            raise PathRefused("the path is outside the allowed roots")
        return Verdict(
            Tier[arguments.tier],
            "deed.rule",
            "does a deed",
            external=arguments.external,
            refused=arguments.refused,
            hosts=arguments.hosts,
            plan=self.plan,
        )

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        arguments = call.arguments
        assert isinstance(arguments, DeedArguments)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await anyio.sleep(arguments.seconds)
        finally:
            self.running -= 1
        if self.failure is not None:
            raise self.failure
        filled = run.fill(arguments.text)
        self.done.append(filled)
        return Result({"said": filled, "environment": dict(run.environment)})

    async def check(self) -> Health:
        return Health(True)


@dataclass
class PlainLayer:
    """Finds registered values as they are."""

    secrets: RegisteredSecrets
    name: str = "plain"
    order: int = 10
    failing: bool = False

    def find(self, text: bytes) -> Iterator[Finding]:
        if self.failing:
            raise RuntimeError(CANARY)
        for secret in self.secrets.current():
            value = secret.reveal().encode()
            start = text.find(value)
            while start >= 0:
                yield Finding(start, start + len(value), "registered", secret.name)
                start = text.find(value, start + 1)


@dataclass
class Bench:
    """A wrapper, and what a test wants to reach beside it."""

    wrapper: Wrapper
    executor: DeedExecutor
    layer: PlainLayer
    home: Home
    database: Database

    canary: str = CANARY

    async def call(
        self,
        tool: str = "deed",
        *,
        agent: str = "main",
        call_id: str | None = None,
        **arguments: Any,
    ) -> Answer:
        asked = request(tool, call_id=call_id, **arguments)
        return await self.wrapper.dispatcher.call(asked, agent)

    def provide(self, name: str = "token", value: str = CANARY, **scopes: Any) -> None:
        self.wrapper.secrets.vault.provide(name, value, **scopes)

    def everything_stored(self) -> bytes:
        return b"".join(p.read_bytes() for p in self.home.folder.glob("letsbe.db*"))

    def audit_kinds(self) -> list[tuple[str, str | None]]:
        return [(row.kind, row.decision) for row in self.wrapper.audit.query()]


def request(
    tool: str = "deed", *, call_id: str | None = None, **arguments: Any
) -> ToolRequest:
    return ToolRequest(
        session_id=SESSION,
        tool_name=tool,
        tool_args=arguments,
        context=RequestContext(tool_call_id=call_id),
    )


class HooksOf:
    """A plugin whose event hooks are the given functions."""

    def __init__(self, hooks: Mapping[str, Callable[..., Any]]) -> None:
        for name, function in hooks.items():
            setattr(self, name, hookimpl(function))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    made = Home(tmp_path / "home")
    make_home(made, (workspace,), ("main", "marketing"))
    return made


MakeBench = Callable[..., contextlib.AbstractContextManager[Bench]]


@pytest.fixture
def make_bench(home: Home) -> MakeBench:
    @contextlib.contextmanager
    def make(
        hooks: Mapping[str, Callable[..., Any]] | None = None,
        **wrapper_settings: Any,
    ) -> Iterator[Bench]:
        configuration = load_configuration(home)
        settings = configuration.wrapper.model_copy(update=wrapper_settings)
        configuration = configuration.model_copy(update={"wrapper": settings})
        with contextlib.closing(Database(home.database)) as database:
            audit = AuditLog(database, load_key(home.audit_key))
            key = load_key(home.vault_key)
            vault = Vault(database, key, recorder=recorder(audit))
            executor, layer = DeedExecutor(), PlainLayer(vault)
            plugins = _plugins(executor, layer, hooks or {})
            desk = SecretDesk(database, vault, audit)
            wrapper = assemble(home, configuration, database, desk, audit, plugins)
            yield Bench(wrapper, executor, layer, home, database)

    return make


@pytest.fixture
def bench(make_bench: MakeBench) -> Iterator[Bench]:
    with make_bench() as made:
        yield made


def _plugins(
    executor: DeedExecutor, layer: PlainLayer, hooks: Mapping[str, Callable[..., Any]]
) -> Plugins:
    def record(kind: Kind, name: str) -> PluginRecord:
        return PluginRecord(kind, name, f"test-{name}", "1", None, Status.ACTIVE)

    plugin, manager = HooksOf(hooks), new_manager()
    manager.register(plugin, name="deed")
    deed = Checked(executor, tuple(executor.actions), frozenset())
    plain = Checked(layer, (), frozenset())
    return Plugins(
        [
            Loaded(
                record(Kind.EXECUTOR, "deed"),
                required=True,
                plugin=plugin,
                hooks=manager,
                objects=(deed,),
            ),
            Loaded(record(Kind.REDACTOR, "plain"), required=True, objects=(plain,)),
        ],
        hook_timeout=1.0,
    )
