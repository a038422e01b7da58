"""A PostgreSQL server of one's own, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from letsbe_hub.testing._programs import find, kill_family, running, unprivileged

START_SECONDS = 60.0


class Postgresql:
    """A running server.

    Args:
        folder: Where its socket, data and log are.
        durable: Whether it flushes to the disk as a real one does.
    """

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self._user = unprivileged()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, database: str, template: str = "template1") -> str:
        """Make a database, a copy of another one; return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            name = psycopg.sql.Identifier(database)
            like = psycopg.sql.Identifier(template)
            connection.execute(
                psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, like)
            )
        return self.url(database)

    def drop(self, database: str) -> None:
        """Take a database away, whoever still uses it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            name = psycopg.sql.Identifier(database)
            connection.execute(
                psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
            )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for the length of a block; afterwards it can be run again."""
        argv = [str(_program("postgres")), "-D", str(self.folder / "data")]
        options = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "",
            "max_connections": "120",
            "shared_buffers": "64MB",
        }
        if not self._durable:
            options.update(fsync="off", full_page_writes="off")
            options["synchronous_commit"] = "off"
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        with running(argv, self.folder, self._user) as process:
            self._process = process
            self._wait()
            yield

    def kill(self) -> None:
        """End it at once, as a power cut would, with every connection it has."""
        kill_family(self.pid)
        self.ended()

    @property
    def pid(self) -> int:
        """The number of its first process."""
        assert self._process is not None
        return self._process.pid

    def ended(self) -> None:
        """Wait until it has ended."""
        assert self._process is not None
        self._process.wait(START_SECONDS)

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                assert self._process is not None
                ended = self._process.poll() is not None
                if ended or time.monotonic() > until:
                    log = (self.folder / "log").read_text(errors="replace")
                    message = f"PostgreSQL did not start:\n{log[-2000:]}"
                    raise RuntimeError(message) from None
                time.sleep(0.05)
            else:
                return

    def prepare(self) -> None:
        """Make its data folder."""
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        subprocess.run(
            [str(_program("initdb")), "-D", str(self.folder / "data"), "-U", "postgres",
             "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=self.folder,
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
        )  # fmt: skip


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[Postgresql]:
    """Run a server of one's own for the length of a block.

    Args:
        durable: Whether it flushes to the disk; tests need not wait for that.

    Raises:
        ProgramMissing: PostgreSQL is not installed.
    """
    _program("postgres")
    folder = Path(tempfile.mkdtemp(prefix="letsbe-pg-"))
    try:
        server = Postgresql(folder, durable=durable)
        server.prepare()
        with server.running():
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> Path:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return find(name, debian, "postgresql")
