"""An LLM on loopback that says what a test tells it to say, by three APIs.

Each conversation carries a mark that the test puts into the user's message; requests
with that mark get the test's replies, one after another, and are kept. Whatever else
the runtime asks in the background gets an empty phrase.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from typing_extensions import override

from tests.openclaw import llm_wire

IDLE = "HEARTBEAT_OK"


@dataclass(frozen=True)
class ToolUse:
    """One tool call that the LLM makes."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What the LLM answers to one request.

    Args:
        text: What it says, streamed word by word.
        calls: The tools it calls.
        usage: Tokens in, out, and read from the cache.
        pause: Seconds between two pieces of the text.
        status: Another status than 200 answers with an error.
    """

    text: str = ""
    calls: tuple[ToolUse, ...] = ()
    usage: tuple[int, int, int] = (1000, 20, 0)
    pause: float = 0.0
    status: int = 200


@dataclass(frozen=True)
class LlmRequest:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def tools(self) -> list[str]:
        """Return the names of the tools offered, whichever API it is."""
        tools = self.json.get("tools", [])
        return [tool.get("function", tool)["name"] for tool in tools]

    @property
    def results(self) -> list[str]:
        """Return the texts of the tool results, oldest first."""
        return llm_wire.tool_results(self.json)


Next = Reply | Callable[[LlmRequest], Reply]


@dataclass
class Script:
    """The replies of one conversation, and the requests that came.

    Args:
        mark: What the user's message must hold.
    """

    mark: str
    _replies: deque[Next]
    requests: list[LlmRequest] = field(default_factory=list)

    def add(self, *replies: Next) -> None:
        """Append replies."""
        self._replies.extend(replies)

    def next(self, request: LlmRequest) -> Reply:
        self.requests.append(request)
        if not self._replies:
            return Reply("The script is over.")
        reply = self._replies.popleft()
        return reply if isinstance(reply, Reply) else reply(request)

    def wait_for(self, count: int, seconds: float) -> LlmRequest:
        """Wait until that many requests have come, and return the last of them."""
        until = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < until, f"{len(self.requests)} requests came"
            time.sleep(0.02)
        return self.requests[count - 1]


class ScriptedLlm:
    """The server; use it as a context manager."""

    def __init__(self, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._scripts: dict[str, Script] = {}
        self._numbers = itertools.count(1)
        self.others: list[LlmRequest] = []
        """Requests of no script."""

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def script(self, *replies: Next) -> Iterator[Script]:
        """Answer one conversation with these replies while the block runs."""
        mark = f"[script {next(self._numbers):04d}]"
        made = self._scripts[mark] = Script(mark, deque(replies))
        try:
            yield made
        finally:
            del self._scripts[mark]

    def answer(self, request: LlmRequest) -> Reply:
        # What a person says comes first; what one agent tells another stands behind.
        found = {mark: request.text.find(mark) for mark in list(self._scripts)}
        marks = [mark for mark, place in found.items() if place >= 0]
        if marks:
            return self._scripts[min(marks, key=found.__getitem__)].next(request)
        self.others.append(request)
        return Reply(IDLE)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        llm = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Each piece is sent at once, and none waits for the one before to arrive.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self._send(200, "application/json", [b'{"data": []}'], 0)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                headers = {k.lower(): v for k, v in self.headers.items()}
                body = self.rfile.read(length)
                request = LlmRequest(self.path, headers, body, time.time())
                reply = llm.answer(request)
                kind, pieces = llm_wire.wire(request.path, request.json, reply)
                self._send(reply.status, kind, pieces, reply.pause)

            def _send(
                self, status: int, kind: str, pieces: list[bytes], pause: float
            ) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                # A client that goes away in the middle is what some tests want.
                with contextlib.suppress(ConnectionError):
                    for number, piece in enumerate(pieces):
                        time.sleep(pause if number else 0)
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.write(b"0\r\n\r\n")

            @override
            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
