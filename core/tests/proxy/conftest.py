"""A proxy and a scripted provider, both real servers on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from letsbe.cli.init import make_home
from letsbe.configuration import ProxySettings
from letsbe.heads import BoundedProtocol
from letsbe.home import Home
from letsbe.proxy.metering import Bucket, Meter, buckets
from letsbe.proxy.opening import assemble
from letsbe.proxy.pool import Pool
from letsbe.proxy.sharing import open_usage, open_vault
from letsbe.proxy.upstreams import Upstreams
from letsbe.proxy.watching import WatchedVault
from letsbe.redaction.finding import Finding, RedactionLayer
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.database import Database
from letsbe.vault.secret import RegisteredSecrets
from letsbe.vault.vault import Vault

KEY = "provider-key-9QmX4vTz"
CANARY = "canary-Zk3v9QpL7wXr2TbN"
JSON = [(b"content-type", b"application/json")]
EVENTS = [(b"content-type", b"text/event-stream")]


class Registered:
    """Finds registered values as they are."""

    name = "registry"
    order = 10

    def __init__(self, secrets: RegisteredSecrets) -> None:
        self._secrets = secrets

    def find(self, text: bytes) -> Iterator[Finding]:
        for secret in self._secrets.current():
            value = secret.reveal().encode()
            start = text.find(value)
            while start >= 0:
                yield Finding(start, start + len(value), "registered", secret.name)
                start = text.find(value, start + 1)

    def names(self) -> frozenset[str]:
        return frozenset(secret.name for secret in self._secrets.current())


@dataclass
class Received:
    """One request as the provider saw it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    client: tuple[str, int]

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    @property
    def everything(self) -> bytes:
        head = f"{self.method} {self.target} {self.headers}".encode()
        return head + self.body


Answer = Callable[["Reply"], Awaitable[None]]


@dataclass
class Reply:
    """What a script answers with."""

    receive: Any
    send: Any

    async def start(
        self, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        await self.send(
            {"type": "http.response.start", "status": status, "headers": list(headers)}
        )

    async def body(self, chunk: bytes, *, more: bool = False) -> None:
        await self.send(
            {"type": "http.response.body", "body": chunk, "more_body": more}
        )

    async def whole(
        self,
        body: bytes,
        status: int = 200,
        headers: Iterable[tuple[bytes, bytes]] = JSON,
    ) -> None:
        length = (b"content-length", str(len(body)).encode())
        await self.start(status, [*headers, length])
        await self.body(body)

    async def gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


@dataclass
class Provider:
    """A scripted provider."""

    address: str
    received: list[Received] = field(default_factory=list)
    script: Answer | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + ("?" + query if query else "")
        headers = [(k.decode(), v.decode("latin-1")) for k, v in scope["headers"]]
        client = tuple(scope["client"])
        self.received.append(Received(scope["method"], target, headers, body, client))
        reply = Reply(receive, send)
        if self.script is None:
            await reply.whole(b'{"ok": true}')
        else:
            await self.script(reply)

    @property
    def last(self) -> Received:
        return self.received[-1]


@dataclass
class Running:
    """A running proxy."""

    home: Home
    vault: Vault
    watched: WatchedVault
    database: Database
    address: str
    meter: Meter

    def client(self, **settings: Any) -> httpx.Client:
        return httpx.Client(
            base_url=self.address, trust_env=False, timeout=20, **settings
        )

    def post(self, path: str, **content: Any) -> httpx.Response:
        with self.client() as client:
            return client.post(path, **content)

    def buckets(self, requests: int = 1) -> list[Bucket]:
        """Wait until so many requests are in the database."""
        found: list[Bucket] = []
        for _ in range(200):
            found = buckets(self.database)
            if sum(bucket.usage.requests for bucket in found) >= requests:
                break
            time.sleep(0.01)
        return found


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application until the block ends."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_config=None,
        # As the product runs it, whatever else is installed.
        loop="asyncio",
        http=BoundedProtocol,
        ws="none",
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider("")
    with serving(_plain(made)) as address:
        made.address = address
        yield made


def _plain(provider: Provider) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await provider(scope, receive, send)

    return app


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    make_home(made, (), ("main",))
    return made


Start = Callable[..., Running]


@pytest.fixture
def start(home: Home, provider: Provider) -> Iterator[Start]:
    """Start a proxy with one upstream, ``/up``, that is the provider."""
    with contextlib.ExitStack() as closing:

        def run(
            *,
            upstream: dict[str, Any] | None = None,
            upstreams: dict[str, Any] | None = None,
            layers: Iterable[RedactionLayer] = (),
            **settings: Any,
        ) -> Running:
            kept = closing.enter_context(Database(home.database))
            database = closing.enter_context(open_usage(home))
            vault = open_vault(home, kept)
            vault.provide("up_key", KEY)
            vault.provide("canary", CANARY)
            single = {"base_url": provider.address, "secret": "up_key"}
            chosen = ProxySettings.model_validate(
                {
                    "upstreams": upstreams or {"up": {**single, **(upstream or {})}},
                    **settings,
                }
            )
            watched = closing.enter_context(contextlib.closing(WatchedVault(home)))
            pipeline = Pipeline([Registered(watched), *layers])
            watched.start(lambda: None)
            meter = Meter(database, home.usage)
            app = assemble(
                chosen,
                Upstreams(chosen.upstreams),
                watched,
                pipeline,
                meter,
                Pool(database),
            )
            address = closing.enter_context(serving(app))
            return Running(home, vault, watched, database, address, meter)

        yield run


@pytest.fixture
def proxy(start: Start) -> Running:
    return start()


@pytest.fixture
def raw() -> Iterator[Callable[[bytes], str]]:
    """Start a provider that answers each connection with given bytes, then resets."""
    with contextlib.ExitStack() as closing:

        def run(answer: bytes, *, reset: bool = False, silent: float = 0.0) -> str:
            listener = closing.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                while True:
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    with connection:
                        connection.recv(1 << 20)
                        connection.sendall(answer)
                        time.sleep(silent)
                        if reset:
                            linger = b"\1\0\0\0\0\0\0\0"
                            connection.setsockopt(
                                socket.SOL_SOCKET, socket.SO_LINGER, linger
                            )

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            closing.callback(thread.join, 5)
            # Closing alone would leave a thread in accept().
            closing.callback(_wake, listener)
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield run


def _wake(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
