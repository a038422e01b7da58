"""A server whose answers may be broken in ways that no framework lets through."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from letsbe.plugin import Json


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived.

    Args:
        method: The method.
        path: The path as it was sent, still encoded.
        query: The values of each parameter.
        headers: The headers; their names in lower case.
        content: The body.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Json:
        """Return the body, read as JSON; ``None`` if there is none."""
        return json.loads(self.content) if self.content else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer.

    Args:
        status: The status.
        body: JSON; or bytes, which are sent as they are.
        headers: Headers beside the content's length and type.
        cut: Bytes of the body that are announced and never sent.
    """

    status: int = 200
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of callers that go away."""


class WireServer:
    """A server that plays a tool.

    Args:
        answer: Gives the answer to each request; called in several threads.
    """

    def __init__(self, answer: Callable[[Received], Reply]) -> None:
        self._answer = answer
        self.received: list[Received] = []
        """Every request so far, in order."""
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        """Where it answers."""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("content-length", 0))
                received = Received(
                    self.command,
                    parts.path,
                    parse_qs(parts.query, keep_blank_values=True),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                outer.received.append(received)
                self.reply(outer._answer(received))

            def reply(self, reply: Reply) -> None:
                body: Any = reply.body
                headers = {"content-type": "application/json", **reply.headers}
                if body is None:
                    body = b""
                elif not isinstance(body, bytes):
                    body = json.dumps(body).encode()
                self.send_response(reply.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body) + reply.cut))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                self.close_connection = bool(reply.cut)

            @override
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):  # whatever the method
                    return self.answer
                raise AttributeError(name)

        return Handler

    @contextmanager
    def running(self) -> Iterator[WireServer]:
        """Serve until the block ends."""
        thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
