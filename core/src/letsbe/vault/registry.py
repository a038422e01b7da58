"""The vault's registry: a sealed copy of its secrets, for whoever may read no more.

The Secrets Proxy runs under an account of its own. It must know every value to take it
out, and need not see approvals, the audit log or tokens, which share the vault's file;
nor could it read that file without writing to it, as SQLite's log needs. So whoever
changes the vault writes the registry anew, inside the same transaction: it is replaced
whole, and holds a new value before anybody is told that there is one.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from letsbe.errors import StorageError
from letsbe.storage.keys import flush_folder
from letsbe.storage.modes import sharing_group, too_open
from letsbe.vault.sealing import NotSealedHere, Sealer
from letsbe.vault.secret import Secret

_BOUND_TO = ("registry", 1)
_MOST = 1 << 30

Identity = tuple[int, int, int, int]
"""What changes with every new registry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value.

    Args:
        secret: The value, with its name.
        newest: Whether it is the one in use; others are still taken out.
        tools: The tools that may use it.
        hosts: The hosts it may be sent to.
    """

    secret: Secret
    newest: bool
    tools: tuple[str, ...]
    hosts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The secret's name."""
        return self.secret.name


class Registry:
    """The file.

    Args:
        path: Where it is, in a folder whose mode says whom it is shared with.
        key: What seals it, 32 bytes.
        owner: The account that may write it.

    Raises:
        ConfigurationError: The key has another length.
    """

    def __init__(self, path: Path, key: bytes, owner: int) -> None:
        self._path = path
        self._sealer = Sealer(key)
        self._owner = owner

    def publish(self, entries: Iterable[Entry]) -> None:
        """Replace what is there, whole and on the disk when this returns.

        Callers see to it that no two do it at once.

        Args:
            entries: Every value that is kept, the newest of a name first.

        Raises:
            StorageError: It cannot be written; what was there stays.
        """
        rows = [
            [e.secret.name, e.secret.reveal(), e.newest, e.tools, e.hosts]
            for e in entries
        ]
        sealed = self._sealer.seal(json.dumps(rows), _BOUND_TO)
        unfinished = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            try:
                _write(unfinished, sealed)
                unfinished.replace(self._path)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
            flush_folder(self._path.parent)
        except OSError:
            message = (
                f"the vault's registry {self._path} cannot be written, so that a change"
                " would not be noticed: check its folder and the disk"
            )
            raise StorageError(message) from None

    def read(self) -> tuple[Entry, ...]:
        """Return every value.

        Raises:
            StorageError: There is no registry, somebody else could have written it, it
                is open to others, damaged, or sealed with another key.
        """
        try:
            rows = json.loads(self._sealer.open(self._content(), _BOUND_TO))
        except (NotSealedHere, ValueError):
            message = (
                f"the vault's registry {self._path} is damaged or sealed with another"
                " key: run `letsbe init`, which writes it anew"
            )
            raise StorageError(message) from None
        return tuple(_entry(*row) for row in rows)

    def identity(self) -> Identity:
        """Return what is another after each change; zeros if there is no file."""
        try:
            status = self._path.lstat()
        except OSError:
            return 0, 0, 0, 0
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _content(self) -> bytes:
        try:
            folder = self._path.parent.stat()
            # Not blocking, so that a pipe in the file's place does not hang anybody.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(self._path, flags), "rb") as file:
                self._check(os.fstat(file.fileno()), folder)
                return file.read(_MOST)
        except FileNotFoundError:
            self._refuse("does not exist: run `letsbe init`, or `letsbe up`, once")
        except OSError:
            self._refuse("cannot be read: check who may read it")

    def _check(self, status: os.stat_result, folder: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            self._refuse("is not a regular file: take it away and run `letsbe init`")
        if {status.st_uid, folder.st_uid} != {self._owner}:
            self._refuse("or its folder belongs to another user than the home folder")
        group = sharing_group(folder)
        if too_open(folder, group, 0o750) or too_open(status, group, 0o640):
            self._refuse("or its folder is open to others: run `letsbe init`")

    def _refuse(self, why: str) -> NoReturn:
        message = f"the vault's registry {self._path} {why}"
        raise StorageError(message)


def _entry(name: str, value: str, newest: bool, tools: Any, hosts: Any) -> Entry:  # noqa: ANN401 - lists from JSON
    return Entry(Secret(name, value), newest, tuple(tools), tuple(hosts))


def _write(path: Path, content: bytes) -> None:
    folder = path.parent.stat()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        group = sharing_group(folder)
        if group is not None:
            os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), 0o640)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
