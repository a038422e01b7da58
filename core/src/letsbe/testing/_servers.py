"""A tool's stand-in: a server on loopback that checks what it is sent."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from letsbe.testing._vendor_documents import SentRequest, VendorDocument

_START_SECONDS = 10.0


class FakeTool:
    """A running stand-in; :func:`serve_fake` makes one.

    Args:
        app: What answers, an ASGI application.
        documents: The vendor's documents; a request must fit one of them.
        undocumented: Path prefixes that no document describes, such as WebDAV's.
    """

    def __init__(
        self,
        app: ASGIApp,
        documents: Sequence[VendorDocument] = (),
        undocumented: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._documents = tuple(documents)
        self._undocumented = tuple(undocumented)
        self.url = ""
        """Where it answers, without a slash at the end."""
        self.requests: list[SentRequest] = []
        """Everything it was sent."""
        self.faults: list[str] = []
        """What the vendor's documents do not allow in it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request down, check it, and let the application answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self._take(_request(scope, body))
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> dict[str, object]:
            return next(given, {"type": "http.disconnect"})

        await self._app(scope, replay, send)

    def _take(self, request: SentRequest) -> None:
        self.requests.append(request)
        if not self._documents or request.path.startswith(self._undocumented):
            return
        knowing = [d for d in self._documents if d.knows(request)]
        checked = [document.faults(request) for document in knowing or self._documents]
        fewest: list[str] = min(checked, key=len)
        self.faults += fewest


@contextlib.contextmanager
def serve_fake(
    app: ASGIApp,
    documents: Sequence[VendorDocument] = (),
    undocumented: Sequence[str] = (),
) -> Iterator[FakeTool]:
    """Run an application on a free loopback port for the length of a block.

    Args:
        app: An ASGI application that answers as the vendor's server would.
        documents: The vendor's OpenAPI or Swagger documents.
        undocumented: Path prefixes that no document describes.

    Yields:
        The server, with its ``url``, the ``requests`` it got and their ``faults``.

    Raises:
        TimeoutError: It did not start.
    """
    fake = FakeTool(app, documents, undocumented)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = uvicorn.Config(fake, log_config=None, lifespan="off")
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        end = time.monotonic() + _START_SECONDS
        while not server.started:
            if time.monotonic() > end:
                message = "the fake server did not start"
                raise TimeoutError(message)
            time.sleep(0.005)
        try:
            yield fake
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS)


def _request(scope: Scope, body: bytes) -> SentRequest:
    raw_query = scope["query_string"].decode("latin-1")
    return SentRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii"),
        query=tuple(parse_qsl(raw_query, keep_blank_values=True)),
        headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
        body=body,
    )
