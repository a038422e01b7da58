"""Transactions and migrations, the same on both databases."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from letsbe.errors import ConfigurationError
from letsbe_hub.errors import StorageUnavailable
from letsbe_hub.storage.schema import check, migrate
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.storage.tables import metadata, shared


def act(connection: sa.Connection, subject: str) -> None:
    connection.execute(
        sa.insert(shared.acts).values(
            at=1.0, actor="cli", act="test", subject=subject, detail={}
        )
    )


def subjects(store: Store) -> list[str]:
    query = sa.select(shared.acts.c.subject).order_by(shared.acts.c.id)
    return store.read(lambda c: list(c.scalars(query)))


def test_the_migrations_make_the_tables_that_the_code_has(store: Store) -> None:
    def differences(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert store.read(differences) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    before, after = migrate(store)
    assert before == after
    check(store)


def test_an_empty_database_is_said_to_be_old(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path / "new.db"))
    with pytest.raises(ConfigurationError, match="run `letsbe-hub migrate`"):
        check(store)
    store.close()


def test_a_newer_versions_database_is_left_alone(store: Store) -> None:
    store.write(
        lambda c: c.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    )
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(store)
    with pytest.raises(ConfigurationError, match="newer version"):
        check(store)


def test_a_change_that_raises_is_taken_back(store: Store) -> None:
    def change(connection: sa.Connection) -> None:
        act(connection, "lost")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(change)
    assert subjects(store) == []


def test_reading_cannot_write_on_postgresql(store: Store) -> None:
    if store.is_sqlite:
        store.read(lambda _: None)
        return
    with pytest.raises(sa.exc.InternalError):
        store.read(lambda c: act(c, "no"))


def test_two_writers_that_lock_each_other_both_succeed(store: Store) -> None:
    for name in "ab":
        store.write(partial(act, subject=name))
    both = threading.Barrier(2)
    first = {"a": True, "b": True}

    def lock(connection: sa.Connection, subject: str) -> None:
        connection.execute(
            sa.update(shared.acts).where(shared.acts.c.subject == subject).values(at=2)
        )

    def crosswise(one: str, other: str) -> None:
        def change(connection: sa.Connection) -> None:
            lock(connection, one)
            if first.pop(one, False) and not store.is_sqlite:
                both.wait(10)
            lock(connection, other)
            act(connection, f"{one}{other}")

        store.write(change)

    threads = [threading.Thread(target=crosswise, args=pair) for pair in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(subjects(store)) == ["a", "ab", "b", "ba"]


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///"]
)
def test_other_urls_are_refused_without_showing_them(url: str) -> None:
    with pytest.raises(ConfigurationError, match="postgresql://"):
        Store(url)


def test_a_password_is_not_shown() -> None:
    store = Store("postgresql://hub:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in store.shown
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1") as caught:
        store.read(lambda c: c.execute(sa.text("SELECT 1")))
    assert "hunter2" not in str(caught.value)
