"""The databases that every test of storage runs on: SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from starlette.testclient import TestClient

from hub.tests.described import hold
from hub.tests.site import People, Site
from letsbe.plugin._facade import Plugins
from letsbe_hub.api.app import make_app
from letsbe_hub.api.principals import Audience, TokenKind
from letsbe_hub.bus import LocalBus
from letsbe_hub.opening import assemble
from letsbe_hub.server import running
from letsbe_hub.settings import Settings
from letsbe_hub.storage.schema import migrate
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.testing import Postgresql, ProgramMissing, nats_server, postgresql

TEMPLATE = "letsbe_template"


@pytest.fixture(scope="session")
def server() -> Iterator[Postgresql]:
    """A PostgreSQL server with one migrated database to copy."""
    try:
        with postgresql() as running:
            store = Store(running.create(TEMPLATE))
            migrate(store)
            store.close()
            yield running
    except ProgramMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def own_server() -> Iterator[Postgresql]:
    """A server for one test, which may kill it: it flushes, as a real one does."""
    try:
        with postgresql(durable=True) as running:
            yield running
    except ProgramMissing as error:
        pytest.skip(str(error))


class Emptied:
    """Databases that are emptied and used again: to make one takes many times as long.

    Args:
        server: Where they are.
    """

    def __init__(self, server: Postgresql) -> None:
        self._server = server
        self._free: list[str] = []
        self._made = 0

    def take(self) -> str:
        """Return the URL of an empty, migrated database that nobody uses."""
        if self._free:
            return self._free.pop()
        self._made += 1
        return self._server.create(f"test_{self._made}", TEMPLATE)

    def give_back(self, url: str) -> None:
        """Empty a database, whoever still uses it."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_EMPTY)
        self._free.append(url)


_EMPTY = """
DO $$
DECLARE
    found record;
    filled boolean;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;  -- rows go in any order
    FOR found IN SELECT oid::regclass AS name, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP
        IF found.relkind = 'S' THEN
            PERFORM setval(found.name, 1, false);
        ELSIF found.relkind = 'r' THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', found.name) INTO filled;
            IF filled THEN
                EXECUTE format('DELETE FROM %s', found.name);
            END IF;
        END IF;
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def emptied(server: Postgresql) -> Emptied:
    """Databases to be used again and again."""
    return Emptied(server)


@pytest.fixture(scope="session")
def nats() -> Iterator[str]:
    """A NATS server's URL."""
    try:
        with nats_server() as url:
            yield url
    except ProgramMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    store = Store(sqlite_url(path))
    migrate(store)
    store.close()
    return path


@contextmanager
def empty_database(
    kind: str, request: pytest.FixtureRequest, folder: Path
) -> Iterator[str]:
    """Make an empty, migrated database for the length of a block; give its URL."""
    if kind == "sqlite":
        copied = shutil.copy(request.getfixturevalue("sqlite_template"), folder)
        yield sqlite_url(Path(copied))
        return
    emptied: Emptied = request.getfixturevalue("emptied")
    url = emptied.take()
    yield url
    emptied.give_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database of either kind."""
    with empty_database(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty, migrated database of either kind."""
    opened = Store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def staff() -> People:
    return People(Audience.ADMIN, TokenKind.STAFF_SESSION)


@pytest.fixture
def customers() -> People:
    return People(Audience.CUSTOMER, TokenKind.CUSTOMER_SESSION)


@pytest.fixture
def site(store: Store, staff: People, customers: People) -> Iterator[Site]:
    """A Hub without plugins, on either database."""
    with open_site(store, staff, customers) as opened:
        yield opened


@contextmanager
def open_site(store: Store, staff: People, customers: People) -> Iterator[Site]:
    """Run a Hub without plugins for the length of a block."""
    plugins = Plugins((), hook_timeout=2.0)
    hub = assemble(Settings(), plugins, store, LocalBus(), bytes(32))
    hub.admission.add(Audience.ADMIN, staff)
    hub.admission.add(Audience.CUSTOMER, customers)
    app = make_app(hub, lambda: running(hub, chores=False))
    with TestClient(app, base_url="http://127.0.0.1") as http:
        hold(http)
        yield Site(hub, http, app)
    hub.close()
