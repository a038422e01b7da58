"""What a command would take, as a Docker Engine (played here) tells it."""

from __future__ import annotations

import json
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import anyio
import pytest
from typing_extensions import override

from letsbe.plugin import Preview
from letsbe.testing import make_call, make_site
from letsbe_executor_docker.executor import DOCKER, DockerExecutor

WEB = {
    "Id": "a" * 64,
    "Names": ["/web"],
    "State": "exited",
    "ImageID": "sha256:1",
    "Labels": {"com.docker.compose.service": "web"},
    "NetworkSettings": {"Networks": {"front": {}}},
}
ANSWERS: dict[str, Any] = {
    "/version": {"Version": "99"},
    "/containers/json": [WEB],
    "/containers/web/json": {
        "Id": "a" * 64,
        "Name": "/web",
        "State": {"Status": "running"},
        "Mounts": [
            {"Type": "volume", "Name": "d" * 64},
            {"Type": "volume", "Name": "named"},
        ],
    },
    "/images/json": [
        {"Id": "sha256:1", "RepoTags": ["nginx:1"], "Size": 5_000_000},
        {"Id": "sha256:2", "RepoTags": ["old:1"], "Size": 7_000_000},
        {"Id": "sha256:3", "RepoTags": ["<none>:<none>"], "Size": 1_000_000},
    ],
    "/images/old:1/json": {"Id": "sha256:2", "RepoTags": ["old:1"], "Size": 7_000_000},
    "/volumes": {"Volumes": [{"Name": "loose"}]},
    "/volumes/data": {"Name": "data"},
    "/networks": [{"Name": "front"}, {"Name": "back"}],
}


class Handler(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.asked.append(json.dumps([unquote(url.path), parse_qs(url.query)]))
        answer = ANSWERS.get(unquote(url.path))
        body = json.dumps(answer).encode()
        self.send_response(200 if answer is not None else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def address_string(self) -> str:
        return "unix"

    @override
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def host(asked: list[str]) -> Iterator[str]:
    folder = tempfile.TemporaryDirectory(prefix="letsbe-")
    path = f"{folder.name}/engine.sock"
    handler = type("Bound", (Handler,), {"asked": asked})
    with folder, socketserver.ThreadingUnixStreamServer(path, handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"unix://{path}"
        server.shutdown()
        thread.join()


Tell = Callable[[str], Preview | None]


@pytest.fixture
def tell(host: str, tmp_path: Path) -> Tell:
    executor = DockerExecutor(make_site(tmp_path, settings={"host": host}))

    def previewed(command: str) -> Preview | None:
        call = make_call(DOCKER, {"command": command})
        return executor.preview(call, executor.classify(call), lambda data: data)

    return previewed


@pytest.mark.parametrize(
    ("command", "summary", "named"),
    [
        ("rm -f web", "takes 1 container", "web (aaaaaaaaaaaa, running)"),
        ("rm -fv web gone", "takes 1 container, 1 volume", "d" * 64),
        ("container prune", "takes 1 container", "web (aaaaaaaaaaaa, exited)"),
        ("rmi old:1", "takes 1 image", "old:1 (2, 7.0 MB)"),
        ("image prune", "takes 1 image", "<none>:<none> (3, 1.0 MB)"),
        ("image prune -a", "takes 2 images", "old:1 (2, 7.0 MB)"),
        ("volume rm data gone", "takes 1 volume", "data"),
        ("volume prune", "takes 1 volume", "loose"),
        ("network prune", "takes 1 network", "back"),
        (
            "system prune -a --volumes",
            "takes 1 container, 1 network, 2 images, 1 volume",
            "loose",
        ),
        ("compose -p shop down -v", "takes 1 container, 1 volume", "web (aaa"),
        ("compose -p shop rm other", "takes nothing that is there now", ""),
    ],
)
def test_what_would_go_is_listed(
    tell: Tell, command: str, summary: str, named: str
) -> None:
    told = tell(command)
    assert told
    assert told.summary == summary
    assert named in json.dumps(told.detail)


def test_only_what_takes_something_has_a_preview(tell: Tell, asked: list[str]) -> None:
    assert tell("ps") is None
    assert tell("run alpine") is None
    assert asked == []


def test_a_filter_is_said_not_to_be_counted(tell: Tell) -> None:
    told = tell("container prune --filter until=1h")
    assert told
    assert told.left_out == ("the --filter, which may leave some of it out",)


def test_the_project_is_asked_for_by_its_label(tell: Tell, asked: list[str]) -> None:
    tell("compose -p shop down")
    assert any("com.docker.compose.project=shop" in line for line in asked)


def test_names_stay_names(tell: Tell, asked: list[str]) -> None:
    tell("rm ../images/json?x=1")
    assert json.loads(asked[-1]) == ["/containers/../images/json?x=1/json", {}]


def test_a_silent_engine_is_said(tmp_path: Path) -> None:
    for host in (f"unix://{tmp_path}/none.sock", "tcp://127.0.0.1:1"):
        executor = DockerExecutor(make_site(tmp_path, settings={"host": host}))
        call = make_call(DOCKER, {"command": "rm web"})
        told = executor.preview(call, executor.classify(call), bytes)
        assert told
        assert told.left_out == ("the Docker Engine does not answer",)
        assert not anyio.run(executor.check).healthy
