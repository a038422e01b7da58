"""SIGKILL of the Hub, of the tenant's client, of PostgreSQL: the sums are right."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from hub.tests.dying import (
    SETTINGS,
    Dying,
    Mortal,
    Place,
    eventually,
    prepare,
    push_usage,
    read_book,
)
from hub.tests.site import Tenant, approval, bearer
from letsbe.storage.database import Database
from letsbe.storage.home_schema import USAGE
from letsbe_hub.accounts import people
from letsbe_hub.accounts.sessions import open_session
from letsbe_hub.api.principals import token_hash
from letsbe_hub.billing.rates import Rates
from letsbe_hub.billing.statements import history, verify
from letsbe_hub.storage.schema import migrate
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.approvals import approval_events
from letsbe_hub.storage.tables.billing import billing_alerts, founding_members
from letsbe_hub.storage.tables.payments import billing_adjustments
from letsbe_hub.storage.tables.people import people as people_table
from letsbe_hub.storage.tables.shared import idempotency_keys, outbox
from letsbe_hub.tenants.registration import Server, issue_token, register
from letsbe_hub.tenants.registry import NewTenant, create
from letsbe_hub.testing import Postgresql
from letsbe_hub.usage.totals import total

POOL = 8_000_000
HOUR = int(time.time()) // 3600 * 3600 - 3600
AFTERWARDS = time.time() + 40 * 86_400
PLACES: tuple[Place, ...] = ("half", "before", "after")
KILLED = -9


@pytest.fixture(scope="module", autouse=True)
def prepared() -> None:
    prepare()


@pytest.fixture
def mortal(database_url: str, tmp_path: Path) -> Mortal:
    return Mortal(database_url, tmp_path / "book.json")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "usage.db"


def tenant_of(store: Store) -> Tenant:
    """Make a tenant with a server that has been seen."""
    order = secrets.token_hex(6)

    def make(connection: sa.Connection) -> Tenant:
        made = create(connection, NewTenant("Shop", order, "lite"), "cli")
        token, _ = issue_token(connection, made, 10, "cli")
        done = register(connection, token_hash(token), Server(order, f"srv-{order}"))
        return Tenant(made, order, done.key)

    return store.write(make)


def use(home: Path, tokens: int, revision: int) -> None:
    """Meter usage on a tenant's server."""
    with contextlib.closing(Database(home, schema=USAGE)) as database:
        database.write(
            lambda c: c.execute(
                "INSERT OR REPLACE INTO token_usage (hour, agent_id, model,"
                " input_tokens, output_tokens, cached_tokens, revision)"
                " VALUES (?, 'main', 'deepseek/v3', ?, 0, 0, ?)",
                (HOUR, tokens, revision),
            )
        )


def used(store: Store, tenant: Tenant) -> tuple[int, int]:
    """Return what the buckets and what the period say."""

    def look(connection: sa.Connection) -> tuple[int, int]:
        sums = total(connection, tenant.id, 0, 1e11)
        period = history(connection, tenant.id)[0]
        return sums.input_tokens, period.used_tokens

    return store.read(look)


def count(store: Store, table: sa.Table) -> int:
    query = sa.select(sa.func.count()).select_from(table)
    return store.read(lambda c: c.scalar(query)) or 0


def session_of(store: Store, role: str, tenant: Tenant) -> dict[str, str]:
    """Make a person with a session; staff with a second factor."""

    def make(connection: sa.Connection) -> dict[str, str]:
        theirs = (tenant.id,) if role == "owner" else ()
        new = people.NewPerson(f"{role}@x.example", role, role, tenants=theirs)
        made = people.create(connection, new, "cli")
        factor = sa.update(people_table).values(totp_confirmed=role != "owner")
        connection.execute(factor.where(people_table.c.id == made))
        person = people.find(connection, made)
        return bearer(open_session(connection, person, None).token)

    return store.write(make)


def test_usage_is_counted_once_wherever_hub_or_server_are_killed(
    mortal: Mortal, store: Store, home: Path
) -> None:
    tenant = tenant_of(store)
    # Each push crosses a threshold, so that alerts are of the same transaction.
    for revision, place in enumerate(PLACES, start=1):
        use(home, POOL * (7 + revision) // 10, revision)
        with mortal.serving(Dying(place, "INSERT INTO billing_alerts")) as http:
            assert push_usage(home, str(http.base_url), tenant.key) == 1
        with mortal.serving() as http:
            url = str(http.base_url)
            assert push_usage(home, url, tenant.key, dies=True) == KILLED
            assert push_usage(home, url, tenant.key) == 0
        assert used(store, tenant) == (POOL * (7 + revision) // 10,) * 2
        assert count(store, billing_alerts) == revision


def paid(tenant: Tenant) -> list[dict[str, Any]]:
    event = {"id": f"evt_{tenant.order}", "kind": "paid", "type": "invoice.paid"}
    return [event | {"at": int(time.time()), "order": tenant.order}]


def tell(http: httpx.Client, tenant: Tenant) -> httpx.Response:
    return http.post("/api/v1/webhooks/billing/paying", json=paid(tenant))


def test_a_payment_counts_once_wherever_its_webhook_is_killed(
    mortal: Mortal, store: Store
) -> None:
    tenants = [tenant_of(store) for _ in PLACES]
    effects = []
    for place, tenant in zip(PLACES, tenants, strict=True):
        dying = Dying(place, "INSERT INTO founding_members")
        with mortal.serving(dying) as http, pytest.raises(httpx.HTTPError):
            tell(http, tenant)
        with mortal.serving() as http:
            effects += tell(http, tenant).json()["data"]["effects"]
            assert tell(http, tenant).json()["data"]["effects"] == ["known"]
    assert effects == ["founding member 1", "founding member 2", "known"]
    query = sa.select(founding_members.c.tenant_id).order_by("number")
    assert store.read(lambda c: list(c.scalars(query))) == [t.id for t in tenants]


def billed(store: Store, mortal: Mortal, tenant: Tenant) -> tuple[int, list[bool]]:
    """Return the units that were billed, and whether each statement is right."""
    rates = Rates(SETTINGS.billing)

    def look(connection: sa.Connection) -> list[bool]:
        closed = [r for r in history(connection, tenant.id) if r.state == "closed"]
        return [verify(connection, row.id, rates)[0] for row in closed]

    return sum(read_book(mortal.book).values()), store.read(look)


def test_a_period_is_closed_once_wherever_that_is_killed(
    mortal: Mortal, store: Store, home: Path
) -> None:
    tenant = tenant_of(store)
    use(home, POOL + 7_000, 1)
    with mortal.serving() as http:
        assert push_usage(home, str(http.base_url), tenant.key) == 0
    writes = ("INSERT INTO billing_lines", "INSERT INTO billing_statements")
    for write in writes:
        for place in PLACES:
            assert mortal.close_periods(AFTERWARDS, Dying(place, write)) == KILLED
    # Closed; now the service is told, and the process dies before it notes that.
    assert mortal.close_periods(AFTERWARDS, paper_dies=True) == KILLED
    assert mortal.close_periods(AFTERWARDS + 1_000) == 0
    units, right = billed(store, mortal, tenant)
    assert units == 7
    assert right
    assert all(right)
    open_lines = sa.select(outbox.c.id).where(
        outbox.c.topic == "billing", outbox.c.state != "done"
    )
    assert store.read(lambda c: c.execute(open_lines).all()) == []


def test_an_approval_is_asked_and_decided_once_wherever_that_is_killed(
    mortal: Mortal, store: Store
) -> None:
    tenant = tenant_of(store)
    owner = session_of(store, "owner", tenant)
    path = "/api/v1/tenant/approval-request"
    for place in PLACES:
        body = approval(f"apr_{place}")
        dying = Dying(place, "INSERT INTO command_approvals")
        with mortal.serving(dying) as http, pytest.raises(httpx.HTTPError):
            http.post(path, headers=tenant.headers, json=body)
        dying = Dying(place, "UPDATE command_approvals")
        with mortal.serving(dying) as http:
            answer = http.post(path, headers=tenant.headers, json=body)
            id_ = answer.json()["data"]["approvalId"]
            decision = f"/api/v1/customer/approvals/{id_}/approve"
            with pytest.raises(httpx.HTTPError):
                http.post(decision, headers=owner, json={})
    with mortal.serving() as http:
        again = [
            http.post(f"/api/v1/customer/approvals/{row['id']}/approve", headers=owner)
            for row in reversed(
                http.get("/api/v1/customer/approvals", headers=owner).json()["data"]
            )
        ]
        assert [answer.status_code for answer in again] == [200, 200, 409]
        path = "/api/v1/tenant/approval-response"
        decisions = http.get(path, headers=tenant.headers).json()["data"]
    assert [row["state"] for row in decisions] == ["approved"] * 3
    assert count(store, approval_events) == 6  # asked and approved, once each


def age(store: Store) -> None:
    """Let a minute pass for the keys that are held."""
    keys = idempotency_keys
    change = sa.update(keys).values(created_at=keys.c.created_at - 61)
    store.write(lambda c: c.execute(change))


@pytest.mark.parametrize("place", PLACES)
def test_a_key_that_a_dead_node_held_runs_again_and_nothing_runs_twice(
    mortal: Mortal, store: Store, place: Place
) -> None:
    tenant = tenant_of(store)
    headers = session_of(store, "admin", tenant) | {"idempotency-key": "key-00001"}
    path = f"/api/v1/admin/tenants/{tenant.id}/billing/adjustments"
    body = {"kind": "tokens", "amount": 5, "reason": "an outage"}
    dying = Dying(place, "INSERT INTO billing_adjustments")
    with mortal.serving(dying) as http, pytest.raises(httpx.HTTPError):
        http.post(path, headers=headers, json=body)
    with mortal.serving() as http:
        answer = http.post(path, headers=headers, json=body)
        if place == "after" or not store.is_sqlite:
            assert answer.json()["error"]["code"] == "STILL_RUNNING"
            assert 0 < int(answer.headers["retry-after"]) <= 60
            age(store)
            answer = http.post(path, headers=headers, json=body)
        if place == "after":
            assert answer.status_code == 409
            assert "this was done" in answer.json()["error"]["message"]
        else:
            assert answer.status_code == 201, answer.text
            again = http.post(path, headers=headers, json=body)
            assert again.headers["idempotent-replay"] == "true"
    assert count(store, billing_adjustments) == 1


def test_the_sums_are_right_after_postgresql_is_killed(
    own_server: Postgresql, tmp_path: Path, home: Path
) -> None:
    mortal = Mortal(own_server.create("hub"), tmp_path / "book.json")
    store = Store(mortal.url)
    migrate(store)
    tenant = tenant_of(store)
    again = contextlib.ExitStack()

    def restart() -> None:
        own_server.ended()
        again.close()
        again.enter_context(own_server.running())

    use(home, POOL + 7_000, 1)
    dying = Dying("before", "INSERT INTO billing_alerts", own_server.pid)
    with mortal.serving(dying) as http:
        push_usage(home, str(http.base_url), tenant.key)
        restart()
        assert push_usage(home, str(http.base_url), tenant.key) == 0
    assert used(store, tenant) == (POOL + 7_000,) * 2
    with mortal.serving(Dying("after", "founding_members", own_server.pid)) as http:
        payer = tenant_of(store)
        tell(http, payer)
        restart()
        assert eventually(lambda: tell(http, payer)).status_code == 200
    assert count(store, founding_members) == 1
    dying = Dying("before", "INSERT INTO billing_statements", own_server.pid)
    assert mortal.close_periods(AFTERWARDS, dying) != 0
    restart()
    assert mortal.close_periods(AFTERWARDS + 1_000) == 0
    units, right = billed(store, mortal, tenant)
    assert (units, set(right)) == (7, {True})
    store.close()
    again.close()
