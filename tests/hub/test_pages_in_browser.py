"""The Hub's pages in a real browser, at a real Hub: what owners and staff do."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect

from hub.tests.site import approval, bearer
from letsbe_hub.accounts import people
from letsbe_hub.accounts.passwords import hash_now
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.tenants.registration import issue_token
from letsbe_hub.tenants.registry import NewTenant, create
from letsbe_hub.testing import ProgramMissing
from tests.hub.browser import PHONE, Person, chromium, person
from tests.hub.processes import HubProcess, hub

PASSWORD = "seven green bicycles"
HASHED = hash_now(PASSWORD)
SUMMARY = {
    "arguments": {"command": "rm -r old"},
    "plan": {"line": "rm -r old"},
    "preview": {"summary": "removes 12 files", "difference": None},
}

RASTER = """async (drawn) => {
    const picture = new Image(), canvas = document.createElement("canvas");
    picture.src = "data:image/svg+xml," + encodeURIComponent(
        drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '));
    await picture.decode();
    canvas.width = canvas.height = 400;
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0, 400, 400);
    const points = pen.getImageData(0, 0, 400, 400).data;
    return Array.from(points).filter((_, i) => i % 4 == 0);
}"""


@dataclass(frozen=True)
class World:
    """A Hub with a registered tenant, its owner, and staff.

    Args:
        hub: The process.
        business: The tenant's name.
        tenant: Its id.
        key: Its server's.
        owner: By what its owner signs in.
        staff: By what staff do.
    """

    hub: HubProcess
    business: str
    tenant: str
    key: str
    owner: str
    staff: str

    def ask(self, **more: Any) -> str:
        """Ask for an approval as the tenant's server does; return its page."""
        wanted = approval(f"apr_{secrets.token_hex(4)}", summary=SUMMARY, **more)
        answer = self._call("POST", "approval-request", json=wanted)
        return f"/approvals/{answer['approvalId']}"

    def told(self, path: str) -> dict[str, Any]:
        """Return what the server is told about an approval."""
        wanted = path.rpartition("/")[2]
        return dict(self._call("GET", f"approval-response/{wanted}"))

    def use(self) -> None:
        hour = int(time.time()) // 3600 * 3600
        counts = {"inputTokens": 64_000, "outputTokens": 1_000, "cachedTokens": 0}
        bucket = {"hour": hour, "agentId": "=main", "model": "deepseek/v3"} | counts
        more = {"revision": 1, "costMicros": 0, "requests": 3}
        self._call("POST", "usage", json={"buckets": [bucket | more]})

    def _call(self, method: str, path: str, **more: Any) -> Any:
        url = f"{self.hub.url}/api/v1/tenant/{path}"
        answer = httpx.request(method, url, headers=bearer(self.key), **more)
        assert answer.status_code < 300, answer.text
        return answer.json()["data"]


def made(at: HubProcess) -> World:
    """Make the tenant and the people."""
    store, order = Store(sqlite_url(at.home / "hub.db")), secrets.token_hex(4)
    name = f"Bäckerei Müller & Töchter {order}"
    tenant = store.write(lambda c: create(c, NewTenant(name, order, "lite"), "cli"))
    token, _ = store.write(lambda c: issue_token(c, tenant, 10, "cli"))
    emails = f"anna@{order}.example", f"sam@{order}.example"
    owner = people.NewPerson(emails[0], "Anna Huber", "owner", HASHED, (tenant,))
    staff = people.NewPerson(emails[1], "Sam Staff", "admin", HASHED)
    for each in (owner, staff):
        store.write(lambda c, new=each: people.create(c, new, "cli"))  # type: ignore[misc] # bound at once
    store.close()
    answer = httpx.post(
        f"{at.url}/api/v1/tenant/register",
        headers=bearer(token),
        json={"orderId": order, "serverId": f"srv-{order}"},
    )
    world = World(at, name, tenant, answer.json()["data"]["apiKey"], *emails)
    world.use()
    return world


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with hub(tmp_path_factory.mktemp("control")) as running:
        yield running


@pytest.fixture
def world(at: HubProcess) -> World:
    return made(at)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as running:
            yield running
    except ProgramMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def anna(world: World, browser: Browser) -> Iterator[Person]:
    """The owner, at a phone whose browser runs no scripts."""
    with person(browser, world.hub.url, scripts=False, viewport=PHONE) as found:
        yield found
        assert not found.said, "the browser complained"
        others = {u for u in found.asked if not u.startswith(f"{world.hub.url}/")}
        assert not others, "the pages asked somebody else"


def fill_in(page: Page, email: str, code: str = "") -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code of your").fill(code)
    page.get_by_role("button", name="Sign in").click()


def enrol(page: Page) -> pyotp.TOTP:
    """Set a second factor up, as somebody does who types the key."""
    page.get_by_role("button", name="Set up a second factor").click()
    key = page.locator("pre.key").inner_text().replace(" ", "")
    totp = pyotp.TOTP(key)
    page.get_by_label("six digits").fill(totp.now())
    page.get_by_role("button", name="Confirm").click()
    return totp


def test_an_owner_decides_and_sees_what_became_of_it(
    world: World, anna: Person
) -> None:
    wanted, unwanted, page = world.ask(), world.ask(agentId="sales"), anna.page
    page.goto(wanted)
    fill_in(page, world.owner)
    assert page.url.endswith(wanted)  # the notice's link leads on after signing in
    expect(page.get_by_role("main")).to_contain_text(world.business)
    assert world.tenant not in page.content()
    expect(page.locator("#what + pre")).to_have_text("rm -r old")
    expect(page.get_by_text("removes 12 files", exact=True)).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("approved, not yet run")).to_be_visible()
    expect(page.locator(".history")).to_contain_text("approved by Anna Huber")
    assert world.told(wanted)["state"] == "approved"

    page.get_by_role("link", name="Approvals").first.click()
    page.get_by_role("link", name="sales wants to use shell").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    assert world.told(unwanted)["state"] == "pending"
    page.get_by_label("Reason").fill("not before the audit")
    page.get_by_role("button", name="Deny").click()
    told = world.told(unwanted)
    assert (told["state"], told["decisionReason"]) == ("denied", "not before the audit")
    page.goto("/")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.locator(".card")).to_have_count(2)


def test_signing_in_asks_for_the_code_and_signing_out_leaves_nothing(
    world: World, anna: Person
) -> None:
    page = anna.page
    page.goto("/account")
    fill_in(page, world.owner)
    totp = enrol(page)
    expect(page.locator("dl")).to_contain_text("on")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()  # nothing of what was shown is kept by the browser
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    fill_in(page, world.owner)
    expect(page.get_by_role("alert")).to_contain_text("code")
    fill_in(page, world.owner, totp.at(int(time.time()) + 30))
    expect(page.get_by_role("heading", name="Anna Huber")).to_be_visible()
    log = (world.hub.home / "log").read_text()
    assert totp.secret not in log
    page.get_by_role("button", name="Sign out everywhere").click()
    page.goto("/billing")
    assert "/sign-in" in page.url


def test_an_app_reads_the_second_factor_off_the_page(
    world: World, browser: Browser, anna: Person
) -> None:
    page = anna.page
    page.goto("/account")
    fill_in(page, world.owner)
    with page.expect_response("**/second-factor") as answer:
        page.get_by_role("button", name="Set up a second factor").click()
    assert answer.value.headers["cache-control"] == "no-store"
    key = page.locator("pre.key").inner_text().replace(" ", "")
    drawn = page.locator(".code svg").evaluate("each => each.outerHTML")
    assert page.locator(".code").bounding_box()["width"] > 200  # type: ignore[index] # it is there
    with person(browser, world.hub.url, scripts=True) as elsewhere:
        grey = bytes(elsewhere.page.evaluate(RASTER, drawn))
    (code,) = zxingcpp.read_barcodes(memoryview(grey).cast("B", (400, 400)))
    read = pyotp.parse_uri(code.text)
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (key, world.owner, "LetsBe Hub")


def test_an_owner_chooses_the_limit_and_keeps_a_statement(
    world: World, anna: Person
) -> None:
    page = anna.page
    page.goto("/billing")
    fill_in(page, world.owner)
    expect(page.locator(".figure")).to_have_text("65,000 of 8,000,000 tokens")
    page.get_by_label("they go on").check()
    page.get_by_label("At most this many").fill("1,000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("they go on")).to_be_checked()
    expect(page.get_by_label("At most this many")).to_have_value("1000")
    page.get_by_label("At most this many").fill("a lot")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("a whole number")
    page.goto("/billing")
    page.get_by_role("link", name="Read the statement").click()
    expect(page.get_by_role("cell", name="65,000")).to_be_visible()
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download").click()
    rows = kept.value.path().read_text().splitlines()
    assert rows[1].startswith("'=main,deepseek/v3,3,64000,1000")


def test_an_owner_chooses_what_to_be_told(world: World, anna: Person) -> None:
    page = anna.page
    page.goto("/account")
    fill_in(page, world.owner)
    page.get_by_role("link", name="choose what you are told").click()
    tokens = page.get_by_role("group", name="The month's tokens run out")
    tokens.get_by_label("by email").uncheck()
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_role("status")).to_have_text("That is kept.")
    expect(tokens.get_by_label("by email")).not_to_be_checked()
    waits = page.get_by_role("group", name="An agent waits")
    expect(waits.get_by_label("by email")).to_be_checked()


def test_the_keyboard_alone_is_enough_and_shows_where_it_is(
    world: World, browser: Browser
) -> None:
    wanted = world.ask()
    with person(browser, world.hub.url, scripts=False) as anna:
        anna.page.goto("/")
        expect(anna.page.get_by_label("E-mail address")).to_be_focused()
        anna.page.keyboard.type(world.owner)
        anna.press("Tab")
        anna.page.keyboard.type(PASSWORD)
        anna.press("Enter")
        expect(anna.page.get_by_role("heading", name="Waiting")).to_be_visible()
        anna.press("Tab")
        assert anna.focused()["text"] == "Skip to the content"
        anna.press("Enter")
        anna.tab_to("main wants to use shell", most=4)
        assert anna.focused()["outline"] >= 2
        anna.press("Enter")
        anna.page.wait_for_url(f"**{wanted}")
        anna.tab_to("reason")
        anna.page.keyboard.type("it is old")
        anna.tab_to("Approve", most=1)
        assert anna.focused()["outline"] >= 2
        anna.press("Enter")
        expect(anna.page.locator(".history")).to_contain_text("it is old")
        anna.page.goto("/")
        anna.tab_to("Sign out")
        anna.press("Enter")
        expect(anna.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert world.told(wanted)["decisionReason"] == "it is old"


def test_staff_see_tenants_and_what_to_see_to(world: World, browser: Browser) -> None:
    world.ask()
    with person(browser, world.hub.url, scripts=False) as sam:
        page = sam.page
        page.goto("/operations")
        page.get_by_role("link", name="Sign in as staff").click()
        fill_in(page, world.staff)
        # Nothing can be done, nor seen, before there is a second factor.
        page.goto("/account")
        enrol(page)
        page.get_by_role("link", name="Approvals").click()
        expect(page.get_by_text(world.business)).to_be_visible()
        page.get_by_role("link", name="Tenants").click()
        page.get_by_role("link", name=world.business).click()
        expect(page.locator("dl").first).to_contain_text("Anna Huber (owner)")
        expect(page.locator(".figure")).to_have_text("65,000 of 8,000,000 tokens")
        page.get_by_role("link", name="Operations").click()
        expect(page.get_by_text("0 of them at their limit")).to_be_visible()
        page.goto("/nowhere")
        expect(page.get_by_role("alert")).to_contain_text("no such page")


def test_a_letters_link_fills_itself_in_where_scripts_may_run(
    world: World, browser: Browser
) -> None:
    with person(browser, world.hub.url, scripts=True) as anna:
        anna.page.goto("/password#lbp_token")
        expect(anna.page.get_by_label("What stands behind")).to_have_value("lbp_token")
        assert "#" not in anna.page.url
        assert not anna.said


OWNERS_PAGES = (
    "/sign-in",
    "/password",
    "/nowhere",
    "/",
    "/?show=all",
    "APPROVAL",
    "/billing",
    "STATEMENT",
    "/account",
    "/account/notices",
    "SECOND FACTOR",
)
STAFFS_PAGES = ("/", "/tenants", "TENANT", "/operations", "STATEMENT", "/account")


def lead(page: Page, where: str, world: World, asked: str) -> None:
    """Go to a page, or to the one that a placeholder stands for."""
    if where == "STATEMENT":
        page.goto("/billing")
        if page.get_by_role("link", name="Read the statement").count() == 0:
            page.goto(f"/tenants/{world.tenant}")
        page.get_by_role("link", name="Read the statement").first.click()
    elif where == "SECOND FACTOR":
        page.goto("/account")
        page.get_by_role("button", name="Set up a second factor").click()
    else:
        named = {"APPROVAL": asked, "TENANT": f"/tenants/{world.tenant}"}
        page.goto(named.get(where, where))


def test_no_page_stands_in_anybodys_way(world: World, browser: Browser) -> None:
    asked, found = world.ask(tier="CRITICAL_RED"), []
    for email, pages in ((world.owner, OWNERS_PAGES), (world.staff, STAFFS_PAGES)):
        with person(browser, world.hub.url, scripts=True, viewport=PHONE) as somebody:
            page = somebody.page
            page.goto("/sign-in" if email == world.owner else "/sign-in?kind=staff")
            fill_in(page, email)
            if email == world.staff:
                enrol(page)
            for where in pages:
                lead(page, where, world, asked)
                found += [f"{where}: {each}" for each in in_the_way(somebody)]
    assert not found, "\n".join(found)


def in_the_way(somebody: Person) -> list[str]:
    """Look at a page as it is by day, and at its colours by night."""
    somebody.page.emulate_media(color_scheme="light")
    found = somebody.barriers()
    somebody.page.emulate_media(color_scheme="dark")
    found += somebody.barriers("color-contrast")
    if somebody.width() > PHONE["width"]:
        found.append("wider than a phone")
    return found


def test_what_would_stand_in_the_way_is_found(world: World, browser: Browser) -> None:
    with person(browser, world.hub.url, scripts=True, viewport=PHONE) as somebody:
        somebody.page.goto("/sign-in")
        spoil = """() => {
            document.querySelector("label[for=email]").remove();
            document.querySelector("h1").style.color = "#ddd";
            document.querySelector("main").style.minWidth = "30rem";
        }"""
        somebody.page.evaluate(spoil)
        found = "\n".join(in_the_way(somebody))
    for each in ('label: <input id="email"', "color-contrast: <h1", "wider than"):
        assert each in found
