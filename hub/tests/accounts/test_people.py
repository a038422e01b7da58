"""People sign in, prove it twice, and cannot be locked out by others."""

from __future__ import annotations

import time
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from hub.tests.described import hold
from hub.tests.site import bearer
from letsbe.plugin._facade import Plugins
from letsbe_hub.accounts import guarding, people, sessions
from letsbe_hub.accounts.passwords import Passwords, check_form, hash_now
from letsbe_hub.accounts.signing_in import Attempt
from letsbe_hub.api.app import make_app
from letsbe_hub.bus import LocalBus
from letsbe_hub.errors import InvalidRequest, RateLimited, Unauthenticated
from letsbe_hub.opening import Hub, assemble
from letsbe_hub.server import running
from letsbe_hub.settings import Settings
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.people import people as people_table
from letsbe_hub.storage.tables.people import sessions as session_table
from letsbe_hub.storage.tables.shared import acts, outbox
from letsbe_hub.tenants.registry import NewTenant
from letsbe_hub.tenants.registry import create as create_tenant

pytestmark = pytest.mark.anyio

PASSWORD = "seven green bicycles"
HASHED = hash_now(PASSWORD)
HOME, ATTACKER = "192.0.2.7", "198.51.100.9"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def hub(store: Store) -> Any:
    made = assemble(Settings(), Plugins((), hook_timeout=2.0), store, LocalBus(), KEY)
    yield made
    made.close()


KEY = bytes(range(32))


@pytest.fixture
def http(hub: Hub) -> Any:
    app = make_app(hub, lambda: running(hub, chores=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        hold(client)
        yield client


def person(hub: Hub, role: str = "owner", email: str = "o@example.com") -> str:
    def make(connection: sa.Connection) -> str:
        tenants: tuple[str, ...] = ()
        if role in ("owner", "delegate"):
            new = NewTenant("Shop", f"order-{email}", "lite")
            tenants = (create_tenant(connection, new, "cli"),)
        made = people.NewPerson(email, "O", role, HASHED, tenants)
        return people.create(connection, made, "cli")

    return hub.store.write(make)


def attempt(
    password: str = PASSWORD,
    *,
    address: str = HOME,
    kind: str = "customer",
    email: str = "o@example.com",
    code: str | None = None,
) -> Attempt:
    return Attempt(kind, email, password, code, address)


async def fails(hub: Hub, *, times: int, addresses: int = 1) -> None:
    for n in range(times):
        address = f"198.51.{n % addresses}.9" if addresses > 1 else ATTACKER
        with pytest.raises((Unauthenticated, RateLimited)):
            await hub.sign_in.sign_in(attempt("wrong", address=address))


def sign_in(http: TestClient, **more: Any) -> Any:
    body = {"kind": "customer", "email": "o@example.com", "password": PASSWORD}
    return http.post("/api/v1/public/sign-in", json={**body, **more})


class Quick(Passwords):
    """Knows one password without the work of a hash."""

    async def verify(self, hashed: str | None, password: str) -> bool:  # type: ignore[explicit-override]  # a test's
        return hashed is not None and password == PASSWORD


@pytest.fixture
def quick(hub: Hub) -> None:
    hub.sign_in.passwords = Quick()


async def test_passwords_are_checked_and_of_nobody_too() -> None:
    passwords = Passwords()
    assert await passwords.verify(HASHED, PASSWORD)
    assert not await passwords.verify(HASHED, PASSWORD + "x")
    assert not await passwords.verify(None, PASSWORD)
    assert not await passwords.verify("no hash", PASSWORD)
    assert HASHED.startswith("$argon2id$")


@pytest.mark.parametrize(
    "password", ["short", "a" * 40, "x" * 257, "me.owner-rules12", ""]
)
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(InvalidRequest):
        check_form(password, "me.owner@example.com")


def test_a_session_lets_in_where_it_should(hub: Hub, http: TestClient) -> None:
    person(hub)
    answer = sign_in(http)
    assert answer.status_code == 201, answer.text
    token = answer.json()["data"]["token"]
    me = http.get("/api/v1/customer/account", headers=bearer(token)).json()["data"]
    assert (me["email"], me["role"]) == ("o@example.com", "owner")
    (tenant,) = me["tenants"]
    path = f"/api/v1/customer/tenants/{tenant}/billing"
    assert http.get(path, headers=bearer(token)).status_code == 200
    assert http.get("/api/v1/admin/account", headers=bearer(token)).status_code == 401
    for wrong in (
        {"password": "wrong"},
        {"email": "x@example.com"},
        {"kind": "staff"},
    ):
        refused = sign_in(http, **wrong)
        assert refused.status_code == 401
        assert "wrong" in refused.json()["error"]["message"]
    out = http.delete("/api/v1/customer/account/session", headers=bearer(token))
    assert out.status_code == 200
    ended = http.get("/api/v1/customer/account", headers=bearer(token))
    assert ended.status_code == 401


def test_a_replaced_token_that_comes_late_ends_every_session_of_its_family(
    hub: Hub, http: TestClient, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(hub)
    path = "/api/v1/customer/account"
    old = sign_in(http).json()["data"]["token"]
    answer = http.post(f"{path}/session/rotate", headers=bearer(old))
    new = answer.json()["data"]["token"]
    assert http.get(path, headers=bearer(old)).status_code == 200  # under way
    monkeypatch.setattr(sessions, "OVERLAP_SECONDS", -1.0)
    assert http.get(path, headers=bearer(new)).status_code == 200
    assert http.get(path, headers=bearer(old)).status_code == 401  # stolen
    assert http.get(path, headers=bearer(new)).status_code == 401
    noted = hub.store.read(lambda c: c.scalars(sa.select(acts.c.act)).all())
    assert "session.stolen" in noted


@pytest.mark.parametrize("column", ["expires_at", "used_at"])
def test_a_session_ends_by_itself(
    hub: Hub, http: TestClient, quick: None, column: str
) -> None:
    person(hub)
    token = sign_in(http).json()["data"]["token"]
    values = {column: time.time() - 15 * 86_400}
    hub.store.write(lambda c: c.execute(sa.update(session_table).values(values)))
    answer = http.get("/api/v1/customer/account", headers=bearer(token))
    assert answer.status_code == 401


def test_staff_need_a_second_factor_before_they_may_do_anything(
    hub: Hub, http: TestClient, quick: None
) -> None:
    person(hub, "admin", "a@example.com")
    staff = {"kind": "staff", "email": "a@example.com"}
    token = sign_in(http, **staff).json()["data"]["token"]
    tenants = "/api/v1/admin/tenants"
    assert http.get(tenants, headers=bearer(token)).status_code == 403
    factor = "/api/v1/admin/account/second-factor"
    made = http.post(factor, headers=bearer(token)).json()["data"]
    assert made["uri"].startswith("otpauth://totp/")
    code = pyotp.TOTP(made["secret"]).now()
    wrong = {"code": f"{(int(code) + 1) % 1_000_000:06}"}
    refused = http.post(f"{factor}/confirm", headers=bearer(token), json=wrong)
    assert refused.status_code == 400
    done = http.post(f"{factor}/confirm", headers=bearer(token), json={"code": code})
    assert done.status_code == 200
    assert http.get(tenants, headers=bearer(token)).status_code == 200
    missing = sign_in(http, **staff)
    assert missing.json()["error"]["code"] == "SECOND_FACTOR_REQUIRED"
    used = sign_in(http, **staff, code=code)  # each code is good once
    assert used.status_code == 401
    later = pyotp.TOTP(made["secret"]).at(int(time.time()) + 30)
    assert sign_in(http, **staff, code=later).status_code == 201


async def test_guessing_locks_out_the_guesser_and_nobody_else(
    hub: Hub, quick: None
) -> None:
    person(hub)
    await hub.sign_in.sign_in(attempt())
    await fails(hub, times=12)
    with pytest.raises(RateLimited):  # even with the right password
        await hub.sign_in.sign_in(attempt(address=ATTACKER))
    await hub.sign_in.sign_in(attempt())
    await hub.sign_in.sign_in(attempt(address="203.0.113.5"))


async def test_guessing_from_many_networks_closes_the_unknown_ones_only(
    hub: Hub, quick: None
) -> None:
    person(hub)
    await hub.sign_in.sign_in(attempt())
    await fails(hub, times=60, addresses=60)
    with pytest.raises(RateLimited):
        await hub.sign_in.sign_in(attempt(address="203.0.113.5"))
    await hub.sign_in.sign_in(attempt())  # the owner's own network
    told = hub.store.read(lambda c: c.scalars(sa.select(outbox.c.dedupe)).all())
    assert [t for t in told if t.startswith("notice:guarded:")]


async def test_people_who_do_not_exist_are_guarded_alike(hub: Hub, quick: None) -> None:
    for _ in range(6):
        with pytest.raises((Unauthenticated, RateLimited)):
            await hub.sign_in.sign_in(attempt("x", email="nobody@example.com"))
    with pytest.raises(RateLimited):
        await hub.sign_in.sign_in(attempt("x", email="nobody@example.com"))


def test_a_network_is_what_one_subscriber_has() -> None:
    assert guarding.network_of("192.0.2.7") == "192.0.2.0/24"
    assert guarding.network_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert guarding.network_of("testclient") == "unknown"


def link(hub: Hub) -> str:
    rows = hub.store.read(lambda c: c.execute(sa.select(outbox)).all())
    tokens = [r.payload["values"].get("token") for r in rows]
    return str(next(token for token in reversed(tokens) if token))


def test_a_password_is_set_by_a_letter_once(hub: Hub, http: TestClient) -> None:
    person(hub)
    old = sign_in(http).json()["data"]["token"]
    ask = "/api/v1/public/password-link"
    known = http.post(ask, json={"kind": "customer", "email": "O@example.com"})
    unknown = http.post(ask, json={"kind": "customer", "email": "x@example.com"})
    assert (known.status_code, known.content) == (202, unknown.content)
    token, path = link(hub), "/api/v1/public/password"
    weak = http.post(path, json={"token": token, "password": "short"})
    assert weak.status_code == 400
    new = "nine purple lanterns"
    assert http.post(path, json={"token": token, "password": new}).status_code == 200
    again = http.post(path, json={"token": token, "password": new})
    assert again.json()["error"]["code"] == "TOKEN_SPENT"
    answer = http.get("/api/v1/customer/account", headers=bearer(old))
    assert answer.status_code == 401
    assert sign_in(http).status_code == 401
    assert sign_in(http, password=new).status_code == 201


def test_the_last_admin_stays_and_a_disabled_person_is_out(
    hub: Hub, http: TestClient, quick: None
) -> None:
    admin = person(hub, "admin", "a@example.com")
    owner = person(hub)
    token = sign_in(http).json()["data"]["token"]
    hub.store.write(lambda c: people.set_state(c, owner, "disabled", "cli"))
    answer = http.get("/api/v1/customer/account", headers=bearer(token))
    assert answer.status_code == 401
    assert sign_in(http).status_code == 401
    with pytest.raises(Exception, match="last admin"):
        hub.store.write(lambda c: people.set_state(c, admin, "disabled", "cli"))


def test_a_delegate_may_decide_and_not_pay(
    hub: Hub, http: TestClient, quick: None
) -> None:
    person(hub, "delegate")
    token = sign_in(http).json()["data"]["token"]
    me = http.get("/api/v1/customer/account", headers=bearer(token)).json()["data"]
    path = f"/api/v1/customer/tenants/{me['tenants'][0]}/billing"
    assert http.get(path, headers=bearer(token)).status_code == 200
    answer = http.put(
        f"{path}/limit", headers=bearer(token), json={"atLimit": "overage"}
    )
    assert answer.status_code == 403


def test_what_people_do_is_recorded(hub: Hub, http: TestClient, quick: None) -> None:
    owner = person(hub)
    token = sign_in(http).json()["data"]["token"]
    me = http.get("/api/v1/customer/account", headers=bearer(token)).json()["data"]
    path = f"/api/v1/customer/tenants/{me['tenants'][0]}/billing/limit"
    body = {"atLimit": "overage", "capTokens": 5_000}
    answer = http.put(path, headers=bearer(token), json=body)
    assert answer.status_code == 200
    rows = hub.store.read(lambda c: c.execute(sa.select(acts)).all())
    done = [(r.actor, r.act) for r in rows if r.actor == f"customer:{owner}"]
    assert done == [
        (f"customer:{owner}", "session.open"),
        (f"customer:{owner}", "billing.limit"),
    ]


def test_preferences_and_addresses_are_ones_own(
    hub: Hub, http: TestClient, quick: None
) -> None:
    person(hub)
    token = bearer(sign_in(http).json()["data"]["token"])
    base = "/api/v1/customer/account"
    listed = http.get(f"{base}/notice-addresses", headers=token).json()["data"]
    assert [a["channel"] for a in listed] == ["email"]
    unknown = {"channel": "pigeon", "address": "x"}
    refused = http.post(f"{base}/notice-addresses", headers=token, json=unknown)
    assert refused.json()["error"]["details"][0]["field"] == "channel"
    wanted = {"wanted": {"usage": {"email": False}}}
    path = f"{base}/notice-preferences"
    assert http.put(path, headers=token, json=wanted).status_code == 200
    assert http.get(path, headers=token).json()["data"]["wanted"]["usage"] == {
        "email": False
    }
    wrong = {"wanted": {"gossip": {"email": False}}}
    assert http.put(path, headers=token, json=wrong).status_code == 400


def test_staff_give_a_customer_a_tenant_and_take_it_away(
    hub: Hub, http: TestClient, quick: None
) -> None:
    owner, boss = person(hub), person(hub, "admin", "a@example.com")

    def entered(connection: sa.Connection) -> str:
        staff = people.find(connection, boss)
        return sessions.open_session(connection, staff, None).token

    change = sa.update(people_table).values(totp_confirmed=True)
    hub.store.write(lambda c: c.execute(change.where(people_table.c.id == boss)))
    staff = bearer(hub.store.write(entered))
    new = NewTenant("Bakery", "ord-7", "lite")
    tenant = hub.store.write(lambda c: create_tenant(c, new, "cli"))
    mine = bearer(sign_in(http).json()["data"]["token"])
    theirs = f"/api/v1/customer/tenants/{tenant}/billing"
    place = f"/api/v1/admin/people/{owner}/tenants"
    assert http.get(theirs, headers=mine).status_code == 404
    given = http.put(f"{place}/{tenant}", headers=staff).json()["data"]
    assert tenant in given["tenants"]
    assert http.get(theirs, headers=mine).status_code == 200
    assert http.put(f"{place}/ten_none", headers=staff).status_code == 404
    taken = http.delete(f"{place}/{tenant}", headers=staff).json()["data"]
    assert tenant not in taken["tenants"]
    assert http.get(theirs, headers=mine).status_code == 404
    shown = http.get(f"/api/v1/admin/people/{owner}", headers=staff).json()["data"]
    assert shown == taken
