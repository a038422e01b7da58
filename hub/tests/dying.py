"""A Hub in a process of its own that is killed, by SIGKILL, at a place of its work.

The place is one of a write's transaction: in the middle of its statements, before its
commit, or after it, when nobody has been told yet. What is killed is the process that
works, or the database's server under it.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx
import sqlalchemy as sa
from typing_extensions import override

from hub.tests.billing.conftest import Paying
from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi
from letsbe.hub_client.usage import UsageOutbox
from letsbe.listening import bind, run
from letsbe.plugin import BillingUnits, PaymentEvent, PaymentEventKind
from letsbe.plugin._facade import Plugins
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.database import Database
from letsbe.storage.home_schema import USAGE
from letsbe_hub.api.app import make_app
from letsbe_hub.billing.closing import sweep
from letsbe_hub.billing.rates import BillingSettings
from letsbe_hub.bus import LocalBus
from letsbe_hub.opening import Hub, assemble
from letsbe_hub.server import running
from letsbe_hub.settings import Settings
from letsbe_hub.storage.store import Store
from letsbe_hub.testing import kill_family

Place = Literal["half", "before", "after"]
SETTINGS = Settings(billing=BillingSettings(backend="paying", at_limit="overage"))

_context = multiprocessing.get_context("forkserver")
_ROOT = Path(__file__).parents[2]


def prepare() -> None:
    """Start what processes are forked from, with everything imported already."""
    _context.set_forkserver_preload([__name__])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), before)))
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


@dataclass(frozen=True)
class Dying:
    """Where it ends.

    Args:
        at: The place of the write.
        write: The text of a statement that tells the write.
        server: The first process of the database's server, if that is to be killed
            and not the one that works.
    """

    at: Place
    write: str
    server: int | None = None

    def arm(self, store: Store) -> None:
        """Kill at that place of the first such write: the next commit is its own."""
        writer: list[int] = []
        killed = threading.Event()
        commit = store.engine.dialect.do_commit

        def at(place: Place) -> None:
            mine = writer[:1] == [threading.get_ident()]
            if mine and place == self.at and not killed.is_set():
                killed.set()
                kill_family(os.getpid() if self.server is None else self.server)

        def executing(_: Any, __: Any, statement: str, *___: Any) -> None:
            if self.write in statement:
                writer.append(threading.get_ident())
                at("half")

        def committing(connection: Any) -> None:
            at("before")
            commit(connection)
            at("after")

        sa.event.listen(store.engine, "before_cursor_execute", executing)
        store.engine.dialect.do_commit = committing  # type: ignore[assignment,method-assign] # that is the aim


class Paper(Paying):
    """A billing service whose book is a file, and whose webhooks say what they mean."""

    def __init__(self, book: Path, *, dies: bool = False) -> None:
        super().__init__()
        self._book, self._dies = book, dies

    @override
    async def record(self, units: BillingUnits) -> None:
        book = read_book(self._book) | {units.key: units.quantity}
        self._book.write_text(json.dumps(book))
        if self._dies:
            os.kill(os.getpid(), signal.SIGKILL)

    @override
    async def read_webhook(
        self, body: bytes, headers: Mapping[str, str]
    ) -> Sequence[PaymentEvent]:
        return [
            PaymentEvent(**{**each, "kind": PaymentEventKind(each["kind"])})
            for each in json.loads(body)
        ]


def read_book(book: Path) -> dict[str, int]:
    """Return what a service has recorded, by key."""
    return dict(json.loads(book.read_text())) if book.exists() else {}


@contextmanager
def _opened(url: str, backend: Paper, dying: Dying | None) -> Iterator[Hub]:
    store, plugins = Store(url), Plugins((), hook_timeout=2.0)
    plugins.billing_backends = (backend,)
    hub = assemble(SETTINGS, plugins, store, LocalBus(), bytes(32))
    if store.is_sqlite:
        hub.remembered.forget_cut_off()
    if dying is not None:
        dying.arm(store)
    yield hub
    hub.close()
    store.close()


def _serve(url: str, book: Path, dying: Dying | None, told: Connection) -> None:
    with _opened(url, Paper(book), dying) as hub, bind("127.0.0.1", 0) as listener:
        app = make_app(hub, lambda: running(hub, chores=False))
        run(app, listener, told.send, ws="none")


def _close(
    url: str, book: Path, dying: Dying | None, now: float, *, paper_dies: bool
) -> None:
    """Charge, close and deliver what is due at a moment."""

    async def deliver(hub: Hub) -> None:
        ahead = now
        while await hub.courier.deliver(now=ahead):
            ahead += 1_000  # past pauses and leases

    with _opened(url, Paper(book, dies=paper_dies), dying) as hub:
        sweep(hub.store, hub.rates, now=now)
        anyio.run(deliver, hub)


def _push(home: Path, url: str, key: str, *, dies: bool) -> None:
    """Send a server's usage, or die between the Hub's answer and the note of it."""
    if dies:
        HubState.change = lambda *_: kill_family(os.getpid())  # type: ignore[assignment,method-assign] # that is the aim

    async def send() -> None:
        api = HubApi(url, lambda: key, Pipeline(()))
        await UsageOutbox(database, HubState(database), api).send(time.time())
        await api.close()

    with contextlib.closing(Database(home, schema=USAGE)) as database:
        anyio.run(send)


def in_a_process(target: Callable[..., None], *arguments: Any, **more: Any) -> int:
    """Run a function in a process of its own; return how that ended."""
    process = _context.Process(target=target, args=arguments, kwargs=more)
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def push_usage(home: Path, url: str, key: str, *, dies: bool = False) -> int:
    """Send a server's usage from a process of its own; return how it ended."""
    return in_a_process(_push, home, url, key, dies=dies)


@dataclass(frozen=True)
class Mortal:
    """A Hub's database and book, over the lives of its processes.

    Args:
        url: The database.
        book: The billing service's.
    """

    url: str
    book: Path

    @contextmanager
    def serving(self, dying: Dying | None = None) -> Iterator[httpx.Client]:
        """Serve for the length of a block, or until it dies."""
        ours, theirs = _context.Pipe()
        arguments = (self.url, self.book, dying, theirs)
        process = _context.Process(target=_serve, args=arguments)
        process.start()
        theirs.close()
        try:
            assert ours.poll(60), "the Hub did not start"
            with httpx.Client(base_url=ours.recv(), timeout=30) as http:
                yield http
        finally:
            process.kill()
            process.join()
            process.close()
            ours.close()

    def close_periods(
        self, now: float, dying: Dying | None = None, *, paper_dies: bool = False
    ) -> int:
        """Charge, close and deliver in a process; return how it ended."""
        arguments = (self.url, self.book, dying, now)
        return in_a_process(_close, *arguments, paper_dies=paper_dies)


def eventually(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send until the Hub can answer."""
    until = time.monotonic() + 20
    while True:
        answer = send()
        if answer.status_code < 500 or time.monotonic() > until:
            return answer
        time.sleep(0.1)
