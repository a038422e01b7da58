"""The pages that notices lead to, as a browser without scripts uses them."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from hub.tests.billing.conftest import Paying
from hub.tests.site import Site, Tenant, approval
from letsbe.plugin._facade import Plugins
from letsbe_hub.accounts import people
from letsbe_hub.accounts.passwords import hash_now
from letsbe_hub.accounts.sessions import open_session
from letsbe_hub.api.app import make_app
from letsbe_hub.api.principals import TokenKind, new_token
from letsbe_hub.billing.rates import BillingSettings
from letsbe_hub.bus import LocalBus
from letsbe_hub.notifications import preferences
from letsbe_hub.notifications.templates import TEMPLATES
from letsbe_hub.opening import assemble
from letsbe_hub.pages.rendering import visible
from letsbe_hub.pages.routes import PAGES
from letsbe_hub.pages.signing import onward
from letsbe_hub.server import running
from letsbe_hub.settings import NoticeSettings, Settings
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.approvals import command_approvals
from letsbe_hub.storage.tables.people import people as table
from letsbe_hub.storage.tables.shared import outbox
from letsbe_hub.tenants import registry

PASSWORD = "seven green bicycles"
HASHED = hash_now(PASSWORD)
BASE = "http://127.0.0.1"
HERE = {"origin": BASE}


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    """A Hub with its own room of people, and a service that takes payments."""
    plugins = Plugins((), hook_timeout=2.0)
    plugins.billing_backends = (Paying(),)
    settings = Settings(billing=BillingSettings(backend="paying"))
    hub = assemble(settings, plugins, store, LocalBus(), bytes(32))
    app = make_app(hub, lambda: running(hub, chores=False))
    with TestClient(app, base_url=BASE, follow_redirects=False) as http:
        yield Site(hub, http, app)
    hub.close()


def person(store: Store, role: str, *tenants: str) -> str:
    """Make a person; return their id."""
    new = people.NewPerson(f"{role}@x.example", role, role, HASHED, tenants)
    return store.write(lambda c: people.create(c, new, "cli"))


def enter(site: Site, id_: str) -> None:
    """Let the browser have a session of a person's."""

    def opened(connection: sa.Connection) -> str:
        return open_session(connection, people.find(connection, id_), None).token

    site.http.cookies.set("letsbe", site.hub.store.write(opened))


def ask(site: Site, tenant: Tenant, **more: Any) -> str:
    path = "/api/v1/tenant/approval-request"
    answer = site.http.post(path, headers=tenant.headers, json=approval(**more))
    return str(answer.json()["data"]["approvalId"])


def fill(site: Site, path: str, action: str | None = None, **fields: str) -> Any:
    """Send a page's form, with what is hidden in it."""
    found = re.search(r'name="proof" value="(\w+)"', site.http.get(path).text)
    proof = {"proof": found[1]} if found else {}
    return site.http.post(action or path, data=fields | proof, headers=HERE)


def state(store: Store, id_: str) -> str:
    query = sa.select(command_approvals.c.state)
    found = store.read(lambda c: c.scalar(query.where(command_approvals.c.id == id_)))
    return str(found)


def test_an_owner_follows_a_notice_signs_in_and_decides_once(site: Site) -> None:
    tenant = site.tenant()
    person(site.hub.store, "owner", tenant.id)
    path = f"/approvals/{ask(site, tenant)}"
    answer = site.http.get(path)
    assert answer.headers["location"] == f"/sign-in?next={path.replace('/', '%2F')}"
    page = site.http.get(answer.headers["location"]).text
    assert f'name="next" value="{path}"' in page
    known = {"kind": "customer", "next": path, "email": "owner@x.example"}
    wrong = fill(site, "/sign-in", **known, password="wrong")
    assert (wrong.status_code, "is wrong" in wrong.text) == (401, True)
    right = fill(site, "/sign-in", **known, password=PASSWORD)
    assert (right.status_code, right.headers["location"]) == (303, path)
    flags = right.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=lax" in flags
    assert "&#34;rm&#34;" in site.http.get(path).text
    assert path in site.http.get("/").text
    refused = fill(site, path, decision="deny")
    assert (refused.status_code, "Say why" in refused.text) == (400, True)
    done = fill(site, path, decision="approve", reason="it is old")
    assert (done.status_code, done.headers["location"]) == (303, path)
    told = site.http.get(
        "/api/v1/tenant/approval-response", headers=tenant.headers
    ).json()["data"]
    assert [(d["state"], d["decisionReason"]) for d in told] == [
        ("approved", "it is old")
    ]
    late = site.http.get(path).text
    assert "<strong>approved</strong> by owner (customer)" in late
    assert "<button name=" not in late
    fill(site, "/account", "/sign-out")
    assert site.http.get(path).status_code == 303


def test_only_a_form_of_ones_own_page_decides(site: Site) -> None:
    tenant, store = site.tenant(), site.hub.store
    id_ = ask(site, tenant)
    path = f"/approvals/{id_}"
    enter(site, person(store, "delegate", tenant.id))
    found = re.search(r'name="proof" value="(\w+)"', site.http.get(path).text)
    assert found
    others = {"decision": "approve", "proof": found[1]}
    enter(site, person(store, "owner", tenant.id))
    own = re.search(r'name="proof" value="(\w+)"', site.http.get(path).text)
    assert own
    mine = {"decision": "approve", "proof": own[1]}
    for data, headers in (
        ({"decision": "approve"}, HERE),
        ({"decision": "approve", "proof": "ü"}, HERE),
        (others, HERE),
        (mine, {}),
        (mine, {"origin": "https://evil.example"}),
        (mine, {"origin": "null"}),
    ):
        answer = site.http.post(path, data=data, headers=headers)
        assert answer.status_code == 403, (data, headers)
    assert site.http.get(f"{path}?decision=approve").status_code == 200
    assert state(store, id_) == "pending"
    assert site.http.post(path, data=mine, headers=HERE).status_code == 303
    assert state(store, id_) == "approved"


@pytest.mark.parametrize("row", PAGES, ids=lambda row: f"{row.method} {row.path}")
def test_a_page_is_for_who_has_signed_in(site: Site, row: Any) -> None:
    path = row.path.replace("{id}", "apv_1")
    tenant = site.tenant()
    for token in (
        "",
        tenant.key,
        *map(new_token, TokenKind),
        "lbc_ü",
    ):
        site.http.cookies.clear()
        headers = {b"cookie": f"letsbe={token}".encode(), b"origin": BASE.encode()}
        answer = site.http.request(row.method, path, headers=headers)
        if not row.signed_in:
            assert answer.status_code in (200, 303, 400, 401, 403)
            continue
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert site.http.get("/sign-in?kind=staff").status_code == 200


def test_what_is_anothers_is_as_if_it_were_not_there(site: Site) -> None:
    mine, other = site.tenant(), site.tenant()
    id_ = ask(site, mine)
    enter(site, person(site.hub.store, "owner", other.id))
    assert id_ not in site.http.get("/").text
    path = f"/approvals/{id_}"
    assert site.http.get(path).status_code == 404
    assert fill(site, "/account", path, decision="approve").status_code == 404
    chosen = {"tenant": mine.id, "at_limit": "overage"}
    assert fill(site, "/billing", "/billing/limit", **chosen).status_code == 404
    assert mine.id not in site.http.get("/billing").text
    assert site.http.get("/operations").status_code == 404
    assert site.http.get("/approvals/a%00b").status_code == 404
    assert state(site.hub.store, id_) == "pending"


def test_staff_get_a_second_factor_before_they_see_anything(site: Site) -> None:
    path = f"/approvals/{ask(site, site.tenant())}"
    enter(site, person(site.hub.store, "admin"))
    assert site.http.get("/").headers["location"] == "/account"
    assert site.http.get(path).status_code == 403
    made = fill(site, "/account", "/account/second-factor")
    key = re.search(r'class="key"[^>]*>([A-Z2-7 ]+)<', made.text)
    assert key
    confirm = "/account/second-factor/confirm"
    assert fill(site, "/account", confirm, code="000000").status_code == 400
    code = pyotp.TOTP(key[1].replace(" ", "")).now()
    assert fill(site, "/account", confirm, code=code).status_code == 303
    assert fill(site, path, decision="deny", reason="no").status_code == 303
    assert "Founding spots left" in site.http.get("/operations").text
    signing = {"kind": "staff", "email": "admin@x.example", "password": PASSWORD}
    answer = fill(site, "/sign-in", **signing)
    assert (answer.status_code, "code too" in answer.text) == (401, True)


def test_what_an_agent_wrote_is_shown_and_does_nothing(site: Site) -> None:
    tenant = site.tenant()
    enter(site, person(site.hub.store, "owner", tenant.id))
    id_ = ask(
        site,
        tenant,
        agentId="<b>main</b>",
        reason="<script>x</script>",
        summary={"plan": {"argv": ["rm", "\u202etxt.exe"]}, "<i>": "\u200b"},
    )
    page = site.http.get(f"/approvals/{id_}").text
    for text in ("<script>x", "<b>main", "<i>", "\u202e", "\u200b"):
        assert text not in page
    assert r"\u{202e}txt.exe" in html.unescape(page)


@given(st.text())
def test_no_character_can_hide_another(text: str) -> None:
    assert visible(text).isprintable() or set(visible(text)) & {"\n", "\t"}
    assert len(visible(text)) >= len(text)


def test_an_owner_chooses_at_the_limit_and_a_delegate_looks(site: Site) -> None:
    tenant, store = site.tenant(), site.hub.store
    enter(site, person(store, "owner", tenant.id))
    assert "8,000,000 tokens" in site.http.get("/billing").text
    chosen = {"tenant": tenant.id, "at_limit": "overage", "cap": "1,000"}
    assert fill(site, "/billing", "/billing/limit", **chosen).status_code == 303
    assert 'value="1000"' in site.http.get("/billing").text
    for wrong in ({"cap": "-1"}, {"cap": "9" * 30}, {"at_limit": "free"}):
        answer = fill(site, "/billing", "/billing/limit", **(chosen | wrong))
        assert answer.status_code == 400
    page = fill(site, "/billing", "/billing/payment", tenant=tenant.id).text
    assert f'href="https://portal.example/cus_{tenant.id}"' in page
    enter(site, person(store, "delegate", tenant.id))
    assert "Choose" not in site.http.get("/billing").text
    assert fill(site, "/account", "/billing/limit", **chosen).status_code == 403


def test_a_statement_is_for_who_may_see_its_tenant(site: Site) -> None:
    mine, other, store = site.tenant(), site.tenant(), site.hub.store
    hour = int(time.time()) // 3600 * 3600
    counts = {"inputTokens": 7, "outputTokens": 0, "cachedTokens": 0, "costMicros": 0}
    bucket = {"hour": hour, "agentId": "=1+1", "model": "glm-5", "requests": 1}
    pushed = {"buckets": [bucket | counts | {"revision": 1}]}
    answer = site.http.post("/api/v1/tenant/usage", headers=mine.headers, json=pushed)
    assert answer.status_code == 200
    enter(site, person(store, "owner", mine.id))
    (path,) = re.findall(
        r'href="(/billing/statements/\w+)"', site.http.get("/billing").text
    )
    assert "glm-5" in site.http.get(path).text
    table = site.http.get(f"{path}/csv")
    assert table.headers["content-disposition"].startswith("attachment")
    assert table.text.splitlines()[1] == "'=1+1,glm-5,1,7,0,0,7,0"
    enter(site, person(store, "delegate", other.id))
    for each in (path, f"{path}/csv", "/billing/statements/per_none", "/tenants"):
        assert site.http.get(each).status_code == 404


def test_staff_page_through_tenants_and_see_one(site: Site) -> None:
    store, made = site.hub.store, [site.tenant() for _ in range(2)]
    person(store, "owner", made[0].id)
    more = [registry.NewTenant(f"T{n}", f"o{n}", "lite") for n in range(30)]
    for new in more:
        store.write(lambda c, n=new: registry.create(c, n, "cli"))  # type: ignore[misc] # bound at once
    id_ = person(store, "support")
    store.write(lambda c: c.execute(sa.update(table).values(totp_confirmed=True)))
    enter(site, id_)
    first = site.http.get("/tenants").text
    (following,) = re.findall(r'href="(/tenants\?cursor=\S+)"', first)
    second = site.http.get(html.unescape(following)).text
    seen = re.findall(r'href="/tenants/(ten_\w+)"', first + second)
    assert len(seen) == len(set(seen)) == 32
    shown = site.http.get(f"/tenants/{made[0].id}").text
    assert "owner (owner)" in shown
    assert "8,000,000 tokens" in shown
    assert site.http.get("/tenants/ten_none").status_code == 404


def test_a_thousand_approvals_are_paged_through(site: Site) -> None:
    tenant, store = site.tenant(), site.hub.store
    id_ = ask(site, tenant)
    copy = sa.select(command_approvals).where(command_approvals.c.id == id_)
    row = dict(store.read(lambda c: c.execute(copy).one()._mapping))
    rows = [
        row | {"id": f"apv_{n:04}", "tenant_approval_id": f"apr-{n}"}
        for n in range(999)
    ]
    store.write(lambda c: c.execute(sa.insert(command_approvals), rows))
    enter(site, person(store, "owner", tenant.id))
    path, seen = "/", []
    while path:
        began, answer = time.monotonic(), site.http.get(path)
        assert time.monotonic() - began < 5
        seen += re.findall(r'href="/approvals/(\w+)"', answer.text)
        following = re.search(r'href="(\S+)" rel="next"', answer.text)
        path = html.unescape(following[1]) if following else ""
    assert len(seen) == len(set(seen)) == 1000


def test_people_choose_what_they_are_told(site: Site) -> None:
    store = site.hub.store
    other, mine = person(store, "delegate"), person(store, "owner")
    for each in (mine, other):
        add = partial(preferences.add_address, person_id=each, channel="webpush")
        store.write(lambda c, a=add: a(c, address="device", label="phone"))  # type: ignore[misc] # bound at once
    hidden = {"operations": {"email": False}}
    store.write(lambda c: preferences.choose(c, mine, hidden, "cli"))
    enter(site, mine)
    path = "/account/notices"
    assert site.http.get(path).text.count(" checked") == 6
    ticked = {"approval.webpush": "on", "usage.email": "on", "operations.email": "on"}
    assert fill(site, path, **ticked).status_code == 303
    assert store.read(lambda c: preferences.chosen(c, mine)) == hidden | {
        "approval": {"email": False, "webpush": True},
        "usage": {"email": True, "webpush": False},
        "billing": {"email": False, "webpush": False},
        "account": {},
    }
    page = site.http.get(path).text
    assert page.count(" checked") == 2
    (remove,) = re.findall(r'action="(/account/addresses/\w+/remove)"', page)
    enter(site, other)
    assert fill(site, path, remove).status_code == 404
    enter(site, mine)
    assert fill(site, path, remove).status_code == 303
    assert "webpush" not in site.http.get(path).text


def test_what_is_not_there_is_a_page_for_people_and_json_for_programs(
    site: Site,
) -> None:
    enter(site, person(site.hub.store, "owner"))
    browser = {"accept": "text/html,*/*"}
    answer = site.http.get("/nowhere", headers=browser)
    assert (answer.status_code, "no such page" in answer.text) == (404, True)
    for path, headers in (("/nowhere", {}), ("/api/v1/nowhere", browser)):
        error = site.http.get(path, headers=headers).json()["error"]
        assert error["code"] == "NOT_FOUND"
    for cursor in ("x" * 500, "%00", "x"):
        assert site.http.get(f"/?cursor={cursor}").status_code == 400


def test_a_password_is_set_by_the_link_of_a_letter(site: Site) -> None:
    person(site.hub.store, "owner")
    for email in ("owner@x.example", "nobody@x.example"):
        answer = fill(site, "/password", "/password/link", email=email)
        assert "is on its way" in answer.text
    query = sa.select(outbox.c.payload).where(outbox.c.topic == "notifications")
    (payload,) = site.hub.store.read(lambda c: c.scalars(query).all())
    new = {"token": payload["values"]["token"], "password": "short"}
    assert fill(site, "/password", **new).status_code == 400
    new["password"] = "nine blue tricycles"
    assert fill(site, "/password", **new).headers["location"] == "/sign-in"
    assert fill(site, "/password", **new).status_code == 403


def test_every_notice_leads_to_a_page_that_is_there() -> None:
    there = {row.path for row in PAGES if row.method == "GET"}
    for template in TEMPLATES.values():
        path = template.path.partition("#")[0].replace("{approval}", "{id}")
        assert path in there


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/\n"]
)
def test_signing_in_leads_to_no_other_site(path: str) -> None:
    assert onward(path) == "/"


def test_behind_tls_the_cookie_is_for_this_host_alone(site: Site) -> None:
    person(site.hub.store, "owner")
    notices = NoticeSettings(portal="https://hub.example")
    settings = site.hub.settings.model_copy(update={"notices": notices})
    hub = replace(site.hub, settings=settings)
    with TestClient(make_app(hub, lambda: running(hub, chores=False))) as http:
        http.base_url = BASE
        given = {"email": "owner@x.example", "password": PASSWORD}
        answer = http.post("/sign-in", data=given, headers=HERE, follow_redirects=False)
    said = answer.headers["set-cookie"]
    assert said.startswith("__Host-letsbe=lbc_")
    assert "Secure" in said
    assert "Path=/;" in said
    assert "Domain" not in said
