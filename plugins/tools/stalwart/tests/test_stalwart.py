"""Every operation on both generations, which must tell the same story."""

from __future__ import annotations

from pathlib import Path

import pytest

from letsbe.plugin import (
    ToolConflict,
    ToolNotFound,
    ToolUnauthenticated,
)
from letsbe.testing import ToolCaller
from plugins.tools.stalwart.tests.conftest import Served, caller_of
from plugins.tools.stalwart.tests.fake_jmap import FakeJmap
from plugins.tools.stalwart.tests.fake_rest import FakeRest

ADA = "ada@example.com"


async def an_account(call: ToolCaller) -> None:
    await call("create_domain", domain="example.com")
    await call(
        "create_account",
        address=ADA,
        password="SECRET_REF(ada_mail)",
        name="Ada",
        quota_bytes=1_000_000,
    )


@pytest.mark.anyio
async def test_a_mailbox_from_its_domain_to_its_end(call: ToolCaller) -> None:
    await an_account(call)
    told = await call("read_account", address=ADA)
    assert told["description"] == "Ada"
    assert "ada-pass-8812" not in str(told)
    accounts = await call("list_accounts")
    assert accounts["total"] == 1
    assert "ada-pass-8812" not in str(accounts)
    assert (await call("list_domains"))["items"][0]["name"] == "example.com"
    assert "example.com" in str(await call("read_dns_records", domain="example.com"))
    await call("delete_account", address=ADA)
    with pytest.raises(ToolNotFound):
        await call("read_account", address=ADA)
    await call("delete_domain", domain="example.com")
    assert (await call("list_domains"))["items"] == []


@pytest.mark.anyio
async def test_what_exists_is_a_conflict_and_no_domain_is_not_found(
    call: ToolCaller,
) -> None:
    await an_account(call)
    with pytest.raises(ToolConflict):
        await call("create_account", address=ADA, password="SECRET_REF(new)")
    with pytest.raises(ToolNotFound):
        await call("create_account", address="a@other.org", password="SECRET_REF(new)")


@pytest.mark.anyio
async def test_a_mailbox_is_changed(call: ToolCaller, served: Served) -> None:
    await an_account(call)
    await call("update_account", address=ADA, name="Ada L.", quota_bytes=5)
    await call("change_aliases", address=ADA, add=["info@example.com"])
    told = str(await call("read_account", address=ADA))
    assert "Ada L." in told
    assert "info" in told
    await call("change_aliases", address=ADA, remove=["info@example.com"])
    assert "info" not in str(await call("read_account", address=ADA))


@pytest.mark.anyio
async def test_a_password_is_replaced_and_other_credentials_stay(
    served: Served,
) -> None:
    call = served.call
    await an_account(call)
    if isinstance(served.kept, FakeRest):
        secrets = served.kept.principals[ADA]["secrets"]
        secrets.append("$app$phone$x")
        await call("set_password", address=ADA, password="SECRET_REF(new)")
        assert secrets == ["$app$phone$x", "new-pass-99"]
    else:
        (account,) = served.kept.kept["Account"].values()
        account["credentials"]["1"] = {"@type": "AppPassword", "description": "phone"}
        await call("set_password", address=ADA, password="SECRET_REF(new)")
        assert account["credentials"] == {
            "0": {"@type": "Password", "secret": "new-pass-99"},
            "1": {"@type": "AppPassword", "description": "phone"},
        }


@pytest.mark.anyio
async def test_a_mailing_list(call: ToolCaller) -> None:
    await call("create_domain", domain="example.com", description="Ours")
    team = "team@example.com"
    await call("create_mailing_list", address=team, members=[ADA], description="Us")
    await call(
        "change_list_members", address=team, add=["grace@example.com"], remove=[ADA]
    )
    (kept,) = (await call("list_mailing_lists"))["items"]
    assert "grace@example.com" in str(kept)
    assert ADA not in str(kept)
    await call("delete_mailing_list", address=team)
    assert (await call("list_mailing_lists"))["items"] == []


@pytest.mark.anyio
async def test_the_queue(call: ToolCaller, served: Served) -> None:
    (message,) = (await call("list_queue", text="ada"))["messages"]
    number = str(message["id"])
    assert await call("read_queued_message", message_id=number) == message
    await call("retry_message", message_id=number)
    if isinstance(served.kept, FakeRest):
        assert served.kept.retried == [number]
    else:
        due = served.kept.kept["QueuedMessage"][number]["nextRetry"]
        assert due < "2026-12-28" or due > "2026-12-28T10:00:00Z"
    await call("cancel_message", message_id=number)
    with pytest.raises(ToolNotFound):
        await call("read_queued_message", message_id=number)


@pytest.mark.anyio
async def test_a_domain_whose_keys_cannot_all_be_made_is_there_with_a_warning(
    rest: Served,
) -> None:
    made = await rest.call("create_domain", domain="example.com")
    assert "no Rsa key was made" in made["warning"]


@pytest.mark.anyio
async def test_who_is_not_known_is_told_so(
    rest: Served, jmap: Served, tmp_path: Path
) -> None:
    for served, credential in ((rest, "password"), (jmap, "api_token")):
        stranger = caller_of(served.server.url, tmp_path, credential, "wrong-one-77")
        with pytest.raises(ToolUnauthenticated) as caught:
            await stranger("list_domains")
        assert "wrong-one-77" not in str(caught.value)


@pytest.mark.anyio
async def test_the_health_check_needs_no_credential(served: Served) -> None:
    health = await served.call.adapter.check()
    assert (health.healthy, health.message) == (True, "Stalwart answers")


@pytest.mark.anyio
async def test_a_part_of_an_address_is_not_the_address(jmap: Served) -> None:
    await an_account(jmap.call)
    assert isinstance(jmap.kept, FakeJmap)
    with pytest.raises(ToolNotFound, match="no Account with this address"):
        await jmap.call("delete_account", address="da@example.com")
    assert len(jmap.kept.kept["Account"]) == 1
