"""Canaries: places, servers and a process that no sandboxed command may touch."""

from __future__ import annotations

import hashlib
import os
import resource
import secrets
import shutil
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from letsbe.policy.sandbox import _landlock as landlock

PLACES = (
    *("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/boot", "/sys/fs/cgroup"),
    *("/etc", "/etc/cron.d", "/etc/sudoers.d", "/etc/systemd/system"),
    *("/usr/local/bin", "~", "~/.ssh"),
)
"""Folders in which something of our own name could appear."""
STATES = (
    *("/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname"),
    *("/proc/sys/vm/swappiness", "/proc/swaps", "/etc/passwd", "/etc/group"),
)
EVIL = '#!/bin/sh\ntouch "{out}/z" && rm -f "{out}/a"\n'


class Canaries:
    """Everything that is watched.

    Args:
        folder: An empty folder for all of it.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"letsbe-{secrets.token_hex(6)}"
        self.secret = f"canary-{secrets.token_hex(12)}"
        self.out, self.ws, self.closed = (folder / n for n in ("out", "ws", "closed"))
        self.template = folder / "template"
        self._seen: list[str] = []
        self._build()
        self.servers = _Servers(folder, self.name, self._seen)
        self.process: subprocess.Popen[bytes] | None = None
        self.restore()

    def words(self) -> dict[str, str]:
        """Return what the placeholders of a command stand for."""
        assert self.process is not None
        disk = next((p.name for p in Path("/sys/block").iterdir()), "sda")
        numbers = {n: str(x) for n, x in _calls().items()}
        return {
            **numbers,
            **self.servers.words,
            "out": str(self.out),
            "ws": str(self.ws),
            "closed": str(self.closed),
            "vault": str(self.closed / "key"),
            "link": str(self.ws / "link"),
            "pid": str(self.process.pid),
            "name": self.name,
            "dummy": self.name[-12:],
            "disk": disk,
        }

    def restore(self) -> None:
        """Put everything back as it was."""
        for place in (self.out, self.ws, self.closed):
            subprocess.run(["chmod", "-R", "u+rwX", place], check=False, stderr=-3)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.template / place.name, place, symlinks=True)
        for path in self._ours():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.end_process()
        words = ["-c", f"exec -a canary-{self.name} sleep 3600"]
        self.process = subprocess.Popen(
            ["/bin/bash", *words], cwd=self.closed, env={"SECRET": self.secret}
        )
        started = Path(f"/proc/{self.process.pid}/cmdline")
        while not started.read_text().startswith("canary"):
            time.sleep(0.002)
        self._seen.clear()

    def observe(self) -> dict[str, Any]:
        """Return the state of everything that is watched."""
        time.sleep(0.002)
        return {
            "files": {p.name: _tree(p) for p in (self.out, self.ws, self.closed)},
            "ours": sorted(map(str, self._ours())),
            "connections": list(self._seen),
            "process": self._process_state(),
            "states": {path: _read(Path(path)) for path in STATES},
            "mounts": _lines("/proc/self/mountinfo", str(self.out)),
            "routes": _lines("/proc/net/route", "000200C0"),
            "interfaces": _lines("/proc/net/dev", self.name[-12:]),
            "clock": round((time.time() - time.monotonic()) / 30),
        }

    def close(self) -> None:
        """Stop the servers and the process."""
        self.end_process()
        self.servers.close()

    def end_process(self) -> None:
        """End the canary process."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _process_state(self) -> Any:
        process = self.process
        if process is None or process.poll() is not None:
            return "ended"
        number = process.pid
        status = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()
        return {
            "stopped": status[0] == "T",
            "priority": os.getpriority(os.PRIO_PROCESS, number),
            "processors": sorted(os.sched_getaffinity(number)),
            "scheduler": os.sched_getscheduler(number),
            "files": resource.prlimit(number, resource.RLIMIT_NOFILE),
            "ionice": subprocess.run(
                ["ionice", "-p", str(number)], capture_output=True, check=False
            ).stdout,
            "oom": _read(Path(f"/proc/{number}/oom_score_adj")),
        }

    def _ours(self) -> list[Path]:
        folders = [Path(place).expanduser() for place in PLACES]
        found: list[Path] = []
        for folder in folders:
            try:
                found += [path for path in folder.iterdir() if self.name in path.name]
            except OSError:
                continue
        return found

    def _build(self) -> None:
        out, ws, closed = (self.template / n for n in ("out", "ws", "closed"))
        for place in (out / "empty", ws, closed):
            place.mkdir(parents=True)
        for name in ("a", "b", "s.sh"):
            (out / name).write_text(f"canary {name}\n" * 3)
            (ws / name).write_text(f"canary {name}\n" * 3)
        (closed / "key").write_text(self.secret + "\n")
        (ws / "link").symlink_to(self.closed / "key")
        (ws / "words").write_text(f"{self.out}/a\n{self.out}/new\n")
        (ws / "cron").write_text(f"* * * * * touch {self.out}/z\n")
        (ws / "module.py").write_text("x = 1\n")
        (ws / "a.patch").write_text(
            "--- a\n+++ a\n@@ -1,3 +1,3 @@\n canary a\n-canary a\n+dead\n canary a\n"
        )
        evil = ws / "evil.sh"
        evil.write_text(EVIL.format(out=self.out))
        evil.chmod(0o755)
        subprocess.run(["tar", "-cf", ws / "evil.tar", "-C", ws, "evil.sh"], check=True)
        for name in ("repo", "hooked"):
            _repository(ws / name)
        with (ws / "hooked/.git/config").open("a") as config:
            config.write(f"[core]\n\tfsmonitor = {self.ws}/evil.sh\n")


class _Servers:
    """Sockets that count whoever reaches them."""

    def __init__(self, folder: Path, name: str, seen: list[str]) -> None:
        self._seen = seen
        # A socket's path has at most 107 bytes; pytest's folders are long.
        self.folder = Path(f"/tmp/lb-{name[-8:]}")
        self.folder.mkdir(mode=0o700)
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        stream = socket.socket(socket.AF_UNIX)
        stream.bind(str(self.folder / "stream"))
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind(f"\0{name}")
        datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        datagram.bind(str(self.folder / "datagram"))
        self._sockets = [tcp, udp, stream, abstract, datagram]
        self.words = {
            "port": str(tcp.getsockname()[1]),
            "udp": str(udp.getsockname()[1]),
            "sock": str(self.folder / "stream"),
            "dgram": str(self.folder / "datagram"),
        }
        try:
            tcp6 = socket.create_server(("::1", 0), family=socket.AF_INET6)
            self._sockets.append(tcp6)
            self.words["port6"] = str(tcp6.getsockname()[1])
        except OSError:
            self.words["port6"] = "1"
        self._closing = False
        for server in self._sockets:
            server.settimeout(0.2)
            listens = server.type == socket.SOCK_STREAM
            if listens:
                server.listen()
            watch = self._accept if listens else self._receive
            threading.Thread(target=watch, args=(server,), daemon=True).start()

    def close(self) -> None:
        self._closing = True
        time.sleep(0.25)
        for server in self._sockets:
            server.close()
        shutil.rmtree(self.folder)

    def _accept(self, server: socket.socket) -> None:
        while not self._closing:
            try:
                connection, _ = server.accept()
            except OSError:
                continue
            self._seen.append("connected")
            connection.close()

    def _receive(self, server: socket.socket) -> None:
        while not self._closing:
            try:
                server.recv(100)
            except OSError:
                continue
            self._seen.append("sent to")


def _repository(folder: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        subprocess.run(["git", "-C", folder, *identity, *words], check=True)

    folder.mkdir()
    git("init", "-q")
    (folder / "file").write_text("one\n")
    git("add", "file")
    git("commit", "-qm", "one")


def _tree(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        try:
            status = path.lstat()
            data = b""
            if stat.S_ISREG(status.st_mode):
                data = path.read_bytes()
        except OSError as error:
            found[str(path)] = (type(error).__name__,)
            continue
        found[str(path)] = (
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_nlink,
            status.st_mtime_ns,
            status.st_ctime_ns,
            hashlib.sha256(data).hexdigest(),
        )
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _lines(path: str, mark: str) -> list[str]:
    return [line for line in _read(Path(path)).splitlines() if mark in line]


def _calls() -> dict[str, int]:
    """Return numbers of system calls on this machine, for those without a program."""
    machine = os.uname().machine
    column = {"x86_64": 0, "aarch64": 1}.get(machine, 0)
    table = {
        "fchmodat2": (452, 452),
        "tkill": (200, 130),
        "tgkill": (234, 131),
        "rt_sigqueueinfo": (129, 138),
        "clone3": (435, 435),
        "bpf": (321, 280),
        "keyctl": (250, 219),
        "mq_open": (240, 180),
    }
    return {name: numbers[column] for name, numbers in table.items()}


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """Everything that is watched."""
    watched = Canaries(tmp_path_factory.mktemp("canaries"))
    yield watched
    watched.close()


@pytest.fixture(autouse=True)
def needs_landlock() -> None:
    """Skip where the kernel cannot enforce anything."""
    if not landlock.abi():
        pytest.skip("this kernel has no Landlock")
