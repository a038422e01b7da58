"""Every endpoint, with every token that is not the right one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from starlette.routing import Route

from hub.tests.conftest import empty_database, open_site
from hub.tests.site import People, Site, Tenant, bearer
from letsbe_hub.api import limits
from letsbe_hub.api.app import ENDPOINTS
from letsbe_hub.api.endpoints import Endpoint
from letsbe_hub.api.principals import Audience, TokenKind, new_token
from letsbe_hub.storage.store import Store
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
    body = {
        "tenantApprovalId": "apr_1",
        "digest": "0" * 64,
        "agentId": "main",
        "toolName": "shell",
        "tier": "RED",
        "external": False,
        "reason": "deletes",
        "summary": {},
        "expiresAt": time.time() + 60,
    }
    answer = site.http.post(
        "/api/v1/tenant/approval-request", headers=tenant.headers, json=body
    )
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
    if "/account/session" in row.path:  # need a session that is more than a stand-in
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
