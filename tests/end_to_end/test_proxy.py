"""The real proxy, started by the command, with every installed redactor."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

KEY = "sk-real-9QmX4vTzW2pLc7"
CANARY = "canary-Zk3v9QpL7wXr2TbN"
GITHUB = "ghp_" + "x7Kq2mVb9RtYwP4nLsD8" + "cFgH1jZaE3uT6o"


@dataclass
class Provider:
    """A provider that remembers what it was sent, and answers with its usage."""

    port: int
    received: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider(0)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            made.received.append(self.rfile.read(int(self.headers["content-length"])))
            made.keys.append(self.headers["authorization"])
            usage = {
                "prompt_tokens": 1000,
                "completion_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 900},
            }
            answer = {"model": "test-1", "choices": [], "usage": usage}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def configured(tenant: Any, provider: Provider) -> Any:
    """A home whose proxy forwards to the provider."""
    path = tenant.home / "letsbe.toml"
    text = path.read_text().replace("\n[proxy]\n", "\n[proxy]\nport = 0\n")
    base_url = f"http://127.0.0.1:{provider.port}"
    upstream = f'[proxy.upstreams.test]\nbase_url = "{base_url}"\nsecret = "test_key"\n'
    path.write_text(f"{text}\n{upstream}")
    tenant.provide("test_key", KEY)
    tenant.provide("canary", CANARY)
    return tenant


@dataclass
class Proxy:
    """A running proxy."""

    process: subprocess.Popen[str]
    address: str

    def ask(self, *texts: str, **headers: str) -> httpx.Response:
        messages = [{"role": "user", "content": text} for text in texts]
        return httpx.post(
            f"{self.address}/test/v1/chat/completions",
            json={"model": "test", "messages": messages},
            headers={"authorization": "Bearer dummy", **headers},
            trust_env=False,
            timeout=20,
        )


@pytest.fixture
def proxy(configured: Any) -> Iterator[Proxy]:
    with running(configured) as started:
        yield started


@contextlib.contextmanager
def running(tenant: Any) -> Iterator[Proxy]:
    log = tenant.home.with_suffix(".proxy.log")
    with log.open("a") as errors:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "letsbe", "proxy", "--json"),
                *("--home", str(tenant.home)),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Proxy(process, json.loads(line)["secrets_proxy"])
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def usage(tenant: Any) -> Any:
    return json.loads(tenant.letsbe("usage", "--json").stdout)


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_provider_never_sees_a_secret(
    configured: Any, provider: Provider, proxy: Proxy
) -> None:
    answer = proxy.ask(
        f"the prompt has {CANARY}",
        f"a file has\nexport GITHUB_TOKEN={GITHUB}\n",
        json.dumps({"tool": "env_read", "output": {"db_password": "hunter2-Xk81!"}}),
        f"and a command has {CANARY.encode().hex()}",
    )
    assert answer.status_code == 200
    (seen,) = provider.received
    for secret in (CANARY, GITHUB, "hunter2-Xk81!", CANARY.encode().hex(), KEY):
        assert secret.encode() not in seen
    messages = json.loads(seen)["messages"]
    assert messages[0]["content"] == "the prompt has SECRET_REF(canary)"
    assert provider.keys == [f"Bearer {KEY}"]
    log = configured.home.with_suffix(".proxy.log").read_text()
    assert CANARY not in log
    assert KEY not in log


def test_a_new_secret_is_known_at_once(
    configured: Any, provider: Provider, proxy: Proxy
) -> None:
    configured.provide("later", "later-Uw5nR8sKqP1c")
    time.sleep(0.1)
    proxy.ask("now later-Uw5nR8sKqP1c")
    assert b"SECRET_REF(later)" in provider.received[-1]


def test_it_goes_on_without_its_vault(
    configured: Any, provider: Provider, proxy: Proxy
) -> None:
    for path in configured.home.glob("letsbe.db*"):
        path.rename(path.with_name("gone-" + path.name))
    time.sleep(0.3)
    assert proxy.ask(f"it is {CANARY}").status_code == 200
    assert b"SECRET_REF(canary)" in provider.received[-1]
    checks = httpx.get(f"{proxy.address}/readyz", trust_env=False).json()["checks"]
    assert "letsbe.db" in checks["vault"]


@pytest.mark.parametrize("lost", ["vault.key", "letsbe.db", "plugins.json"])
def test_it_does_not_start_without_what_it_needs(configured: Any, lost: str) -> None:
    path = configured.home / lost
    if lost == "plugins.json":
        path.write_text(json.dumps({"plugins": {}}))
    else:
        path.unlink()
        path.write_text("nothing")
        path.chmod(0o600)
    ended = configured.letsbe("proxy", "--json", check=1)
    assert json.loads(ended.stdout)["error"]["message"]


def test_usage_is_shown_with_its_hit_rate(configured: Any, proxy: Proxy) -> None:
    proxy.ask("one", **{"x-letsbe-agent": "sales"})
    proxy.ask("two", **{"x-letsbe-agent": "sales"})
    eventually(lambda: usage(configured)["total"]["requests"] == 2)
    (bucket,) = usage(configured)["buckets"]
    assert (bucket["agent_id"], bucket["model"]) == ("sales", "test-1")
    assert (bucket["input_tokens"], bucket["cache_hit_rate"]) == (2000, 0.9)
    assert not bucket["estimated"]
    shown = configured.letsbe("usage", "--agent", "sales", "--hours", "1").stdout
    assert "90%" in shown
    assert usage(configured)["buckets"] == [bucket]


def test_a_killed_proxy_loses_no_usage(configured: Any) -> None:
    for _ in range(3):
        with running(configured) as proxy:
            for _ in range(7):
                proxy.ask("hello")
            proxy.process.send_signal(signal.SIGKILL)
            proxy.process.wait(timeout=10)
    with running(configured):
        assert usage(configured)["total"]["requests"] == 21


def test_up_runs_the_proxy_too_and_keeps_it_running(
    configured: Any, start: Any, provider: Provider
) -> None:
    with start(configured) as server:
        proxy = Proxy(server.process, server.facts["secrets_proxy"])
        proxy.ask(f"it is {CANARY}")
        assert b"SECRET_REF(canary)" in provider.received[-1]
        child = child_of(server.process.pid)
        os.kill(child, signal.SIGKILL)
        eventually(lambda: child_of(server.process.pid) not in (0, child))
        child = child_of(server.process.pid)
        server.kill()
        eventually(lambda: not alive(child))


def child_of(pid: int) -> int:
    """Return a child of any of a process's threads, or 0."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, file.read_text().split()):
                if alive(child):
                    return child
    return 0


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")
