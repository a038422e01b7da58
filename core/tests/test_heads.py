"""What every server does with a head that has no end."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from letsbe.heads import HEAD_LIMIT

PROGRAM = """
from letsbe.listening import bind, run

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"well"})

def announce(address):
    print(address, flush=True)

run(app, bind("127.0.0.1", 0), announce, lifespan="off")
"""


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = urlsplit(server.stdout.readline().strip())
        assert url.hostname is not None
        assert url.port is not None
        yield url.hostname, url.port
        server.terminate()


def asked(address: tuple[str, int], header: str) -> int:
    with contextlib.closing(http.client.HTTPConnection(*address, timeout=30)) as client:
        client.request("GET", "/", headers={"X-Long": header})
        return client.getresponse().status


def test_a_head_without_end_is_broken_off(address: tuple[str, int]) -> None:
    came = b""
    with (
        socket.create_connection(address, timeout=30) as connection,
        # It may be closed while we are still sending.
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        for _ in range(64):
            connection.sendall(b"a" * 65_536)
        while piece := connection.recv(65_536):
            came += piece
    assert b" 200 " not in came
    assert asked(address, "short") == 200


def test_a_long_head_that_ends_is_read(address: tuple[str, int]) -> None:
    assert asked(address, "a" * (HEAD_LIMIT - 4096)) == 200
