"""Every endpoint, with every token that is not the right one."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.routing import Route

from hub.tests.conftest import empty_database, open_site
from hub.tests.site import People, Site, Tenant, approval, bearer
from letsbe_hub.accounts.people import NewPerson, create, find
from letsbe_hub.accounts.sessions import CUSTOMER, STAFF, Sessions, open_session
from letsbe_hub.api import limits
from letsbe_hub.api.app import ENDPOINTS
from letsbe_hub.api.endpoints import Endpoint
from letsbe_hub.api.principals import Audience, TokenKind, new_token
from letsbe_hub.pages.rendering import STATIC
from letsbe_hub.pages.routes import PAGES
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables import metadata
from letsbe_hub.tenants.registration import issue_token

PERMISSIONS = (
    "tenants.read",
    "tenants.write",
    "approvals.read",
    "approvals.decide",
    "configuration.read",
    "configuration.write",
    "rollouts.write",
    "usage.read",
    "billing.read",
    "billing.write",
    "people.read",
    "people.write",
    "acts.read",
)
HOUR = int(time.time()) // 3600 * 3600
APPROVAL = approval()
guarded = [row for row in ENDPOINTS if not row.open]


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.Limiter, "take", lambda *_: None)


@pytest.fixture(scope="module")
def staff() -> People:
    return People(Audience.ADMIN, TokenKind.STAFF_SESSION)


@pytest.fixture(scope="module")
def customers() -> People:
    return People(Audience.CUSTOMER, TokenKind.CUSTOMER_SESSION)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    staff: People,
    customers: People,
) -> Iterator[Site]:
    """One Hub for all: each test has tenants of its own, and refusals leave nothing."""
    folder = tmp_path_factory.mktemp("site")
    with empty_database(request.param, request, folder) as url:
        store = Store(url)
        with open_site(store, staff, customers) as opened:
            yield opened
        store.close()


@pytest.fixture
def mine(site: Site) -> Tenant:
    return site.tenant()


def ask(site: Site, tenant: Tenant) -> str:
    """Ask for an approval as a tenant; return the Hub's id of it."""
    path = "/api/v1/tenant/approval-request"
    answer = site.http.post(path, headers=tenant.headers, json=APPROVAL)
    return str(answer.json()["data"]["approvalId"])


def send(site: Site, row: Endpoint, id_: str, headers: dict[str, str]) -> int:
    path = re.sub(r"{id}", id_, row.path)
    path = re.sub(r"{\w+}", "main", path)
    sent = None if row.method in ("GET", "DELETE") else b"{}"
    query = {"seconds": "0.01"} if path.endswith("/wait") else None
    return site.http.request(
        row.method, path, headers=headers, content=sent, params=query
    ).status_code


def _parameters(row: Endpoint) -> set[str]:
    return set(row.query.model_fields) if row.query else set()


def wrong_tokens(
    site: Site, mine: Tenant, staff: People, customers: People
) -> dict[Audience | str, dict[str, str]]:
    spare, _ = site.hub.store.write(lambda c: issue_token(c, mine.id, 10, "cli"))
    return {
        Audience.TENANT: mine.headers,
        Audience.ADMIN: staff.add("boss", *PERMISSIONS),
        Audience.CUSTOMER: customers.add("owner", *PERMISSIONS),
        "registration": bearer(spare),
    }


def test_no_route_is_left_out(site: Site) -> None:
    """What the application answers is what is tried here, and what is for everyone."""
    routes = site.app.routes
    assert all(isinstance(route, Route) for route in routes)
    answered = {
        (method, route.path)
        for route in routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    tried = {(row.method, row.path) for row in guarded}
    assert answered - tried == {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/openapi.json"),
        ("POST", "/api/v1/tenant/register"),
        ("POST", "/api/v1/public/sign-in"),
        ("POST", "/api/v1/public/password-link"),
        ("POST", "/api/v1/public/password"),
        ("POST", "/api/v1/webhooks/billing/{backend}"),
        *((row.method, row.path) for row in PAGES),  # tried in tests/pages
        *(("GET", f"/{name}") for name in STATIC),
    }
    assert tried <= answered


@pytest.mark.parametrize("row", guarded, ids=lambda row: f"{row.method} {row.path}")
def test_no_token_stands_in_for_another(
    site: Site, mine: Tenant, staff: People, customers: People, row: Endpoint
) -> None:
    tokens = wrong_tokens(site, mine, staff, customers)
    right = tokens.pop(row.audience)
    made_up = [bearer(new_token(kind)) for kind in TokenKind]
    basic = {"authorization": right["authorization"].replace("Bearer", "Basic")}
    none = [{}, bearer(""), bearer("x"), basic, {"authorization": "Bearer"}]
    tampered = bearer(right["authorization"].split()[1][:-1] + "~")
    for headers in (*tokens.values(), *made_up, *none, tampered):
        assert send(site, row, mine.id, headers) == 401, headers
    if "/account/session" in row.path:  # tried below, with more than stand-ins
        return
    assert send(site, row, mine.id, right) not in (401, 500)


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in guarded
        if row.audience is Audience.ADMIN and "/admin/account" not in row.path
    ],
    ids=lambda row: f"{row.method} {row.path}",
)
def test_staff_need_the_permission(
    site: Site, mine: Tenant, staff: People, row: Endpoint
) -> None:
    others = [name for name in PERMISSIONS if name != row.permission]
    assert row.permission in PERMISSIONS
    assert send(site, row, mine.id, staff.add("intern", *others)) == 403


def test_registering_needs_a_registration_token(
    site: Site, mine: Tenant, staff: People, customers: People
) -> None:
    (row,) = (r for r in ENDPOINTS if r.path == "/api/v1/tenant/register")
    tokens = wrong_tokens(site, mine, staff, customers)
    right = tokens.pop("registration")
    for headers in (*tokens.values(), {}, bearer(new_token(TokenKind.REGISTRATION))):
        body = {"orderId": mine.order, "serverId": "srv"}
        answer = site.http.post(row.path, headers=headers, json=body)
        assert answer.status_code == 401
    assert site.http.post(row.path, headers=right, json=body).status_code == 201


@pytest.mark.parametrize(
    "row",
    [r for r in guarded if "{id}" in r.path and r.audience is not Audience.ADMIN],
    ids=lambda row: f"{row.method} {row.path}",
)
def test_what_is_anothers_is_as_if_it_were_not_there(
    site: Site, mine: Tenant, customers: People, row: Endpoint
) -> None:
    other = site.tenant()
    id_ = ask(site, mine) if "approval" in row.path else mine.id
    headers = other.headers
    if row.audience is Audience.CUSTOMER:
        theirs = frozenset({other.id})
        headers = customers.add("other", *PERMISSIONS, tenants=theirs)
    bodies = {
        "approve": {"reason": "yes"},
        "deny": {"reason": "no"},
        "agents": {"agentId": "main", "settings": {"name": "A"}},
        "{agent}": {"revision": 1, "settings": {"name": "A"}},
        "configuration": {"patch": {}, "note": "x"},
        "revert": {"version": 0},
        "validate": {"document": {}},
        "{id}": {"state": "withdrawn"},
        "limit": {"atLimit": "pause"},
        "checkout": {
            "successUrl": "https://x.example",
            "cancelUrl": "https://y.example",
        },
        "portal": {"returnUrl": "https://x.example"},
    }
    path = row.path.replace("{id}", id_).replace("{agent}", "main")
    query = {"revision": "1", "old": "0", "new": "0"}
    last = row.path.rsplit("/", 1)[1]
    answer = site.http.request(
        row.method,
        path,
        headers=headers,
        json=None if row.method in ("GET", "DELETE") else bodies[last],
        params={k: v for k, v in query.items() if k in _parameters(row)},
    )
    if last == "validate":  # looks at nothing of the tenant's
        assert answer.status_code in (200, 404)
        return
    assert answer.status_code == 404, answer.text
    assert mine.id not in answer.text


BODIES: dict[str, Any] = {
    "heartbeat": {"status": "operational", "configVersion": 0},
    "config": {"version": 0, "state": "applied"},
    "usage": {"buckets": [{"hour": HOUR, "agentId": "m", "model": "m", "revision": 1}]},
    "approval-request": APPROVAL,
    "choices": {"wanted": {}},
    "password": {"current": "x", "new": "y"},
    "confirm": {"code": "000000"},
    "off": {"code": "000000"},
}


def rows_of(store: Store, tenant_id: str) -> set[str]:
    """Return every row of every table in which a tenant is named."""

    def look(connection: sa.Connection) -> set[str]:
        tables = metadata.sorted_tables
        rows = (row for table in tables for row in connection.execute(sa.select(table)))
        return {str(row) for row in rows if tenant_id in str(row)}

    return store.read(look)


@pytest.mark.parametrize(
    "row",
    [r for r in guarded if "{" not in r.path and r.audience is not Audience.ADMIN],
    ids=lambda row: f"{row.method} {row.path}",
)
def test_anothers_right_token_tells_and_changes_nothing_of_mine(
    site: Site, mine: Tenant, customers: People, row: Endpoint
) -> None:
    """Where no id is named, the token alone says whose it is."""
    other = site.tenant()
    ask(site, mine)
    headers = other.headers
    if row.audience is Audience.CUSTOMER:
        theirs = frozenset({other.id})
        headers = customers.add("other", *PERMISSIONS, tenants=theirs)
    before = rows_of(site.hub.store, mine.id)
    body = BODIES.get(row.path.rsplit("/", 1)[1], {})
    if row.path.endswith("/heartbeat"):
        body = body | {"serverId": f"srv-{mine.order}"}  # I am the other one
    answer = site.http.request(
        row.method,
        row.path,
        headers=headers,
        json=None if row.method in ("GET", "DELETE") else body,
        params={"seconds": "0.01"} if row.path.endswith("/wait") else None,
    )
    assert answer.status_code < 500, answer.text
    assert mine.id not in answer.text
    assert rows_of(site.hub.store, mine.id) == before
    if row.path.endswith("/heartbeat"):
        assert answer.status_code == 409


@pytest.fixture
def sessions(site: Site, staff: People, customers: People) -> Iterator[None]:
    """Let people in by sessions, and not by the stand-ins."""
    store, admission = site.hub.store, site.hub.admission
    for door in (STAFF, CUSTOMER):
        admission.add(door.audience, Sessions(store, door, second_factor=False))
    yield
    admission.add(Audience.ADMIN, staff)
    admission.add(Audience.CUSTOMER, customers)


@pytest.mark.usefixtures("sessions")
def test_a_session_is_ended_and_replaced_by_itself_alone(
    site: Site, mine: Tenant
) -> None:
    store = site.hub.store

    def session(role: str) -> dict[str, str]:
        def make(connection: sa.Connection) -> str:
            new = NewPerson(f"{secrets.token_hex(4)}@x.example", "x", role)
            person = find(connection, create(connection, new, "cli"))
            return open_session(connection, person, None).token

        return bearer(store.write(make))

    def lives(audience: Audience, headers: dict[str, str]) -> bool:
        path = f"/api/v1/{audience}/account"
        return site.http.get(path, headers=headers).status_code == 200

    tried = [row for row in guarded if "/account/session" in row.path]
    assert len(tried) == 6
    for row in tried:
        roles = ("admin", "owner")[:: 1 if row.audience is Audience.ADMIN else -1]
        right, bystander, wrong = (
            session(roles[0]),
            session(roles[0]),
            session(roles[1]),
        )
        made_up = [bearer(new_token(kind)) for kind in TokenKind]
        for headers in (wrong, mine.headers, {}, *made_up):
            assert send(site, row, mine.id, headers) == 401
        assert lives(row.audience, right)
        assert send(site, row, mine.id, right) in (200, 201)
        # Ended; or replaced, and good for what is under way.
        assert lives(row.audience, right) is (row.method == "POST")
        assert lives(row.audience, bystander)


def test_a_servers_own_data_is_found_by_its_key_alone(site: Site, mine: Tenant) -> None:
    other = site.tenant()
    ask(site, mine)
    listed = site.http.get("/api/v1/tenant/approval-response", headers=other.headers)
    assert listed.json()["data"] == []
    beat = {
        "serverId": f"srv-{mine.order}",
        "status": "operational",
        "configVersion": 0,
    }
    answer = site.http.post(
        "/api/v1/tenant/heartbeat", headers=other.headers, json=beat
    )
    assert answer.status_code == 409
