"""A server's way into the Hub: one token, one order, one key."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from hub.tests.site import People, Site, bearer
from letsbe_hub.storage.tables.shared import acts
from letsbe_hub.storage.tables.tenants import registration_tokens, tenant_keys
from letsbe_hub.tenants.registration import issue_token
from letsbe_hub.tenants.registry import NewTenant, create

REGISTER = "/api/v1/tenant/register"
ROTATE = "/api/v1/tenant/rotate-key"


def fresh(site: Site, order: str = "ord-1", minutes: float = 10) -> tuple[str, str]:
    new = NewTenant("Bakery", order, "lite")
    tenant = site.hub.store.write(lambda c: create(c, new, "cli"))
    token, _ = site.hub.store.write(lambda c: issue_token(c, tenant, minutes, "cli"))
    return tenant, token


def register(site: Site, token: str, **body: Any) -> Any:
    said = {"orderId": "ord-1", "serverId": "srv-1"} | body
    return site.http.post(REGISTER, headers=bearer(token), json=said)


def _all(connection: sa.Connection, query: sa.Select[Any]) -> list[Any]:
    return list(connection.execute(query))


def code(answer: Any) -> str:
    body = answer.json()
    assert body["success"] is False
    return str(body["error"]["code"])


def test_a_server_registers_and_its_key_works(site: Site) -> None:
    tenant, token = fresh(site)
    answer = register(site, token, safetyWrapperUrl="http://127.0.0.1:8200")
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["tenantId"] == tenant
    assert site.http.post(ROTATE, headers=bearer(data["apiKey"])).status_code == 201


def test_neither_token_nor_key_is_kept(site: Site) -> None:
    _, token = fresh(site)
    key = register(site, token).json()["data"]["apiKey"]
    for table in (registration_tokens, tenant_keys, acts):
        query = sa.select(table)
        rows = site.hub.store.read(partial(_all, query=query))
        assert token not in repr(rows)
        assert key not in repr(rows)


def test_another_server_cannot_use_a_token_again(site: Site) -> None:
    _, token = fresh(site)
    register(site, token)
    assert code(register(site, token, serverId="srv-2")) == "TOKEN_SPENT"


def test_a_lost_answer_does_not_lose_the_server(site: Site) -> None:
    _, token = fresh(site)
    lost = register(site, token).json()["data"]["apiKey"]
    again = register(site, token).json()["data"]["apiKey"]
    assert site.http.post(ROTATE, headers=bearer(lost)).status_code == 401
    assert site.http.post(ROTATE, headers=bearer(again)).status_code == 201
    assert code(register(site, token)) == "TOKEN_SPENT"


def test_a_token_is_bound_to_its_order(site: Site) -> None:
    _, token = fresh(site)
    fresh(site, "ord-2")
    answer = register(site, token, orderId="ord-2")
    assert answer.status_code == 401
    assert register(site, token).status_code == 201


def test_a_token_expires(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = fresh(site)
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert code(register(site, token)) == "TOKEN_SPENT"


def test_a_newer_token_revokes_the_older(site: Site) -> None:
    tenant, older = fresh(site)
    site.hub.store.write(lambda c: issue_token(c, tenant, 10, "cli"))
    assert code(register(site, older)) == "TOKEN_SPENT"


def test_the_old_key_lives_until_the_new_one_was_used_for_a_while(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = fresh(site)
    old = bearer(register(site, token).json()["data"]["apiKey"])
    lost = bearer(site.http.post(ROTATE, headers=old).json()["data"]["apiKey"])
    new = bearer(site.http.post(ROTATE, headers=old).json()["data"]["apiKey"])
    assert site.http.post(ROTATE, headers=lost).status_code == 401
    newest = bearer(site.http.post(ROTATE, headers=new).json()["data"]["apiKey"])
    assert site.http.post(ROTATE, headers=old).status_code == 401
    later = time.time() + 3601
    assert site.http.post(ROTATE, headers=newest).status_code == 201
    monkeypatch.setattr(time, "time", lambda: later)
    assert site.http.post(ROTATE, headers=new).status_code == 401
    assert site.http.post(ROTATE, headers=newest).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"serverId": ""}, "serverId"),
        ({"orderId": "a b"}, "orderId"),
        ({"safetyWrapperUrl": "file:///etc/passwd"}, "safetyWrapperUrl"),
        ({"wrapperVersion": "1\n2"}, "wrapperVersion"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_field_is_named(site: Site, body: dict[str, Any], field: str) -> None:
    _, token = fresh(site)
    answer = register(site, token, **body)
    assert answer.status_code == 400
    assert code(answer) == "VALIDATION_ERROR"
    assert [d["field"] for d in answer.json()["error"]["details"]] == [field]


def test_staff_make_a_tenant_once_and_suspend_it(site: Site, staff: People) -> None:
    boss = staff.add("boss", "tenants.read", "tenants.write")
    new = {"name": "Bakery", "orderId": "ord-1", "plan": "lite"}
    made = site.http.post("/api/v1/admin/tenants", headers=boss, json=new)
    same = site.http.post("/api/v1/admin/tenants", headers=boss, json=new)
    assert made.json()["data"]["id"] == same.json()["data"]["id"]
    other = new | {"plan": "scale"}
    assert (
        code(site.http.post("/api/v1/admin/tenants", headers=boss, json=other))
        == "CONFLICT"
    )
    path = f"/api/v1/admin/tenants/{made.json()['data']['id']}"
    token = site.http.post(f"{path}/registration-tokens", headers=boss, json={})
    key = register(site, token.json()["data"]["token"]).json()["data"]["apiKey"]
    site.http.post(f"{path}/suspend", headers=boss, json={"reason": "unpaid"})
    refused = site.http.post(ROTATE, headers=bearer(key))
    assert (refused.status_code, code(refused)) == (403, "TENANT_SUSPENDED")
    resumed = site.http.post(f"{path}/resume", headers=boss)
    assert resumed.json()["data"]["state"] == "active"
    assert site.http.post(ROTATE, headers=bearer(key)).status_code == 201


def test_staff_without_the_permission_are_refused(site: Site, staff: People) -> None:
    reader = staff.add("reader", "tenants.read")
    new = {"name": "Bakery", "orderId": "ord-1", "plan": "lite"}
    refused = site.http.post("/api/v1/admin/tenants", headers=reader, json=new)
    assert (refused.status_code, code(refused)) == (403, "FORBIDDEN")
