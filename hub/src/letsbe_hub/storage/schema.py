"""Bringing a database to this version's tables, and telling whether it is there."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from letsbe.errors import ConfigurationError
from letsbe_hub.storage.store import Store

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x4C42_4855
"""The number of PostgreSQL's advisory lock: one node migrates, the others wait."""


def migrate(store: Store) -> tuple[str | None, str]:
    """Bring a database to the newest tables, in one transaction.

    Returns:
        The revision before (None of an empty database) and after.

    Raises:
        ConfigurationError: A newer version of the Hub has been here.
        StorageUnavailable: The database cannot be used; nothing was changed.
    """

    def change(connection: sa.Connection) -> tuple[str | None, str]:
        if not store.is_sqlite:
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        before, newest = _present(connection), _newest()
        _check(before, store)
        if before != newest:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return before, newest

    return store.write(change)


def check(store: Store) -> None:
    """Make sure that a database has this version's tables.

    Raises:
        ConfigurationError: It has others; the error says what to do.
        StorageUnavailable: The database cannot be used.
    """
    present = store.read(_present)
    _check(present, store)
    if present != _newest():
        message = f"{store.shown} has older tables: run `letsbe-hub migrate`"
        raise ConfigurationError(message)


def _check(present: str | None, store: Store) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if present is not None and present not in known:
        message = (
            f"{store.shown} has tables of a newer version ({present}): upgrade"
            " letsbe-hub"
        )
        raise ConfigurationError(message)


def _present(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _newest() -> str:
    head = _scripts().get_current_head()
    assert head is not None
    return head


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
