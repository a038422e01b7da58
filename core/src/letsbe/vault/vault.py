"""The vault: secrets sealed in the database, each with its history and scopes."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from letsbe.errors import Conflict, InvalidRequest
from letsbe.storage.database import Database
from letsbe.vault.names import check_name, unknown_secret, unreadable_secret
from letsbe.vault.records import (
    SecretRecord,
    all_records,
    existing,
    record_of,
    version_of,
)
from letsbe.vault.registry import Entry, Registry
from letsbe.vault.scopes import ANYWHERE, Scopes, normal_scopes
from letsbe.vault.sealing import NotSealedHere, Sealer
from letsbe.vault.secret import Secret
from letsbe.vault.values import Alphabet, check_value, random_value

T = TypeVar("T")
Event = Literal["provided", "rotated", "deleted"]
Recorder = Callable[[sqlite3.Connection, Event, SecretRecord], object]
"""Called inside the transaction of each change, to write it into the audit log."""

LOOK = 0.01
"""Seconds for which the vault's version is taken to be what it was.

Redaction asks several times in each call. A secret of another process has to take
effect within 0.1 s; one of this process does at once.
"""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Every value at one version of the vault."""

    version: int
    newest: Mapping[str, Secret]
    values: tuple[Secret, ...]


class Vault:
    """Keeps secrets; gives their values to redaction and to calls that may have them.

    Args:
        database: Where they are kept.
        key: 32 bytes, without which no value can be read.
        recorder: Told of every change, in the same transaction.
        registry: Written anew with every change; without one, nobody else is told.
    """

    def __init__(
        self,
        database: Database,
        key: bytes,
        *,
        recorder: Recorder | None = None,
        registry: Registry | None = None,
    ) -> None:
        self._database = database
        self._sealer = Sealer(key)
        self._recorder = recorder
        self._registry = registry
        self._lock = threading.Lock()
        self._snapshot = _Snapshot(0, {}, ())
        self._opened: dict[tuple[object, ...], Secret] = {}
        self._version = (0, 0.0)  # and until when it need not be looked at
        self._changes = 0

    def provide(
        self,
        name: str,
        value: str,
        *,
        tools: tuple[str, ...] | None = None,
        hosts: tuple[str, ...] | None = None,
    ) -> SecretRecord:
        """Store a value, as a new secret or as a new version of one.

        Args:
            name: Its name.
            value: The secret text.
            tools: Which tools may use it; left out: as before, or any.
            hosts: Which hosts it may be sent to; left out: as before, or any.

        Raises:
            InvalidRequest: The name, the value or a scope has not the right form.
            StorageError: It could not be stored.
        """
        return self._store(name, value, tools, hosts, "provided")

    def provide_all(
        self,
        values: Mapping[str, str],
        *,
        tools: tuple[str, ...] | None = None,
        hosts: tuple[str, ...] | None = None,
    ) -> tuple[SecretRecord, ...]:
        """Store many values at once, all of them or none, and tell the registry once.

        Args:
            values: What to store, by name.
            tools: As for :meth:`provide`; so are the hosts.
            hosts: See there.

        Raises:
            InvalidRequest: A name, a value or a scope has not the right form.
            StorageError: They could not be stored.
        """
        for name, value in values.items():
            check_name(name)
            try:
                check_value(value)
            except InvalidRequest as error:
                raise InvalidRequest(
                    f"{name}: {error}", details=error.details
                ) from None
        wanted = normal_scopes(tools, hosts)

        def change(connection: sqlite3.Connection) -> tuple[SecretRecord, ...]:
            put = partial(self._put, connection, wanted=wanted, event="provided")
            records = tuple(put(name, value) for name, value in values.items())
            self._publish(connection)
            return records

        return self._write(change)

    def generate(
        self,
        name: str,
        *,
        length: int = 32,
        alphabet: Alphabet = "letters_digits",
        tools: tuple[str, ...] | None = None,
        hosts: tuple[str, ...] | None = None,
    ) -> SecretRecord:
        """Store a random value under a new name.

        Args:
            name: Its name.
            length: How many characters.
            alphabet: Which characters.
            tools: Which tools may use it; left out: any.
            hosts: Which hosts it may be sent to; left out: any.

        Raises:
            Conflict: There is a secret of that name.
            InvalidRequest: The name, length or a scope has not the right form.
        """
        value = random_value(length, alphabet)
        return self._store(name, value, tools, hosts, "provided", new=True)

    def rotate(self, name: str, value: str | None = None) -> SecretRecord:
        """Give a secret a new value. The old ones are still redacted.

        Args:
            name: The secret's name.
            value: The new text; left out: a random one.

        Raises:
            UnknownSecret: There is none of that name.
            InvalidRequest: The value has not the right form.
        """
        chosen = random_value() if value is None else value
        return self._store(name, chosen, None, None, "rotated", new=False)

    def reveal(self, name: str) -> Secret:
        """Return a secret's newest value, wrapped.

        Raises:
            UnknownSecret: There is none of that name; close names are listed.
            StorageError: A stored value was changed, or the key is another.
        """
        newest = self._current().newest
        if name not in newest:
            check_name(name)
            raise unknown_secret(name, newest)
        return newest[name]

    def delete(self, name: str) -> None:
        """Erase a secret with its whole history; the name is free again.

        Raises:
            UnknownSecret: There is none of that name.
        """
        check_name(name)

        def change(connection: sqlite3.Connection) -> None:
            record = existing(connection, name)
            connection.execute(
                "UPDATE secrets SET state = 'deleted', sealed = NULL,"
                " fingerprint = '', changed = ? WHERE name = ?",
                (version_of(connection) + 1, name),
            )
            self._record(connection, "deleted", record)

        self._write(change)
        # Afterwards: were it taken out first and then not deleted, it would be missed.
        self.publish()

    def publish(self) -> None:
        """Write the registry anew, as the vault is now.

        Raises:
            StorageError: It cannot be written, or a stored value was changed.
        """
        self._database.write(self._publish)

    def list(self) -> list[SecretRecord]:
        """Return every secret, sorted by name, without values."""
        return self._database.read(all_records)

    def names(self) -> tuple[str, ...]:
        """Return the name of every secret, sorted."""
        return tuple(record.name for record in self.list())

    def get(self, name: str) -> SecretRecord:
        """Return one secret, without its value.

        Raises:
            UnknownSecret: There is none of that name.
        """
        check_name(name)
        return self._database.read(lambda connection: existing(connection, name))

    @property
    def version(self) -> int:
        """A number that grows with every change, whichever process makes it.

        Another process's change is seen after at most :data:`LOOK` seconds.
        """
        version, until = self._version
        return version if time.monotonic() < until else self._look()

    def current(self) -> tuple[Secret, ...]:
        """Return every value that is kept, newest and old.

        Raises:
            StorageError: A stored value was changed, or the key is another.
        """
        return self._current().values

    def _store(
        self,
        name: str,
        value: str,
        tools: tuple[str, ...] | None,
        hosts: tuple[str, ...] | None,
        event: Event,
        new: bool | None = None,
    ) -> SecretRecord:
        check_name(name)
        check_value(value)
        wanted = normal_scopes(tools, hosts)

        def change(connection: sqlite3.Connection) -> SecretRecord:
            if new is True and record_of(connection, name) is not None:
                message = f"there is a secret {name} already: rotate it instead"
                raise Conflict(message)
            if new is False:
                existing(connection, name)
            record = self._put(connection, name, value, wanted, event)
            # Before it is stored: a value too many is taken out of text, and one that
            # nobody was told of would pass.
            self._publish(connection)
            return record

        return self._write(change)

    def _put(
        self,
        connection: sqlite3.Connection,
        name: str,
        value: str,
        wanted: Scopes,
        event: Event,
    ) -> SecretRecord:
        before = record_of(connection, name)
        scopes = (
            wanted[0] or (before.tools if before else ANYWHERE),
            wanted[1] or (before.hosts if before else ANYWHERE),
        )
        self._insert(connection, name, value, scopes)
        record = existing(connection, name)
        self._record(connection, event, record)
        return record

    def _write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        answer = self._database.write(change)
        with self._lock:
            self._changes += 1
            self._version = (0, 0.0)
        return answer

    def _look(self) -> int:
        began, changes = time.monotonic(), self._changes
        version = self._database.read(version_of)
        with self._lock:
            # What was read before a change of ours may be the number before it.
            if changes == self._changes:
                self._version = (version, began + LOOK)
        return version

    def _insert(
        self,
        connection: sqlite3.Connection,
        name: str,
        value: str,
        scopes: tuple[tuple[str, ...], tuple[str, ...]],
    ) -> None:
        # Deleted rows count too: a name and version are never used twice.
        (last,) = connection.execute(
            "SELECT coalesce(max(version), 0) FROM secrets WHERE name = ?", (name,)
        ).fetchone()
        tools, hosts = json.dumps(scopes[0]), json.dumps(scopes[1])
        sealed = self._sealer.seal(value, (name, last + 1, tools, hosts))
        connection.execute(
            "UPDATE secrets SET state = 'previous'"
            " WHERE name = ? AND state = 'current'",
            (name,),
        )
        connection.execute(
            "INSERT INTO secrets (name, version, sealed, fingerprint, tools, hosts,"
            " state, created_at, changed) VALUES (?, ?, ?, ?, ?, ?, 'current', ?, ?)",
            (
                name,
                last + 1,
                sealed,
                self._sealer.fingerprint(value),
                tools,
                hosts,
                time.time(),
                version_of(connection) + 1,
            ),
        )

    def _record(
        self, connection: sqlite3.Connection, event: Event, record: SecretRecord
    ) -> None:
        if self._recorder is not None:
            self._recorder(connection, event, record)

    def _publish(self, connection: sqlite3.Connection) -> None:
        if self._registry is None:
            return
        self._registry.publish(
            Entry(secret, newest, tuple(json.loads(tools)), tuple(json.loads(hosts)))
            for secret, newest, tools, hosts in self._rows(connection)
        )

    def _current(self) -> _Snapshot:
        """Return all values, read again only if any process changed the vault."""
        if self._snapshot.version == self._look():
            return self._snapshot
        with self._lock:
            self._snapshot = self._database.read(self._load)
            return self._snapshot

    def _load(self, connection: sqlite3.Connection) -> _Snapshot:
        rows = self._rows(connection)
        newest = {secret.name: secret for secret, current, *_ in rows if current}
        values = tuple(secret for secret, *_ in rows)
        return _Snapshot(version_of(connection), newest, values)

    def _rows(
        self, connection: sqlite3.Connection
    ) -> Sequence[tuple[Secret, bool, str, str]]:
        """Return every value with whether it is in use, and its scopes as JSON."""
        rows = connection.execute(
            "SELECT name, version, tools, hosts, sealed, state FROM secrets"
            " WHERE state <> 'deleted' ORDER BY name, version DESC"
        ).fetchall()
        known, opened = self._opened, dict[tuple[object, ...], Secret]()
        for row in rows:
            opened[row[:5]] = known.get(row[:5]) or self._open(*row[:5])
        # Only what is still there is kept open; the rest is let go of.
        self._opened = opened
        return [(opened[row[:5]], row[5] == "current", row[2], row[3]) for row in rows]

    def _open(
        self, name: str, version: int, tools: str, hosts: str, sealed: bytes
    ) -> Secret:
        try:
            value = self._sealer.open(sealed, (name, version, tools, hosts))
        except NotSealedHere:
            raise unreadable_secret(name) from None
        return Secret(name, value)
