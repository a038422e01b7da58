"""The side channel to the vault: every act of the operator is on the audit log."""

from __future__ import annotations

import sqlite3

from letsbe.storage.audit import AuditEntry, AuditLog
from letsbe.storage.database import Database
from letsbe.vault.records import SecretRecord
from letsbe.vault.secret import Secret
from letsbe.vault.vault import Recorder, Vault


def recorder(audit: AuditLog) -> Recorder:
    """Make what the vault tells of each change, inside the change's transaction.

    Args:
        audit: Gets names, scopes and fingerprints, never values.
    """

    def record(
        connection: sqlite3.Connection, event: str, secret: SecretRecord
    ) -> object:
        return audit.append(connection, _entry(event, secret))

    return record


class SecretDesk:
    """The operator's side of the vault.

    Args:
        database: Where the audit log is written.
        vault: The vault, with a :func:`recorder`, for all that changes it.
        audit: The audit log.
    """

    def __init__(self, database: Database, vault: Vault, audit: AuditLog) -> None:
        self.vault = vault
        self._database = database
        self._audit = audit

    def reveal(self, name: str) -> Secret:
        """Return a value; that it was shown is on the audit log before it is.

        Raises:
            UnknownSecret: There is none of that name.
        """
        entry = _entry("revealed", self.vault.get(name))
        self._database.write(lambda connection: self._audit.append(connection, entry))
        return self.vault.reveal(name)


def _entry(event: str, secret: SecretRecord) -> AuditEntry:
    return AuditEntry(
        kind="secret",
        decision=event,
        detail={
            "name": secret.name,
            "version": secret.version,
            "fingerprint": secret.fingerprint,
            "tools": list(secret.tools),
            "hosts": list(secret.hosts),
        },
    )
