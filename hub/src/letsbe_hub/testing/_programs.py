"""Finding server programs, and starting them so that they end with the tests."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_SECONDS = 10.0


class ProgramMissing(Exception):
    """A server's program is not installed; the text says what to install."""


def find(name: str, folders: Iterable[Path], package: str) -> Path:
    """Find a program on PATH or in the folders where Debian keeps it.

    Raises:
        ProgramMissing: It is in none of them.
    """
    found = shutil.which(name)
    if found:
        return Path(found).resolve()
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    message = f"there is no {name} here; on Debian: apt install {package}"
    raise ProgramMissing(message)


def unprivileged() -> pwd.struct_passwd | None:
    """Return the user to start a server as, where this process is root's."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill_family(pid: int) -> None:
    """End a process and its children at once, as a power cut would: by SIGKILL."""
    children = [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if _parent(stat) == pid
    ]
    for each in (pid, *children):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _parent(stat: Path) -> int:
    try:
        # The name before it may hold anything, a bracket too: proc(5).
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0  # it has ended meanwhile


@contextmanager
def running(
    argv: Sequence[str], folder: Path, user: pwd.struct_passwd | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the length of a block; its log goes to ``folder/log``."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdout=log,
            stderr=log,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
