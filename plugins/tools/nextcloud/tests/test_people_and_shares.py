"""People, groups, shares and what people are told, on a fake that keeps them."""

from __future__ import annotations

import pytest

from letsbe.plugin import (
    InvalidRequest,
    Tier,
    ToolConflict,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
    ToolUnauthenticated,
    ToolUnexpected,
)
from letsbe.testing import ToolCaller
from letsbe_tool_nextcloud.people import CreateUser, _missing
from plugins.tools.nextcloud.tests.conftest import Caller, Served
from plugins.tools.nextcloud.tests.fake_nextcloud import (
    APP_PASSWORD,
    HASH,
    REAL_PASSWORD,
)

PASSWORD = "SECRET_REF(canary)"


@pytest.mark.anyio
async def test_a_person_from_the_first_day_to_the_last(
    call: ToolCaller, served: Served
) -> None:
    await call("create_group", group_id="office")
    made = await call(
        "create_user",
        user_id="grace",
        password=PASSWORD,
        display_name="Grace",
        groups=["office"],
        quota="5 GB",
    )
    assert made == {"created": "grace"}
    assert served.kept.users["grace"]["password"] == "canary-5f0c9a1e77b2"
    await call("update_user", user_id="grace", key="quota", value="10 GB")
    assert (await call("read_user", user_id="grace"))["quota"] == "10 GB"
    assert (await call("list_users", search="gra"))["users"] == ["grace"]

    await call("add_to_group", user_id="grace", group_id="office")
    assert (await call("list_group_members", group_id="office"))["users"] == ["grace"]
    await call("remove_from_group", user_id="grace", group_id="office")
    assert (await call("list_groups"))["groups"] == ["admin", "office"]
    await call("delete_group", group_id="office")

    await call("disable_user", user_id="grace")
    assert served.kept.users["grace"]["enabled"] is False
    await call("enable_user", user_id="grace")
    await call("delete_user", user_id="grace")
    assert set(served.kept.users) == {"ada"}


@pytest.mark.anyio
async def test_of_a_person_made_in_spite_of_an_error_it_is_said_what_is_missing(
    call: ToolCaller, served: Served
) -> None:
    await call("create_group", group_id="Büro West")
    served.kept.has_font = False
    made = await call(
        "create_user",
        user_id="grace",
        password=PASSWORD,
        groups=["Büro West"],
        quota="5 GB",
        email="grace@example.com",
        display_name="Grace",
    )
    assert made["created"] == "grace"
    assert "answered with an error" in made["warning"]
    assert made["missing"] == [
        *("group Büro West", "quota 5 GB", "display name", "email"),
        "perhaps the mail that welcomes them",
    ]
    with pytest.raises(ToolConflict, match="already exists"):
        await call("create_user", user_id="grace", password=PASSWORD)


@pytest.mark.anyio
async def test_a_change_in_spite_of_an_error_is_looked_up(
    call: ToolCaller, served: Served
) -> None:
    await call("create_user", user_id="grace", password=PASSWORD)
    served.kept.has_font = False
    changed = await call("update_user", user_id="grace", key="phone", value="+49 30 1")
    assert "it did this" in changed["warning"]
    await call("disable_user", user_id="grace")
    assert "it did this" in (await call("enable_user", user_id="grace"))["warning"]
    with pytest.raises(ToolUnexpected, match="may have been made all the same"):
        await call("update_user", user_id="grace", key="password", value=PASSWORD)


@pytest.mark.parametrize(
    ("value", "held", "lacks"),
    [
        ("5 GB", 5 * 1024**3, False),
        ("5GB", 5 * 1024**3, False),
        ("1000", 1000, False),
        ("none", -3, False),
        ("5 GB", -3, True),
        ("none", 5, True),
    ],
)
def test_a_quota_is_compared_in_bytes(
    call: ToolCaller, served: Served, value: str, held: int, lacks: bool
) -> None:
    served.kept.has_font = False
    people = served.kept.users
    people["grace"] = {"id": "grace", "quota": {"quota": held}, "groups": []}
    args = CreateUser(user_id="grace", quota=value)
    assert list(_missing(args, people["grace"])) == (
        [f"quota {value}"] if lacks else []
    )


@pytest.mark.anyio
async def test_what_is_wrong_with_a_person_is_named(
    call: ToolCaller, served: Served
) -> None:
    with pytest.raises(ToolInvalid, match="Group does not exist"):
        await call("create_user", user_id="x", password=PASSWORD, groups=["none"])
    for operation in ("read_user", "delete_user"):
        with pytest.raises(ToolNotFound, match="nobody of that name"):
            await call(operation, user_id="nobody")
    with pytest.raises(ToolInvalid, match="nobody of that name, or it is whoever asks"):
        await call("disable_user", user_id="nobody")
    for operation in ("add_to_group", "remove_from_group"):
        with pytest.raises(ToolNotFound, match="no group of that name"):
            await call(operation, user_id="ada", group_id="none")
        with pytest.raises(ToolNotFound, match="nobody of that name"):
            await call(operation, user_id="nobody", group_id="admin")
    with pytest.raises(InvalidRequest, match="a quota is `5 GB`"):
        await call("update_user", user_id="ada", key="quota", value="12 XB")
    with pytest.raises(InvalidRequest, match="give a password, or an email"):
        await call("create_user", user_id="x")


@pytest.mark.anyio
async def test_what_is_wrong_with_a_group_is_named_in_any_language(
    call: ToolCaller,
) -> None:
    await call("create_group", group_id="office")
    with pytest.raises(ToolConflict, match="Gruppe existiert"):
        await call("create_group", group_id="office")
    with pytest.raises(ToolNotFound, match="no group of that name"):
        await call("delete_group", group_id="none")
    with pytest.raises(ToolForbidden, match="that group cannot be deleted"):
        await call("delete_group", group_id="admin")


@pytest.mark.anyio
async def test_the_administrators_password_is_used_for_people_alone(
    call: ToolCaller, call_as: Caller, served: Served
) -> None:
    await call("read_me")
    await call("create_group", group_id="office")
    mine, governing = (r.headers["authorization"] for r in served.server.requests)
    assert mine != governing
    with pytest.raises(ToolUnauthenticated, match="`admin_password`"):
        await call_as(app_password=APP_PASSWORD)("create_group", group_id="b")
    alone = call_as(app_password=APP_PASSWORD)  # may be an administrator's
    for caller in (call, alone):
        assert "ada" in (await caller("list_users"))["users"]
    looking, own = (r.headers["authorization"] for r in served.server.requests[-2:])
    assert (looking, own) == (governing, mine)
    with pytest.raises(ToolUnauthenticated, match="`app_password`"):
        await call_as()("list_files")
    wrong = call_as(app_password=APP_PASSWORD, admin_password="wrong-real-pass")
    with pytest.raises(ToolUnauthenticated, match="not logged in") as caught:
        await wrong("create_group", group_id="b")
    assert "wrong-real-pass" not in str(caught.value)


@pytest.mark.anyio
async def test_a_raw_request_that_governs_says_which_password_it_needs(
    call: ToolCaller, call_as: Caller
) -> None:
    path, body = "/ocs/v2.php/cloud/groups", {"groupid": "office"}
    done = await call("request", method="POST", path=path, body=body)
    assert done["status"] == 200
    without = call_as(app_password=APP_PASSWORD)
    with pytest.raises(ToolForbidden, match="real password, not an app password"):
        await without("request", method="POST", path=path, body=body)


@pytest.mark.anyio
async def test_a_share_from_its_link_to_its_end(
    call: ToolCaller, served: Served
) -> None:
    link = await call(
        "create_share", path="a.txt", kind="link", password=PASSWORD, label="Print"
    )
    assert (link["kind"], link["permissions"]) == ("link", ["read"])
    assert link["has_password"]
    user = await call(
        "create_share",
        path="a.txt",
        kind="user",
        share_with="grace",
        permissions=["read", "update"],
    )
    assert user["permissions"] == ["read", "update"]
    listed = (await call("list_shares", path="a.txt", subfiles=True))["shares"]
    assert [s["id"] for s in listed] == [link["id"], user["id"]]
    assert HASH not in str([link, *listed])
    changed = await call("update_share", share_id=link["id"], expire_date="2999-12-31")
    assert changed["expiration"] == "2999-12-31"
    told = await call("update_share", share_id=user["id"], password=PASSWORD)
    assert "no password was set" in told["warning"]
    await call("delete_share", share_id=link["id"])
    with pytest.raises(ToolNotFound, match="Wrong share ID"):
        await call("delete_share", share_id=link["id"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    "arguments",
    [{"kind": "user"}, {"kind": "link", "share_with": "grace"}, {"kind": "email"}],
)
async def test_a_share_says_with_whom(
    call: ToolCaller, arguments: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequest, match="share_with says with whom"):
        await call("create_share", path="a.txt", **arguments)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("operation", "arguments", "said"),
    [
        ("create_share", {"expire_date": "2020-01-01"}, "is past"),
        ("create_share", {"expire_date": "2999-02-30"}, "no day that exists"),
        ("create_share", {"kind": "user", "share_with": "grace"}, "has a password"),
        ("update_share", {}, "say what is to change"),
    ],
)
async def test_what_the_server_calls_otherwise_is_refused_before(
    call: ToolCaller,
    served: Served,
    operation: str,
    arguments: dict[str, str],
    said: str,
) -> None:
    if operation == "update_share":
        sent = {"share_id": "1", **arguments}
    else:
        sent = {"path": "a.txt", "kind": "link", "password": PASSWORD, **arguments}
    with pytest.raises(InvalidRequest, match=said):
        await call(operation, **sent)
    assert served.server.requests == []


@pytest.mark.anyio
async def test_what_people_are_told_and_look_for(
    call: ToolCaller, served: Served
) -> None:
    assert (await call("read_server"))["version"]["string"] == "34.0.1"
    assert await call("read_load")
    (told,) = (await call("list_notifications"))["notifications"]
    await call("dismiss_notification", notification_id=told["notification_id"])
    assert served.kept.notifications == {}
    assert (await call("list_search_providers"))["providers"] == [
        {"id": "files", "name": "Files"}
    ]
    found = await call("search", provider="files", term="invoice")
    assert found["entries"][0]["title"] == "invoice"
    with pytest.raises(ToolNotFound, match="no such provider: use one of files"):
        await call("search", provider="nowhere", term="invoice")
    await call("set_status", status="away")
    await call("set_status_message", message="Back at two")
    assert served.kept.status == {"statusType": "away", "message": "Back at two"}


@pytest.mark.anyio
async def test_the_health_check_needs_no_password(
    call: ToolCaller, served: Served
) -> None:
    health = await call.adapter.check()
    assert (health.healthy, health.message) == (True, "Nextcloud 34.0.1")
    served.kept.maintenance = True
    health = await call.adapter.check()
    assert not health.healthy
    assert "maintenance" in health.message
    assert REAL_PASSWORD not in health.message


@pytest.mark.parametrize(
    ("operation", "arguments", "tier", "external"),
    [
        ("create_share", {"path": "a", "kind": "link"}, Tier.YELLOW_EXTERNAL, True),
        (
            "create_share",
            {"path": "a", "kind": "group", "share_with": "office"},
            Tier.YELLOW,
            False,
        ),
        ("add_to_group", {"user_id": "a", "group_id": "Admin"}, None, False),
        (
            "update_user",
            {"user_id": "a", "key": "password", "value": PASSWORD},
            Tier.RED,
            False,
        ),
    ],
)
def test_the_tier_depends_on_what_is_asked(
    call: ToolCaller,
    operation: str,
    arguments: dict[str, str],
    tier: Tier | None,
    external: bool,
) -> None:
    verdict = call.judge(operation, **arguments)
    expected = Tier.CRITICAL_RED if tier is None else tier
    assert (verdict.tier, verdict.external) == (expected, external)
