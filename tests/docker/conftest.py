"""A Docker Engine of our own, with one small image, for as long as the tests run.

It keeps everything in a temporary folder and leaves the machine's network alone. It
needs root, or sudo that asks nothing, and some Debian packages (``.ci/run`` has them).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO

import pytest

IMAGE = "test/busybox:1"
_NEEDED = ("dockerd", "docker", "docker-compose", "busybox")


@dataclass
class Daemon:
    """A running Docker Engine."""

    folder: Path

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def docker(self, *words: str, check: bool = True) -> str:
        """Run docker behind the product's back."""
        ended = subprocess.run(
            ["docker", *words],
            env={**os.environ, "DOCKER_HOST": self.host},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check:
            assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def clear(self) -> None:
        """Remove every container and volume."""
        if names := self.docker("ps", "-aq").split():
            self.docker("rm", "-fv", *names)
        if names := self.docker("volume", "ls", "-q").split():
            self.docker("volume", "rm", "-f", *names)


def _missing() -> str | None:
    missing = [program for program in _NEEDED if not _found(program)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if _as_root("true").wait():
        return "a Docker Engine needs root, or sudo that asks nothing"
    return None


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _as_root(*words: str | Path, log: int | IO[bytes] = DEVNULL) -> Popen[bytes]:
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return Popen([*sudo, *words], stdin=DEVNULL, stdout=log, stderr=log)


@pytest.fixture(scope="session")
def engine() -> Iterator[Daemon]:
    if reason := _missing():
        pytest.skip(reason)
    # A socket's path may hold 107 characters, so not below pytest's own folder.
    folder = Path(tempfile.mkdtemp(prefix="letsbe-docker-"))
    options = [
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        f"--host=unix://{folder}/docker.sock",
        f"--group={os.getegid()}",
        "--ip-forward=false",
        "--iptables=false",
        "--bridge=none",
    ]
    with (folder / "log").open("wb") as log:
        process = _as_root(_found("dockerd") or "dockerd", *options, log=log)
    daemon = Daemon(folder)
    try:
        _wait(daemon, process)
        _import_image(daemon)
        yield daemon
    finally:
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            daemon.clear()
        _end(folder, process)
        _as_root("rm", "-rf", folder).wait()


@pytest.fixture
def daemon(engine: Daemon) -> Iterator[Daemon]:
    """The Docker Engine, empty but for the image."""
    yield engine
    engine.clear()


def _end(folder: Path, process: Popen[bytes]) -> None:
    for number in ("-TERM", "-KILL"):
        if (folder / "pid").exists():
            _as_root("kill", number, (folder / "pid").read_text().strip()).wait()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
            return


def _wait(daemon: Daemon, process: Popen[bytes]) -> None:
    end = time.monotonic() + 60
    question = ("version", "-f", "{{.Server.Version}}")
    while not daemon.docker(*question, check=False).strip():
        log = (daemon.folder / "log").read_text(errors="replace")[-2000:]
        assert process.poll() is None, f"dockerd ended: {log}"
        assert time.monotonic() < end, f"dockerd does not answer: {log}"
        time.sleep(0.2)


def _import_image(daemon: Daemon) -> None:
    root = daemon.folder / "image"
    (root / "bin").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "tmp").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    busybox = _found("busybox")
    assert busybox
    shutil.copy(busybox, root / "bin/busybox")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout  # noqa: PLW1510 - an empty list fails below
    for name in set(listed.split()) - {"busybox"}:
        (root / "bin" / name).symlink_to("busybox")
    assert (root / "bin/sh").is_symlink()
    archive = daemon.folder / "image.tar"
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
    daemon.docker("import", "-c", "ENV PATH=/bin", str(archive), IMAGE)
