"""The vault as the proxy sees it: read only, at hand, never older than 100 ms."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from letsbe.errors import LetsBeError
from letsbe.home import Home
from letsbe.storage.database import Database
from letsbe.storage.keys import load_key
from letsbe.vault.names import unknown_secret
from letsbe.vault.records import SecretRecord
from letsbe.vault.scopes import check_scope
from letsbe.vault.secret import Secret
from letsbe.vault.vault import Vault

log = logging.getLogger(__name__)

TOOL_NAME = "proxy"
"""The name by which a secret's scope lets the proxy use it as a provider's key."""

INTERVAL = 0.025
"""Seconds between two looks at the vault's version; a look takes some 40 µs."""

TROUBLED_INTERVAL = 0.1
"""Seconds between two attempts on a vault that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    version: int
    values: tuple[Secret, ...]
    newest: Mapping[str, Secret]
    records: Mapping[str, SecretRecord]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A vault, and which file it was found in."""

    database: Database
    vault: Vault
    file: tuple[int, int]


@final
class WatchedVault:
    """The registered secrets, kept in memory and brought up to date by a thread.

    What was read last stays in force while the vault cannot be read: a file that is
    removed, replaced by rubbish, locked, or sealed with another key.

    Args:
        home: The home folder.

    Raises:
        ConfigurationError: The key is missing or unsafe.
        StorageError: The vault cannot be read.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._on_change: Callable[[], object] = lambda: None
        self._opened = _open(home)
        self.problem: str | None = None
        """Why the vault cannot be read at the moment, if it cannot."""
        self._seen = -1
        self._snapshot = _Snapshot(0, (), {}, {})
        try:
            self._load(self._opened)
        except BaseException:
            self._opened.database.close()
            raise

    @property
    def version(self) -> int:
        """Grows with every change that was noticed."""
        return self._snapshot.version

    def current(self) -> tuple[Secret, ...]:
        """Return every value that is kept, newest and old."""
        return self._snapshot.values

    def key_for(self, name: str, host: str) -> Secret:
        """Return the key that an upstream is called with.

        Args:
            name: The secret's name.
            host: The upstream's host.

        Raises:
            UnknownSecret: There is none of that name.
            SecretOutOfScope: It is not meant for the proxy or for this host.
        """
        snapshot = self._snapshot
        if name not in snapshot.records:
            raise unknown_secret(name, snapshot.records)
        check_scope(snapshot.records[name], TOOL_NAME, (host,))
        return snapshot.newest[name]

    def start(self, on_change: Callable[[], object]) -> None:
        """Begin to watch.

        Args:
            on_change: Called in the watching thread after each change, so that what
                is slow (compiling the secrets) is done before a request waits for it.
        """
        self._on_change = on_change
        self._thread = threading.Thread(
            target=self._watch, name="letsbe-vault-watch", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop watching and let go of the file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._opened.database.close()

    def _watch(self) -> None:
        while not self._stop.wait(TROUBLED_INTERVAL if self.problem else INTERVAL):
            before = self._snapshot.version
            try:
                self._look()
                self._settle(None)
            except LetsBeError as error:
                self._settle(error.message)
            except Exception:  # noqa: BLE001 - the thread must outlive whatever it meets
                self._settle("the vault could not be read; its files are damaged")
            if self._snapshot.version != before:
                # A layer that fails here fails in a request too, where it counts.
                with contextlib.suppress(Exception):
                    self._on_change()

    def _look(self) -> None:
        file = _identity(self._home)
        if file == self._opened.file and self.problem is None:
            if self._opened.vault.version != self._seen:
                self._load(self._opened)
            return
        # Another file, or trouble before: only a new connection is sure to see it.
        opened = _open(self._home)
        try:
            self._load(opened)
        except BaseException:
            opened.database.close()
            raise
        self._opened, old = opened, self._opened
        old.database.close()

    def _load(self, opened: _Opened) -> None:
        """Read everything at one version of the vault."""
        vault = opened.vault
        while True:
            seen = vault.version
            values, records = vault.current(), vault.list()
            if vault.version == seen:
                break
        newest: dict[str, Secret] = {}
        for secret in values:
            # The newest version of each name comes first.
            newest.setdefault(secret.name, secret)
        by_name = {record.name: record for record in records}
        self._snapshot = _Snapshot(self._snapshot.version + 1, values, newest, by_name)
        self._seen = seen

    def _settle(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        if problem is None:
            log.warning("the vault can be read again")
        else:
            log.error("going on with the secrets known so far: %s", problem)


def _open(home: Home) -> _Opened:
    key = load_key(home.vault_key)
    database = Database(home.database, read_only=True)
    try:
        return _Opened(database, Vault(database, key), _identity(home))
    except BaseException:
        database.close()
        raise


def _identity(home: Home) -> tuple[int, int]:
    try:
        status = os.stat(home.database)  # noqa: PTH116 - as the descriptor's would be
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino
