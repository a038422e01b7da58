"""What every endpoint shares: envelope, pages, idempotency, limits, the document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from hub.tests.described import DESCRIBED, check
from hub.tests.site import People, Site
from letsbe_hub.api.limits import Limit, Limiter
from letsbe_hub.api.paging import PageQuery, _decoded, _encoded, paged
from letsbe_hub.errors import InvalidRequest, RateLimited
from letsbe_hub.tenants import registry

TENANTS = "/api/v1/admin/tenants"


def new(number: int) -> dict[str, str]:
    return {"name": f"Shop {number}", "orderId": f"ord-{number}", "plan": "lite"}


def test_pages_follow_each_other_and_lose_nothing(site: Site, staff: People) -> None:
    boss = staff.add("boss", "tenants.read", "tenants.write")
    for number in range(7):
        site.http.post(TENANTS, headers=boss, json=new(number))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        answer = site.http.get(TENANTS, headers=boss, params=query).json()
        seen += [row["orderId"] for row in answer["data"]]
        site.http.post(TENANTS, headers=boss, json=new(100 + len(seen)))
        cursor = answer["meta"]["nextCursor"]
        if cursor is None:
            break
    assert seen == [f"ord-{number}" for number in reversed(range(7))]


@pytest.mark.parametrize("cursor", ["x", "!!!!", "W10", "WzFd", "e30", "a" * 401])
def test_a_foreign_cursor_is_refused(site: Site, staff: People, cursor: str) -> None:
    boss = staff.add("boss", "tenants.read")
    answer = site.http.get(TENANTS, headers=boss, params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False))))
def test_a_cursor_gives_back_what_was_put_in(values: list[object]) -> None:
    assert _decoded(_encoded(values), len(values)) == values


@given(st.text(max_size=400))
def test_any_other_cursor_is_refused_or_harmless(text: str) -> None:
    def statement(cursor: str | None) -> str:
        return str(paged(registry.listing(), PageQuery(cursor=cursor), *registry.ORDER))

    try:
        made = statement(text)
    except InvalidRequest:
        return
    # What is in a cursor is bound to a statement, and never a part of it.
    assert made in {statement(None), statement(_encoded([1.0, "ten_1"]))}


def test_a_repeated_request_gets_the_first_answer(site: Site, staff: People) -> None:
    boss = staff.add("boss", "tenants.write")
    key = boss | {"idempotency-key": "key-00001"}
    first = site.http.post(TENANTS, headers=key, json=new(1))
    again = site.http.post(TENANTS, headers=key, json=new(1))
    assert first.content == again.content
    assert again.headers["idempotent-replay"] == "true"
    other = site.http.post(TENANTS, headers=key, json=new(2))
    assert other.status_code == 409
    assert "take a new one" in other.json()["error"]["message"]


def test_one_keys_answer_is_not_anothers(site: Site, staff: People) -> None:
    for name in ("one", "two"):
        headers = staff.add(name, "tenants.write") | {"idempotency-key": "key-00001"}
        answer = site.http.post(TENANTS, headers=headers, json=new(ord(name[0])))
        assert answer.status_code == 201
        assert "idempotent-replay" not in answer.headers


def test_an_answer_with_a_token_is_not_kept(site: Site, staff: People) -> None:
    boss = staff.add("boss", "tenants.write") | {"idempotency-key": "key-00001"}
    tenant = site.http.post(TENANTS, headers=boss, json=new(1)).json()["data"]["id"]
    boss["idempotency-key"] = "key-00002"
    path = f"{TENANTS}/{tenant}/registration-tokens"
    assert site.http.post(path, headers=boss, json={}).status_code == 201
    again = site.http.post(path, headers=boss, json={})
    assert again.status_code == 409
    assert "lbr_" not in again.text


@pytest.mark.parametrize("key", ["short", "with space in", "x" * 129])
def test_a_key_of_another_form_is_refused(site: Site, staff: People, key: str) -> None:
    headers = staff.add("boss", "tenants.write") | {"idempotency-key": key}
    assert site.http.post(TENANTS, headers=headers, json=new(1)).status_code == 400


def test_a_limit_fills_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limiter = Limiter(Limit(per_minute=60, burst=2))
    limiter.take("a")
    limiter.take("a")
    limiter.take("b")
    with pytest.raises(RateLimited) as caught:
        limiter.take("a")
    assert caught.value.seconds == 1
    now = 1.0
    limiter.take("a")


def test_too_many_wrong_tokens_are_slowed_down(site: Site) -> None:
    wrong = {"authorization": "Bearer lbk_wrong"}
    path = "/api/v1/tenant/rotate-key"
    codes = [site.http.post(path, headers=wrong).status_code for _ in range(40)]
    assert codes[0] == 401
    assert codes[-1] == 429
    answer = site.http.post(path, headers=wrong)
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["code"] == "RATE_LIMITED"


def test_what_is_not_there_is_said_in_the_envelope(site: Site) -> None:
    answer = site.http.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"
    answer = site.http.get("/api/v1/tenant/register")
    assert answer.status_code == 405
    assert answer.json()["success"] is False


def test_bodies_that_are_wrong_are_named_errors(site: Site, staff: People) -> None:
    boss = staff.add("boss", "tenants.write")
    for body in (b"{", b"[]", b"null", b'{"name": "\xff"}', b"1" * 100, b"[" * 9999):
        answer = site.http.post(TENANTS, headers=boss, content=body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    large = site.http.post(TENANTS, headers=boss, content=b" " * (1024 * 1024 + 1))
    assert large.status_code == 413
    assert large.json()["error"]["code"] == "TOO_LARGE"


def test_a_foreign_host_is_refused(site: Site) -> None:
    answer = site.http.get("/healthz", headers={"host": "evil.example"})
    assert answer.status_code == 403


def test_health_readiness_and_metrics(site: Site) -> None:
    assert site.http.get("/healthz").json() == {"status": "ok"}
    ready = site.http.get("/readyz").json()
    assert ready == {"ready": True, "checks": {"database": "ok", "bus": "ok"}}
    site.http.get("/api/v1/nothing")
    site.http.get(TENANTS)
    metrics = site.http.get("/metrics").text
    assert 'letsbe_hub_requests_total{endpoint="none",status="404"} 1.0' in metrics
    assert f'endpoint="GET {TENANTS}",status="401"' in metrics


def test_a_database_that_is_away_is_said_without_its_address(
    site: Site, staff: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise sa.exc.OperationalError("SELECT secret", {}, Exception())

    monkeypatch.setattr(site.hub.store.engine, "connect", away)
    boss = staff.add("boss", "tenants.read")
    answer = site.http.get(TENANTS, headers=boss)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "STORAGE_UNAVAILABLE"
    ready = site.http.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    for said in (answer, ready):
        assert site.hub.store.shown not in said.text
        assert "secret" not in said.text
    assert site.http.get("/healthz").status_code == 200
    metrics = site.http.get("/metrics").text
    assert f'endpoint="GET {TENANTS}",status="503"' in metrics


def test_the_document_describes_every_endpoint(site: Site) -> None:
    document = site.http.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    refs = [r for r in _refs(document) if r.startswith("#/components/schemas/")]
    assert {ref.rsplit("/", 1)[1] for ref in refs} <= schemas.keys()
    register = document["paths"]["/api/v1/tenant/register"]["post"]
    assert register["security"] == [{"registrationToken": []}]
    assert "registrationToken" in document["components"]["securitySchemes"]
    assert register["requestBody"]["required"]
    assert "2XX" in register["responses"]
    assert "orderId" in schemas["RegisterBody"]["properties"]
    ids = [
        op["operationId"] for path in document["paths"].values() for op in path.values()
    ]
    assert len(ids) == len(set(ids))


def _refs(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for item in value.values() for ref in _refs(item)]
    if isinstance(value, list):
        return [ref for item in value for ref in _refs(item)]
    return []


def test_the_document_is_openapi_and_has_every_endpoint(site: Site) -> None:
    served = site.http.get("/api/v1/openapi.json").json()
    OpenAPIV31SpecValidator(served).validate()
    assert served == DESCRIBED
    routes = {
        (method, route.path)
        for route in site.app.routes
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {
        (method.upper(), path)
        for path, operations in served["paths"].items()
        for method in operations
    }
    assert routes - described == {("GET", "/api/v1/openapi.json")}
    assert described <= routes


def test_an_answer_that_is_not_as_described_is_found(site: Site) -> None:
    said: dict[str, Any] = {"success": True, "data": {"token": 1}, "meta": {}}
    path = "http://127.0.0.1/api/v1/public/sign-in"
    request = httpx.Request("POST", path, json={"kind": "nobody"})
    for status, body in ((201, said), (400, said), (201, {"success": True})):
        with pytest.raises(ValidationError):
            check(httpx.Response(status, json=body, request=request))
    good = {"token": "x", "expiresAt": "2026-01-01T00:00:00.000Z"}
    answered = httpx.Response(201, json=said | {"data": good}, request=request)
    with pytest.raises(ValidationError, match="nobody"):
        check(answered)
