"""An adapter at a tool that plays what a test says: what the contract works with."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from letsbe.errors import InvalidRequest, LetsBeError
from letsbe.plugin import Action, Json, Tier, ToolAdapter, ToolSite
from letsbe.plugin._adapters.local_files import FileUse, file_fields
from letsbe.testing._actions import CANARY
from letsbe.testing._calls import make_call, make_site
from letsbe.testing._execution import FakeExecution
from letsbe.testing._wire import Received, Reply, WireServer

if TYPE_CHECKING:
    from letsbe.testing._tool_contract import ToolAdapterContract

_NAMES = re.compile(r"SECRET_REF\((\w+)\)")


class Bench:
    """An adapter, and a tool that plays what a test says."""

    def __init__(self, contract: ToolAdapterContract, folder: Path) -> None:
        self.contract = contract
        self.folder = folder
        self.replies: list[Reply] = []
        self.echo = False
        self.delay = 0.0
        self.server = WireServer(self._answer)
        self.bound = self._bind(self.server.url)
        self.actions = tuple(self.bound.operations)

    def _bind(self, url: str | None) -> ToolAdapter:
        contract = self.contract
        names = {c.name: f"secret_{c.name}" for c in contract.adapter.credentials}
        tool = ToolSite(contract.adapter.name, url, names, contract.settings)
        (bound,) = contract.adapter.for_site(make_site(self.folder, tools=(tool,)))
        return bound

    def elsewhere(self, url: str | None) -> Bench:
        """Return a bench whose tool is at another address."""
        bench = Bench.__new__(Bench)
        bench.__dict__.update(self.__dict__)
        bench.bound = self._bind(url)
        return bench

    def _answer(self, request: Received) -> Reply:
        if self.delay:
            time.sleep(self.delay)
        if self.echo:
            return Reply(200, {"you": f"{request.headers} {request.query}"})
        if self.replies:
            return self.replies[0]
        return self.contract.answer(request)

    @property
    def secrets(self) -> dict[str, str]:
        """The values of all secrets that a call may fill in."""
        given = self.contract.credentials
        held = {
            f"secret_{c.name}": given.get(c.name, f"{CANARY}-{c.name}")
            for c in self.contract.adapter.credentials
        }
        shown = (str(e.arguments) for a in self.actions for e in a.examples)
        named = {n: f"value-of-{n}" for text in shown for n in _NAMES.findall(text)}
        return {**named, **held, "given": "value-of-given", "canary": CANARY}

    def sent_credentials(self) -> set[str]:
        """Return every value that proved who asks, as it was sent."""
        proofs = ("authorization", "api", "token", "key", "cookie")
        sent = {
            part
            for request in self.server.received
            for name, value in request.headers.items()
            if any(proof in name for proof in proofs)
            for part in value.split(" ")
            if len(part) >= 12
        }
        return sent | {v for n, v in self.secrets.items() if n.startswith("secret_")}

    def reading(self) -> list[Action]:
        """Return the operations that read, of those with examples."""
        return [
            a
            for a in self.actions
            if a.tier is Tier.GREEN and a.examples and not a.name.endswith(".request")
        ]

    def classified(self, action: Action) -> None:
        """Classify an example."""
        self.bound.classify(make_call(action, action.examples[0].arguments))

    def raw_tier(self, method: str, path: str) -> Tier:
        """Return the tier of a raw request."""
        (raw,) = (a for a in self.actions if a.name.endswith(".request"))
        call = make_call(raw, {"method": method, "path": path})
        return max(raw.tier, self.bound.classify(call).tier)

    def requests(self, action: Action, arguments: Mapping[str, Any]) -> list[Received]:
        """Call an operation, whatever comes of it, and return what it sent."""
        before = len(self.server.received)
        with suppress(LetsBeError):
            self._run(action, arguments)
        return self.server.received[before:]

    def told(self, action: Action, arguments: Mapping[str, Any]) -> str:
        """Call an operation and return all that anyone is told, redacted as it is."""
        run = FakeExecution(secrets=self.secrets)
        try:
            output = self._run(action, arguments)
        except LetsBeError as error:
            return f"{error!r} {error.message} {error.alternative}"
        return run.redact(str(output).encode()).decode()

    def error(
        self, action: Action, arguments: Mapping[str, Any], deadline: float = 30.0
    ) -> LetsBeError | None:
        """Call an operation and return its error."""
        try:
            self._run(action, arguments, deadline)
        except LetsBeError as error:
            return error
        return None

    def failures(
        self, *, reads: bool = False, most: int = 1000
    ) -> Iterator[tuple[Action, LetsBeError]]:
        """Call the operations' examples, each of which must fail."""
        for action in (self.reading() if reads else self.actions)[:most]:
            if action.idempotent and not reads and self.replies[0].status == 503:
                continue  # it would be sent again, which takes its time
            error = self.error(action, action.examples[0].arguments)
            assert error is not None, f"{action.name} took it for a good answer"
            if not isinstance(error, InvalidRequest):
                yield action, error

    def sending(self) -> Iterator[tuple[Action, Mapping[str, Any], str]]:
        """Give the examples that send a file of the server, and its argument's name."""
        for action in self.actions:
            for example in action.examples:
                for name in _sent(action, example.arguments):
                    yield action, example.arguments, name

    def _leave_files(self, action: Action, arguments: Mapping[str, Any]) -> None:
        """Put the files there that examples send, if that is what is sent."""
        for example in action.examples:
            for name in _sent(action, example.arguments):
                file = self.folder / example.arguments[name]
                if arguments.get(name) == example.arguments[name]:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(b"as an example")

    def _run(
        self, action: Action, arguments: Mapping[str, Any], deadline: float = 30.0
    ) -> Json:
        self._leave_files(action, arguments)
        call = make_call(action, arguments)
        verdict = self.bound.classify(call)
        run = FakeExecution(secrets=self.secrets, deadline=deadline)

        async def invoke() -> Json:
            return (await self.bound.invoke(call, verdict, run)).output

        return anyio.run(invoke)


def _sent(action: Action, arguments: Mapping[str, Any]) -> list[str]:
    """Return which of some arguments are paths of files whose content is sent."""
    fields = file_fields(action.arguments).items()
    return [n for n, use in fields if use is FileUse.SEND and arguments.get(n)]
