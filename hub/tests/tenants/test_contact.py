"""Heartbeats, what they tell, and waiting for news."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from hub.tests.site import People, Site, Tenant
from letsbe_hub.api.principals import token_hash
from letsbe_hub.storage.tables.tenants import server_connections as servers
from letsbe_hub.storage.tables.tenants import tenants
from letsbe_hub.tenants.heartbeats import Beat, _on_postgresql, _on_sqlite
from letsbe_hub.tenants.keys import KeyRing

BEAT = "/api/v1/tenant/heartbeat"
WAIT = "/api/v1/tenant/wait"


def beat(site: Site, tenant: Tenant, **more: Any) -> Any:
    body = {"serverId": f"srv-{tenant.order}", "status": "operational"}
    said = body | {"configVersion": 0} | more
    return site.http.post(BEAT, headers=tenant.headers, json=said)


def stored(site: Site, tenant: Tenant) -> sa.Row[Any]:
    query = sa.select(servers).where(servers.c.tenant_id == tenant.id)
    return site.hub.store.read(lambda c: c.execute(query).one())


def test_a_heartbeat_is_stored_and_answered(site: Site) -> None:
    tenant = site.tenant()
    answer = beat(
        site,
        tenant,
        status="degraded",
        openclawVersion="2026.2.26",
        configVersion=3,
        configFailedVersion=4,
        configError="a tool is unknown",
        auditSeq=12,
        auditHash="a" * 64,
        approvalsWaiting=2,
        usageWaiting=5,
        sentAt=time.time() + 100,
        details={"disk": {"free": 0.5}, "text": "Zürich 🥐"},
    )
    told = answer.json()["data"]
    assert (told["configVersion"], told["decisions"], told["allowance"]) == (0, 0, None)
    assert told["heartbeatSeconds"] == 60
    row = stored(site, tenant)
    assert row.reported_status == "degraded"
    assert row.openclaw_version == "2026.2.26"
    assert (row.config_version, row.config_failed_version) == (3, 4)
    assert (row.audit_seq, row.audit_hash) == (12, "a" * 64)
    assert (row.approvals_waiting, row.usage_waiting) == (2, 5)
    assert row.clock_skew == pytest.approx(100, abs=5)
    assert row.details == {"disk": {"free": 0.5}, "text": "Zürich 🥐"}


def test_a_nul_is_refused_and_disturbs_nobody(site: Site) -> None:
    tenant = site.tenant()
    for body in ({"configError": "a\0b"}, {"details": {"text": "\\\\\0"}}):
        answer = beat(site, tenant, **body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            400,
            "VALIDATION_ERROR",
        )
        assert "NUL" in answer.json()["error"]["message"]
    assert beat(site, tenant, details={"text": "\\u0000"}).status_code == 200
    waiting = site.http.get(WAIT + "?seconds=%00", headers=tenant.headers)
    assert waiting.status_code == 400
    approval = "/api/v1/tenant/approval-response/a%00b"
    assert site.http.get(approval, headers=tenant.headers).status_code == 400


def test_the_allowance_is_passed_on(site: Site) -> None:
    tenant = site.tenant()
    site.hub.store.write(
        lambda c: c.execute(sa.text("UPDATE tenants SET allowance = '{\"cap\": 5}'"))
    )
    assert beat(site, tenant).json()["data"]["allowance"] == {"cap": 5}


def test_many_at_once_are_each_stored(site: Site) -> None:
    tenants = [site.tenant() for _ in range(6)]

    def one(number: int) -> int:
        tenant = tenants[number % 6]
        return int(beat(site, tenant, usageWaiting=number).status_code)

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(one, range(60))) == {200}
    for number, tenant in enumerate(tenants):
        assert stored(site, tenant).usage_waiting % 6 == number


def test_both_keys_of_a_rotation_may_come_in_one_batch(site: Site) -> None:
    tenant = site.tenant()
    answer = site.http.post("/api/v1/tenant/rotate-key", headers=tenant.headers)
    keys = (tenant.key, answer.json()["data"]["apiKey"], "lbk_of_nobody")
    now = time.time()
    beats = [
        Beat(token_hash(key), tenant.id, f"srv-{tenant.order}", now + n, "operational",
             None, None, None, n, None, None, None, None, 0, n, None, "{}")
        for n, key in enumerate(keys)
    ]  # fmt: skip
    store = site.hub.store
    apply = _on_sqlite if store.is_sqlite else _on_postgresql
    told = store.write(lambda c: apply(c, beats))
    assert [said is not None for said in told] == [True, True, False]
    assert stored(site, tenant).usage_waiting == 1  # the later one's


def test_a_server_that_was_replaced_is_told_so(site: Site) -> None:
    tenant = site.tenant()
    answer = beat(site, tenant, serverId="srv-old")
    assert answer.status_code == 409
    assert "another server" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "fine"),
        ("configVersion", -1),
        ("auditHash", "xyz"),
        ("usageWaiting", 2**60),
        ("usageWaiting", True),
        ("sentAt", "now"),
        ("sentAt", 1e300),
        ("details", []),
        ("safetyWrapperUrl", "javascript:x"),
        ("unknown", 1),
    ],
)
def test_a_wrong_field_is_named(site: Site, field: str, value: object) -> None:
    answer = beat(site, site.tenant(), **{field: value})
    assert answer.status_code == 400
    (detail,) = answer.json()["error"]["details"]
    assert detail["field"] == field


def test_details_have_a_limit(site: Site) -> None:
    answer = beat(site, site.tenant(), details={"x": "y" * 20_000})
    assert answer.status_code == 400


def test_waiting_ends_with_the_time(site: Site) -> None:
    tenant = site.tenant()
    answer = site.http.get(WAIT, headers=tenant.headers, params={"seconds": "0.05"})
    assert answer.json()["data"] == {"news": []}


def test_waiting_ends_with_news(site: Site, staff: People) -> None:
    tenant = site.tenant()
    boss = staff.add("boss", "configuration.write")
    found: list[Any] = []

    def wait() -> None:
        query = {"seconds": "20"}
        found.append(site.http.get(WAIT, headers=tenant.headers, params=query).json())

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.2)
    path = f"/api/v1/admin/tenants/{tenant.id}/configuration"
    patch = {"patch": {"autonomyLevel": 3}, "note": "trusted"}
    assert site.http.patch(path, headers=boss, json=patch).status_code == 200
    waiter.join(10)
    assert found[0]["data"] == {"news": ["configuration"]}
    at_once = site.http.get(WAIT, headers=tenant.headers, params={"seconds": "20"})
    assert at_once.json()["data"] == {"news": ["configuration"]}
    known = {"seconds": "0.05", "configVersion": "1"}
    later = site.http.get(WAIT, headers=tenant.headers, params=known)
    assert later.json()["data"] == {"news": []}


def test_keys_in_use_are_recalled_and_still_checked(site: Site) -> None:
    used, suspended, unused = site.tenant(), site.tenant(), site.tenant()
    assert beat(site, used).status_code == beat(site, suspended).status_code == 200
    keys = KeyRing(site.hub.store)
    keys.recall()
    assert keys._seen == {
        token_hash(tenant.key): tenant.id for tenant in (used, suspended)
    }
    keys.close()
    site.hub.keys.recall()
    site.hub.store.write(
        lambda c: c.execute(
            sa.update(tenants)
            .where(tenants.c.id == suspended.id)
            .values(state="closed")
        )
    )
    for path in (WAIT + "?seconds=0.01", "/api/v1/tenant/config"):
        assert site.http.get(path, headers=used.headers).status_code == 200
        assert site.http.get(path, headers=unused.headers).status_code == 200
        refused = site.http.get(path, headers=suspended.headers)
        assert refused.json()["error"]["code"] == "TENANT_SUSPENDED"


def test_no_more_wait_than_there_is_room_for_and_none_when_the_hub_stops(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = site.tenant(), site.tenant()
    news, portal = site.hub.news, site.http.portal
    assert portal is not None
    monkeypatch.setattr(news, "_most", 1)
    with ThreadPoolExecutor(1) as threads:
        query = {"seconds": "30"}
        held = threads.submit(site.http.get, WAIT, headers=first.headers, params=query)
        until = time.monotonic() + 10
        while not news._waiting and time.monotonic() < until:
            time.sleep(0.01)
        full = site.http.get(WAIT, headers=second.headers)
        assert (full.status_code, full.json()["error"]["code"]) == (503, "OVERLOADED")
        assert int(full.headers["retry-after"]) >= 60
        assert beat(site, second).status_code == 200
        portal.call(news.release)
        assert held.result(10).json()["data"] == {"news": []}
    query = {"seconds": "0.01"}
    answer = site.http.get(WAIT, headers=second.headers, params=query)
    assert answer.status_code == 200
