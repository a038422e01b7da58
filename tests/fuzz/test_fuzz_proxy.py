"""Whatever bytes a client sends, the proxy answers, lives on, and lets no secret out.

Every file in ``seeds`` is one connection's bytes, named for what is odd about it; each
is played as it is, and hypothesis plays edits of them. An input that breaks a rule is
kept as another seed. ``LETSBE_FUZZ_SECONDS=600`` goes on for so long with fresh edits.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from letsbe.cli.init import make_home
from letsbe.home import Home
from letsbe.proxy.sharing import open_vault
from letsbe.storage.database import Database

SEEDS = Path(__file__).with_name("seeds")
SECONDS = float(os.environ.get("LETSBE_FUZZ_SECONDS", "0"))
EDITS_AT_ONCE = 200
PATIENCE = 0.3
CANARY = "canary-Zk3v9QpL7wXr2TbN"
SPELLED = {
    CANARY.encode(),
    CANARY.encode().hex().encode(),
    base64.b64encode(CANARY.encode())[:-4],
}
WORDS = [
    *(b'"', b"\\", b"\\u0063", b"\\ud800", b"\0", b"\xff", b"\xef\xbb\xbf", b"\r\n"),
    *(b"{", b"[[[[", b"}", b",", b"Content-Length: 5\r\n", b"\xe2\x80\x8b", b"\\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"%63"),
    CANARY.encode(),
]


@dataclass
class Provider:
    """Keeps what it was sent, and says that all is well."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        line = f"{self.command} {self.path}\n{self.headers}".encode("latin-1")
        self.provider.received.append(line + b"\n\n" + self.rfile.read(length))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"{}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    @override
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    handler = type("Handler", (_Handler,), {"provider": made})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@dataclass
class Proxy:
    """The proxy under test, a process of its own."""

    port: int
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def proxy(
    tmp_path_factory: pytest.TempPathFactory, provider: Provider
) -> Iterator[Proxy]:
    home = Home(tmp_path_factory.mktemp("fuzz") / "home")
    make_home(home, (), ())
    with Database(home.database) as database:
        open_vault(home, database).provide("canary", CANARY)
    with home.configuration.open("a") as file:
        address = f"http://127.0.0.1:{provider.port}"
        file.write(f'\n[proxy.upstreams.up]\nbase_url = "{address}"\n')
    words = ["proxy", "--home", str(home.folder), "--port", "0", "--json"]
    log = home.folder.with_suffix(".log")
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "letsbe", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Proxy(int(said["secrets_proxy"].rsplit(":", 1)[1]), process)
        process.terminate()
        process.wait(30)
        process.stdout.close()
    assert CANARY not in log.read_text(encoding="utf-8", errors="replace")


def talk(port: int, sent: bytes) -> bytes:
    """Send bytes and nothing more, and return the answer, if there is one."""
    came = b""
    with (
        contextlib.suppress(ConnectionError, TimeoutError),
        socket.create_connection(("127.0.0.1", port), timeout=10) as link,
    ):
        link.sendall(sent)
        # Where the proxy waits for more, nobody answers.
        link.settimeout(PATIENCE)
        while not is_whole(came) and (piece := link.recv(65536)):
            came += piece
    return came


def is_whole(answer: bytes) -> bool:
    """Say whether an answer has come to the end that it tells."""
    head, ended, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(ended) and length is not None and len(body) >= int(length[1])


def strings(value: Any) -> Iterator[str]:
    """Give every string of a JSON value, and of JSON inside one."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            todo += [*each, *each.values()]
        elif isinstance(each, list):
            todo += each
        elif isinstance(each, str):
            yield each
            if each[:1] in ("{", "["):
                with contextlib.suppress(ValueError, RecursionError):
                    todo.append(json.loads(each))


def shows(received: bytes) -> bool:
    """Say whether a provider could read the canary in what it was sent."""
    if any(form in received for form in SPELLED):
        return True
    body = received.partition(b"\n\n")[2]
    with contextlib.suppress(ValueError, RecursionError):
        # Whatever of the encodings of Unicode it is in.
        return any(CANARY in text for text in strings(json.loads(body)))
    return False


def check(proxy: Proxy, provider: Provider, sent: bytes) -> int | None:
    """Send bytes, see that every rule held, and return the answer's status."""
    del provider.received[:]
    came = talk(proxy.port, sent)
    assert proxy.process.poll() is None, "it died"
    for received in list(provider.received):
        assert not shows(received), received
    if not came:
        return None
    assert came.startswith(b"HTTP/1.1 "), came[:80]
    # 502 is the provider's part of it; 500 is a mistake of ours.
    status = int(came.split()[1])
    assert status < 500 or status == 502, came[:400]
    assert CANARY.encode() not in came
    return status


def seeds() -> list[Path]:
    return sorted(SEEDS.iterdir())


@pytest.mark.parametrize("seed", seeds(), ids=lambda path: path.stem)
def test_every_seed_is_answered(proxy: Proxy, provider: Provider, seed: Path) -> None:
    check(proxy, provider, seed.read_bytes())


def test_seeds_go_both_ways(proxy: Proxy, provider: Provider) -> None:
    """Neither do all fail before they are searched, nor is everything let through."""
    found = [check(proxy, provider, seed.read_bytes()) for seed in seeds()]
    assert sum(status == 200 for status in found) >= 20
    assert sum(status in range(400, 500) for status in found if status) >= 20


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """Draw a seed with a few edits: words put in, stretches gone or doubled."""
    files = [path for path in seeds() if path.stat().st_size < 20_000]
    sent = bytearray(draw(st.sampled_from(files)).read_bytes())
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(sent)))
        end = min(len(sent), place + draw(st.integers(0, 12)))
        match draw(st.sampled_from(["word", "bytes", "gone", "double", "other"])):
            case "word":
                sent[place:place] = draw(st.sampled_from(WORDS))
            case "bytes":
                sent[place:end] = draw(st.binary(max_size=6))
            case "gone":
                del sent[place:end]
            case "double":
                sent[place:place] = sent[place:end] * draw(st.integers(1, 20))
            case "other":
                other = draw(st.sampled_from(files)).read_bytes()
                sent[place:] = other[min(place, len(other)) :]
    return bytes(sent)


def keep(sent: bytes) -> None:
    """Keep what broke a rule as a seed, so that it is played from now on."""
    name = f"found-{hashlib.sha256(sent).hexdigest()[:12]}.http"
    (SEEDS / name).write_bytes(sent)


def fuzz(proxy: Proxy, provider: Provider, examples: int, *, fresh: bool) -> None:
    """Play edits of the seeds; what fails is made small, and kept."""
    failed: list[bytes] = []

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=not fresh,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(edited())
    def play(sent: bytes) -> None:
        try:
            check(proxy, provider, sent)
        except AssertionError:
            failed.append(sent)
            raise

    try:
        play()
    except AssertionError:
        keep(failed[-1])
        raise


def test_edits_of_the_seeds_break_no_rule(proxy: Proxy, provider: Provider) -> None:
    fuzz(proxy, provider, EDITS_AT_ONCE, fresh=False)


@pytest.mark.skipif(not SECONDS, reason="LETSBE_FUZZ_SECONDS says for how long")
@pytest.mark.may_skip("a long run is for whoever asks for it")
def test_fresh_edits_for_a_while(proxy: Proxy, provider: Provider) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        fuzz(proxy, provider, EDITS_AT_ONCE, fresh=True)
