"""TinyDB documents that are whole at any time, or reported as damaged.

Small JSON files that people and the agent runtime read too. A write goes to a
temporary file, to the disk, and only then takes the document's place.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tinydb import TinyDB
from tinydb.storages import Storage
from typing_extensions import override

from letsbe.errors import StorageError
from letsbe.storage.keys import flush_folder

LOCK_SECONDS = 10.0
"""How long to wait for another process that has the document open."""

Tables = dict[str, dict[str, Any]]


class AtomicStorage(Storage):
    """What TinyDB reads from and writes to; :meth:`commit` makes it durable.

    Args:
        path: The document.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed: str | None = None

    @override
    def read(self) -> Tables | None:
        """Return the tables by name, or nothing if there is no document yet.

        Raises:
            StorageError: The file is damaged; it is left as it is.
        """
        content = self._changed or self._content()
        if content is None:
            return None
        try:
            tables = json.loads(content)
        except (ValueError, RecursionError):
            raise _damaged(self._path) from None
        if not _is_document(tables):
            raise _damaged(self._path)
        return dict(tables)

    @override
    def write(self, data: Tables) -> None:
        """Take new content, for :meth:`commit`."""
        text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False)
        self._changed = f"{text}\n"

    def commit(self) -> None:
        """Put the changes in the document's place, all of them or none.

        Raises:
            StorageError: They could not be written; the document is as before.
        """
        if self._changed is None:
            return
        # Always the same name, under the lock, so that a crash leaves at most one.
        unfinished = self._path.with_name(f".{self._path.name}.unfinished")
        try:
            _write(unfinished, self._changed.encode("utf-8"), self._path)
            unfinished.replace(self._path)
            flush_folder(self._path.parent)
        except (OSError, UnicodeEncodeError):
            message = f"{self._path} cannot be written: check its folder and the disk"
            raise StorageError(message) from None

    def _content(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            message = f"{self._path} cannot be read: check who may read it"
            raise StorageError(message) from None


@contextmanager
def open_document(path: Path) -> Iterator[TinyDB]:
    """Open a document for this thread alone; others wait, in all processes.

    What the block changes is written once, when it ends; if it raises, nothing is.

    Args:
        path: The document. It need not exist yet; its folder must.

    Yields:
        The database.

    Raises:
        StorageError: Another process keeps the document open, its lock cannot be
            created, the document is damaged, or the changes cannot be written.
    """
    if not path.parent.is_dir():
        # The lock would create it, with a mode that lets others in.
        message = f"{path} cannot be opened: its folder does not exist"
        raise StorageError(message)
    lock = FileLock(path.with_name(f".{path.name}.lock"), LOCK_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        message = f"{path} is held by another process: end that one or try again"
        raise StorageError(message) from None
    except OSError:
        message = f"{path} cannot be locked: check that its folder exists and is yours"
        raise StorageError(message) from None
    storage = AtomicStorage(path)
    try:
        with TinyDB(storage=lambda: storage) as document:
            yield document
        storage.commit()
    finally:
        lock.release()


def _is_document(tables: object) -> bool:
    """Check the form: tables of documents, these by number."""
    return isinstance(tables, Mapping) and all(
        isinstance(table, Mapping)
        and all(
            key.isascii() and key.isdecimal() and isinstance(document, Mapping)
            for key, document in table.items()
        )
        for table in tables.values()
    )


def _damaged(path: Path) -> StorageError:
    return StorageError(
        f"{path} is damaged: restore it from a backup, or move it away to begin anew"
    )


def read_document(path: Path) -> Tables:
    """Read a document as it is, also where nothing may be written.

    Args:
        path: The document.

    Returns:
        Its tables by name; empty if there is none.

    Raises:
        StorageError: It cannot be read, or is damaged.
    """
    return AtomicStorage(path).read() or {}


def _write(path: Path, content: bytes, takes_place_of: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        with suppress(FileNotFoundError):
            # Whom it was shared with may read what takes its place.
            before = takes_place_of.stat()
            os.fchown(file.fileno(), -1, before.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
