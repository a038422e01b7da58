"""A NATS server of one's own, on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from letsbe_hub.testing._programs import find, free_port, running, unprivileged

START_SECONDS = 20.0


@contextmanager
def nats_server() -> Iterator[str]:
    """Run a server for the length of a block; gives its URL.

    Raises:
        ProgramMissing: NATS is not installed.
    """
    program = find("nats-server", [Path("/usr/sbin")], "nats-server")
    folder = Path(tempfile.mkdtemp(prefix="letsbe-nats-"))
    user = unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    port = free_port()
    argv = [str(program), "-a", "127.0.0.1", "-p", str(port)]
    try:
        with running(argv, folder, user):
            _wait(port)
            yield f"nats://127.0.0.1:{port}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
