"""A real NocoDB, installed once from npm."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from letsbe.testing import cached_install
from letsbe.testing import node_environment as node

VERSION = "0.301.3"
OWNER = {"email": "owner@example.com", "password": "Correct-Horse-77"}
PACKAGE = {
    "private": True,
    "dependencies": {"nocodb": VERSION},
    # The newer one is not in the registry.
    "overrides": {"xlsx": "0.18.5"},
}
RUN = """
const app = require('express')(), {Noco} = require('nocodb')
app.enable('trust proxy')
const server = require('http').createServer(app)
const port = Number(process.env.PORT)
server.listen(port, '127.0.0.1', async () => app.use(await Noco.init({}, server, app)))
"""


@dataclass(frozen=True)
class NocodbServer:
    """A running NocoDB, with a token and a base of its own."""

    url: str
    token: str
    base_id: str


def install(folder: Path) -> None:
    """Install NocoDB; the native module is compiled."""
    env = node(22)

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)

    (folder / "package.json").write_text(json.dumps(PACKAGE))
    run("npm", "install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
    headers = f"--nodedir={env['npm_config_nodedir']}"
    run("npm", "rebuild", "sqlite3", "--build-from-source", headers)
    (folder / "run.js").write_text(RUN)


@contextmanager
def running_nocodb(folder: Path) -> Iterator[NocodbServer]:
    """Run a new NocoDB, whose data lies in a folder, until the block ends."""
    package = cached_install(f"nocodb-{VERSION}", install)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    env = {
        **node(22),
        "PORT": str(port),
        "NC_ADMIN_EMAIL": OWNER["email"],
        "NC_ADMIN_PASSWORD": OWNER["password"],
        "NC_AUTH_JWT_SECRET": "only-for-tests",
        "NC_DISABLE_TELE": "true",
        "NC_TOOL_DIR": str(folder),
        "NODE_PATH": str(package / "node_modules"),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["node", str(package / "run.js")],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process, folder / "log")
        yield set_up(url)
    finally:
        process.kill()  # it may take long to end by itself, and keeps nothing
        process.wait(timeout=30)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            request(url, "GET", "/api/v1/health")
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(log.read_text()[-2000:])


def set_up(url: str) -> NocodbServer:
    """Sign in as the owner, make a token and a base."""
    end = time.monotonic() + 60
    while True:
        try:
            signed = request(url, "POST", "/api/v1/auth/user/signin", OWNER)
            break
        except urllib.error.HTTPError:  # it answers before its owner is made
            assert time.monotonic() < end
            time.sleep(0.3)
    session = {"xc-auth": signed["token"]}
    made = request(url, "POST", "/api/v1/tokens", {"description": "letsbe"}, session)
    base = request(url, "POST", "/api/v2/meta/bases", {"title": "Shop"}, session)
    return NocodbServer(url, made["token"], base["id"])


def request(
    url: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Do as the owner's browser does."""
    sent = urllib.request.Request(
        f"{url}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json", **(headers or {})},
    )
    with urllib.request.urlopen(sent, timeout=60) as answer:
        told: dict[str, Any] = json.loads(answer.read() or b"{}")
        return told
