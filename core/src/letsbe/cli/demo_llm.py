"""The demonstration's LLM call, and the provider it goes to."""

from __future__ import annotations

import contextlib
import json
import secrets
import string
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

from letsbe.errors import ConfigurationError
from letsbe.home import Home

PROVIDER_KEY = "provider_key"
DUMMY_KEY = "dummy-key-of-the-agent"
MODEL = "demo-model"
_SECTION = "[proxy]\n"
_REPLY = "The key is set, and the database answers."
_USAGE = {
    "prompt_tokens": 120,
    "completion_tokens": 9,
    "total_tokens": 129,
    "prompt_tokens_details": {"cached_tokens": 64},
}


@dataclass
class Provider:
    """An LLM provider on this machine that keeps all it is sent.

    Args:
        address: Where it is called.
        received: Each request's headers and body, as they came.
    """

    address: str
    received: list[tuple[Mapping[str, str], bytes]] = field(
        default_factory=list, repr=False
    )

    def saw(self, value: str) -> bool:
        """Tell whether a value is anywhere in what it was sent."""
        return any(
            value.encode() in body or any(value in text for text in headers.values())
            for headers, body in self.received
        )


@contextlib.contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            provider.received.append((dict(self.headers), body))
            answer = json.dumps(_answer()).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the demonstration tells what happens."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


def configure(home: Home, provider: Provider) -> None:
    """Let a home's Secrets Proxy forward to a provider, on a free port.

    Args:
        home: A home with the configuration that ``letsbe init`` writes.
        provider: Where to.

    Raises:
        ConfigurationError: The configuration is another one.
    """
    text = home.configuration.read_text(encoding="utf-8")
    if _SECTION not in text:
        raise ConfigurationError("the demonstration's configuration has no [proxy]")
    text = text.replace(_SECTION, f"{_SECTION}port = 0\n", 1)
    text += (
        f"\n[proxy.upstreams.openai]\nbase_url = {json.dumps(provider.address)}\n"
        f"secret = {json.dumps(PROVIDER_KEY)}\n"
    )
    home.configuration.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Planted:
    """A request with secrets in three places.

    Args:
        token: In the prompt: a token that no vault knows.
        key: In a file: a registered secret.
        password: In a tool's result: a password in an address.
    """

    token: str = field(repr=False)
    key: str = field(repr=False)
    password: str = field(repr=False)

    @classmethod
    def with_key(cls, key: str) -> Planted:
        """Make up the others."""
        return cls(f"ghp_{_random(36)}", key, _random(14))

    @property
    def values(self) -> tuple[str, str, str]:
        """All three."""
        return self.token, self.key, self.password

    def request(self) -> dict[str, Any]:
        """Return what the agent's runtime sends to its model."""
        url = f"postgres://shop:{self.password}@db.internal/shop"
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "database_status", "arguments": "{}"},
        }
        return {
            "model": MODEL,
            "messages": [
                {"role": "user", "content": f"Deploy with {self.token}, please."},
                {"role": "user", "content": f"File shop/.env:\nAPI_KEY={self.key}\n"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {
                    "role": "tool",
                    "tool_call_id": "call_1",
                    "content": f"connected to {url} in 4 ms",
                },
            ],
        }


def _random(length: int) -> str:
    """Draw letters and digits, with both among them."""
    alphabet = string.ascii_letters + string.digits
    drawn = "".join(secrets.choice(alphabet) for _ in range(length - 3))
    return f"k7{drawn}Q"


def _answer() -> dict[str, Any]:
    message = {"role": "assistant", "content": _REPLY}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [choice],
        "usage": _USAGE,
    }
