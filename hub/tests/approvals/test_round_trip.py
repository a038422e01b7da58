"""An approval from the tenant's question to its outcome, and what cannot happen."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from hub.tests.site import People, Site, Tenant, approval
from letsbe_hub.approvals import decisions, requests
from letsbe_hub.errors import ApprovalClosed, Forbidden
from letsbe_hub.storage.tables.approvals import command_approvals as approvals
from letsbe_hub.storage.tables.shared import acts

ASK = "/api/v1/tenant/approval-request"
RESPONSE = "/api/v1/tenant/approval-response"
ADMIN = "/api/v1/admin/approvals"
CUSTOMER = "/api/v1/customer/approvals"


def ask(site: Site, tenant: Tenant, id_: str = "apr_1", **more: Any) -> Any:
    return site.http.post(ASK, headers=tenant.headers, json=approval(id_, **more))


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def test_from_the_question_to_the_outcome(site: Site, customers: People) -> None:
    tenant = site.tenant()
    mine = frozenset({tenant.id})
    owner = customers.add("owner", "approvals.decide", tenants=mine)
    asked = ask(site, tenant).json()["data"]
    assert asked["state"] == "pending"
    (listed,) = site.http.get(CUSTOMER, headers=owner).json()["data"]
    assert listed["summary"] == {"plan": {"argv": [["rm", "-r", "old"]]}}
    path = f"{CUSTOMER}/{asked['approvalId']}"
    decided = site.http.post(f"{path}/approve", headers=owner, json={"reason": "ok"})
    assert decided.json()["data"]["state"] == "approved"
    beat = {"serverId": f"srv-{tenant.order}", "status": "operational"}
    told = site.http.post(
        "/api/v1/tenant/heartbeat",
        headers=tenant.headers,
        json=beat | {"configVersion": 0},
    )
    assert told.json()["data"]["decisions"] == 1
    (decision,) = site.http.get(RESPONSE, headers=tenant.headers).json()["data"]
    assert decision["tenantApprovalId"] == "apr_1"
    assert decision["decidedBy"] == "customer:owner"
    for state in ("delivered", "delivered", "done", "done"):
        said = {"state": state, "outcome": {"exit": 0} if state == "done" else None}
        answer = site.http.post(
            f"{RESPONSE}/{asked['approvalId']}", headers=tenant.headers, json=said
        )
        assert answer.status_code == 200
    assert site.http.get(RESPONSE, headers=tenant.headers).json()["data"] == []
    shown = site.http.get(path, headers=owner).json()["data"]
    assert (shown["state"], shown["outcome"]) == ("done", {"exit": 0})
    steps = [(step["event"], step["actor"]) for step in shown["events"]]
    assert steps == [
        ("asked", f"tenant:{tenant.id}"),
        ("approved", "customer:owner"),
        ("delivered", f"tenant:{tenant.id}"),
        ("done", f"tenant:{tenant.id}"),
    ]
    query = sa.select(acts.c.act).where(acts.c.actor == "customer:owner")
    acted = site.hub.store.read(lambda c: c.scalars(query).all())
    assert acted == ["approval.approved"]


def test_asking_again_is_the_same_approval(site: Site) -> None:
    tenant, other = site.tenant(), site.tenant()
    first = ask(site, tenant).json()["data"]["approvalId"]
    assert ask(site, tenant).json()["data"]["approvalId"] == first
    assert ask(site, other).json()["data"]["approvalId"] != first
    assert code(ask(site, tenant, digest="1" * 64)) == "CONFLICT"


def test_a_denial_says_why(site: Site, staff: People) -> None:
    tenant = site.tenant()
    boss = staff.add("boss", "approvals.decide", "approvals.read")
    path = f"{ADMIN}/{ask(site, tenant).json()['data']['approvalId']}"
    silent = site.http.post(f"{path}/deny", headers=boss, json={})
    assert silent.status_code == 400
    site.http.post(f"{path}/deny", headers=boss, json={"reason": "keep them"})
    (decision,) = site.http.get(RESPONSE, headers=tenant.headers).json()["data"]
    assert (decision["state"], decision["decisionReason"]) == ("denied", "keep them")
    again = site.http.post(f"{path}/approve", headers=boss, json={})
    assert (again.status_code, code(again)) == (409, "APPROVAL_CLOSED")


def test_of_many_who_decide_at_once_one_succeeds(site: Site, staff: People) -> None:
    tenant = site.tenant()
    path = f"{ADMIN}/{ask(site, tenant).json()['data']['approvalId']}"
    people = [staff.add(f"p{n}", "approvals.decide") for n in range(8)]

    def decide(number: int) -> int:
        verb = "approve" if number % 2 else "deny"
        said = {"reason": "so"}
        answer = site.http.post(f"{path}/{verb}", headers=people[number], json=said)
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as threads:
        codes = sorted(threads.map(decide, range(8)))
    assert codes == [200] + [409] * 7


def test_an_expired_approval_cannot_be_decided(
    site: Site, staff: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = site.tenant()
    boss = staff.add("boss", "approvals.decide", "approvals.read")
    path = f"{ADMIN}/{ask(site, tenant).json()['data']['approvalId']}"
    later = time.time() + 7201
    monkeypatch.setattr(time, "time", lambda: later)
    late = site.http.post(f"{path}/approve", headers=boss, json={})
    assert (late.status_code, code(late)) == (409, "APPROVAL_CLOSED")
    assert site.http.get(path, headers=boss).json()["data"]["state"] == "expired"
    pending = {"state": "pending"}
    assert site.http.get(ADMIN, headers=boss, params=pending).json()["data"] == []
    assert site.hub.store.write(decisions.expire) == 1
    assert site.hub.store.write(decisions.expire) == 0
    events = site.http.get(path, headers=boss).json()["data"]["events"]
    assert events[-1]["event"] == "expired"


def test_what_the_tenant_withdrew_is_closed(site: Site, staff: People) -> None:
    tenant = site.tenant()
    boss = staff.add("boss", "approvals.decide")
    approval = ask(site, tenant).json()["data"]["approvalId"]
    said = {"state": "withdrawn"}
    site.http.post(f"{RESPONSE}/{approval}", headers=tenant.headers, json=said)
    late = site.http.post(f"{ADMIN}/{approval}/approve", headers=boss, json={})
    assert code(late) == "APPROVAL_CLOSED"
    other = site.http.post(
        f"{RESPONSE}/{approval}", headers=tenant.headers, json={"state": "done"}
    )
    assert code(other) == "APPROVAL_CLOSED"


def test_a_server_cannot_decide(site: Site) -> None:
    from letsbe_hub.api.principals import Audience, Principal  # noqa: PLC0415

    tenant = site.tenant()
    approval = ask(site, tenant).json()["data"]["approvalId"]
    server = Principal(
        Audience.TENANT,
        tenant.id,
        frozenset({"approvals.decide"}),
        frozenset({tenant.id}),
    )
    with pytest.raises(Forbidden):
        site.hub.store.write(
            lambda c: decisions.decide(c, server, approval, "approved", None)
        )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"digest": "x"}, "digest"),
        ({"tier": "MAUVE"}, "tier"),
        ({"summary": []}, "summary"),
        ({"external": "no"}, "external"),
        ({"tenantApprovalId": "a b"}, "tenantApprovalId"),
    ],
)
def test_a_wrong_field_is_named(site: Site, more: dict[str, Any], field: str) -> None:
    answer = ask(site, site.tenant(), **more)
    assert answer.status_code == 400
    assert [d["field"] for d in answer.json()["error"]["details"]] == [field]


def test_a_summary_has_a_limit_and_so_has_the_time(site: Site) -> None:
    tenant = site.tenant()
    assert ask(site, tenant, summary={"x": "y" * 70_000}).status_code == 400
    assert ask(site, tenant, expiresAt=time.time() + 31 * 86400).status_code == 400


def test_a_listener_hears_of_each_approval_once(site: Site) -> None:
    heard: list[str] = []
    site.hub.approval_listeners.append(lambda _, row: heard.append(row.id))
    tenant = site.tenant()
    approval = ask(site, tenant).json()["data"]["approvalId"]
    ask(site, tenant)
    assert heard == [approval]


def test_a_thousand_open_approvals_page_well(site: Site, staff: People) -> None:
    tenant = site.tenant()
    boss = staff.add("boss", "approvals.read")

    def fill(connection: sa.Connection) -> None:
        for number in range(1000):
            asked = requests.Asked(
                f"apr_{number}", "0" * 64, "main", "shell", "RED", False, "r", {}, 9e9
            )
            requests.ask(connection, tenant.id, asked)

    site.hub.store.write(fill)
    seen: set[str] = set()
    cursor: str | None = None
    slowest = 0.0
    while True:
        query = {"limit": "200", "state": "pending"}
        began = time.process_time()
        answer = site.http.get(
            ADMIN, headers=boss, params=query | ({"cursor": cursor} if cursor else {})
        ).json()
        slowest = max(slowest, time.process_time() - began)
        seen |= {row["id"] for row in answer["data"]}
        cursor = answer["meta"]["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == 1000
    assert slowest < 1.0
    counted = sa.select(sa.func.count()).select_from(approvals)
    assert site.hub.store.read(lambda c: c.scalar(counted)) == 1000


def test_a_report_of_what_is_settled_otherwise_is_refused(site: Site) -> None:
    tenant = site.tenant()
    approval = ask(site, tenant).json()["data"]["approvalId"]
    site.hub.store.write(
        lambda c: requests.report(c, tenant.id, approval, "failed", {"code": "x"})
    )
    with pytest.raises(ApprovalClosed):
        site.hub.store.write(
            lambda c: requests.report(c, tenant.id, approval, "done", None)
        )
