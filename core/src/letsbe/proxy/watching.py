"""The vault as the proxy sees it: read only, at hand, never older than 100 ms."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from letsbe.errors import ConfigurationError, LetsBeError
from letsbe.home import Home
from letsbe.proxy.sharing import open_registry
from letsbe.vault.names import unknown_secret
from letsbe.vault.registry import Entry
from letsbe.vault.scopes import check_scope
from letsbe.vault.secret import Secret

log = logging.getLogger(__name__)

TOOL_NAME = "proxy"
"""The name by which a secret's scope lets the proxy use it as a provider's key."""

INTERVAL = 0.025
"""Seconds between two looks at the registry; a look takes some 15 µs."""

TROUBLED_INTERVAL = 0.1
"""Seconds between two attempts on a registry that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    version: int
    values: tuple[Secret, ...]
    newest: Mapping[str, Entry]


@final
class WatchedVault:
    """The registered secrets, kept in memory and brought up to date by a thread.

    What was read last stays in force while the registry cannot be read: a file that is
    removed, replaced by rubbish, or sealed with another key.

    Args:
        home: The home folder.

    Raises:
        ConfigurationError: There is no vault, or the registry's key is missing or
            unsafe.
        StorageError: The registry cannot be read.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._on_change: Callable[[], object] = lambda: None
        _check_vault(home)
        self._registry = open_registry(home)
        self.problem: str | None = None
        """Why the registry cannot be read at the moment, if it cannot."""
        self._snapshot = _Snapshot(0, (), {})
        self._load()

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
        newest = self._snapshot.newest
        if name not in newest:
            raise unknown_secret(name, newest)
        entry = newest[name]
        check_scope(entry, TOOL_NAME, (host,))
        return entry.secret

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
        """Stop watching."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(TROUBLED_INTERVAL if self.problem else INTERVAL):
            before = self._snapshot.version
            try:
                self._look()
                self._settle(None)
            except LetsBeError as error:
                self._settle(error.message)
            except Exception:  # noqa: BLE001 - the thread must outlive whatever it meets
                self._settle("the vault's registry could not be read")
            if self._snapshot.version != before:
                # A layer that fails here fails in a request too, where it counts.
                with contextlib.suppress(Exception):
                    self._on_change()

    def _look(self) -> None:
        _check_vault(self._home)
        seen = self._registry.identity()
        if seen != self._seen or self.problem is not None:
            # Another key may have come with another registry.
            self._registry = open_registry(self._home)
            self._load()

    def _load(self) -> None:
        """Read the registry, whole as it is at any moment."""
        seen = self._registry.identity()
        entries = self._registry.read()
        self._snapshot = _Snapshot(
            self._snapshot.version + 1,
            tuple(entry.secret for entry in entries),
            {entry.secret.name: entry for entry in entries if entry.newest},
        )
        # Looked at before: what came meanwhile is read again, and nothing is missed.
        self._seen = seen

    def _settle(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        if problem is None:
            log.warning("the vault's registry can be read again")
        else:
            log.error("going on with the secrets known so far: %s", problem)


def _check_vault(home: Home) -> None:
    """See that there is a vault: a registry that outlived it is not to be trusted."""
    for path in (home.database, home.vault_key):
        try:
            there = path.is_file()
        except OSError:
            there = False
        if not there:
            message = f"{path} does not exist: run `letsbe init`, or restore it"
            raise ConfigurationError(message)
