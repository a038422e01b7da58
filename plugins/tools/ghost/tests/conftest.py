"""A real Ghost, installed once from npm, and the adapter that speaks to it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import Json, ToolSite
from letsbe.testing import ToolCaller, cached_install, make_site
from letsbe.testing import node_environment as node
from letsbe_tool_ghost import letsbe_tool_adapters

VERSION = "6.65.0"
PNPM = "pnpm@12.4.2"
OWNER = {"username": "owner@example.com", "password": "correct-horse-battery-staple"}


@dataclass(frozen=True)
class GhostSite:
    """A running Ghost with its keys."""

    url: str
    admin_key: str
    content_key: str


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def install(folder: Path) -> None:
    """Install Ghost as its own package says; the native module is compiled."""
    env = node(22)

    def run(*command: str, cwd: Path = folder) -> None:
        subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True)

    run("npm", "pack", f"ghost@{VERSION}")
    run("tar", "xzf", f"ghost-{VERSION}.tgz")
    package = folder / "package"
    pnpm = ("npx", "--yes", PNPM)
    run(*pnpm, "install", "--prod", "--frozen-lockfile", cwd=package)
    build = ("npx", "--yes", "node-gyp", "rebuild", "--release")
    headers = f"--nodedir={env['npm_config_nodedir']}"
    run(*build, headers, cwd=package / "node_modules" / "better-sqlite3")


def configuration(folder: Path, port: int) -> dict[str, Any]:
    content = folder / "content"
    return {
        "url": f"http://127.0.0.1:{port}",
        "server": {"host": "127.0.0.1", "port": port},
        "database": {
            "client": "sqlite3",
            "connection": {"filename": str(content / "data" / "ghost.db")},
            "useNullAsDefault": True,
        },
        "mail": {"transport": "Direct", "from": "a@example.test"},
        "paths": {"contentPath": str(content)},
        "privacy": {
            "useUpdateCheck": False,
            "useGravatar": False,
            "useRpcPing": False,
            "useStructuredData": False,
        },
        "logging": {"transports": ["stdout"], "level": "info"},
        "security": {"staffDeviceVerification": False},
        "process": "local",
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_ghost(folder: Path) -> Iterator[GhostSite]:
    """Run a new Ghost in a folder until the block ends."""
    package = cached_install(f"ghost-{VERSION}", install) / "package"
    kinds = "data images logs themes settings public files media adapters"
    for kind in kinds.split():
        (folder / "content" / kind).mkdir(parents=True)
    themes = folder / "content" / "themes"
    shutil.copytree(package / "content" / "themes", themes, dirs_exist_ok=True)
    (folder / "current").symlink_to(package)  # Ghost reads its version through it
    port = free_port()
    settings = json.dumps(configuration(folder, port))
    (folder / "config.production.json").write_text(settings)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["node", "current/index.js"],
            cwd=folder,
            env={**node(22), "NODE_ENV": "production"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process, folder / "log")
        yield GhostSite(url, *set_up(url))
    finally:
        process.kill()  # it may take long to end by itself, and keeps nothing
        process.wait(timeout=30)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            request(url, "GET", "site/")
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(log.read_text()[-2000:])


def set_up(url: str) -> tuple[str, str]:
    """Make the owner and an integration; return its Admin and Content keys."""
    owner = {
        "name": "Owner",
        "email": OWNER["username"],
        "password": OWNER["password"],
        "blogTitle": "Test",
    }
    request(url, "POST", "authentication/setup/", {"setup": [owner]})
    _, cookie = request(url, "POST", "session/", OWNER)
    made, _ = request(
        url,
        "POST",
        "integrations/?include=api_keys",
        {"integrations": [{"name": "letsbe"}]},
        cookie,
    )
    keys = {key["type"]: key["secret"] for key in made["integrations"][0]["api_keys"]}
    ids = {key["type"]: key["id"] for key in made["integrations"][0]["api_keys"]}
    admin = keys["admin"]
    return admin if ":" in admin else f"{ids['admin']}:{admin}", keys["content"]


def request(
    url: str, method: str, path: str, body: Json = None, cookie: str = ""
) -> tuple[Json, str]:
    """Do as the owner's browser does."""
    sent = urllib.request.Request(
        f"{url}/ghost/api/admin/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json", "origin": url, "cookie": cookie},
    )
    with urllib.request.urlopen(sent, timeout=60) as answer:
        text = answer.read()
        told = answer.headers.get("set-cookie", "").split(";")[0]
        is_json = "json" in answer.headers.get("content-type", "")
        return json.loads(text) if is_json and text else None, told


@pytest.fixture(scope="session")
def ghost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GhostSite]:
    if shutil.which("npm") is None:
        pytest.skip("npm, which installs Ghost, is not here")
    with running_ghost(tmp_path_factory.mktemp("ghost")) as site:
        yield site


def caller_of(site: GhostSite, tmp_path: Path, **changed: str) -> ToolCaller:
    """Make a caller; what is changed are secrets."""
    held = {"ghost_admin": site.admin_key, "ghost_content": site.content_key, **changed}
    tool = ToolSite(
        "ghost",
        site.url,
        {"admin_key": "ghost_admin", "content_key": "ghost_content"},
    )
    (adapter,) = letsbe_tool_adapters(make_site(tmp_path, tools=(tool,)))
    return ToolCaller(adapter, held)


@pytest.fixture
def call(ghost: GhostSite, tmp_path: Path) -> ToolCaller:
    return caller_of(ghost, tmp_path)


CallWith = Callable[..., ToolCaller]


@pytest.fixture
def call_with(ghost: GhostSite, tmp_path: Path) -> CallWith:
    """Make a caller with other secrets."""
    return lambda **secrets: caller_of(ghost, tmp_path, **secrets)
