"""Every operation, on a fake that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from letsbe.plugin import (
    ToolInvalid,
    ToolNotFound,
    ToolUnauthenticated,
)
from letsbe.testing import ToolCaller
from plugins.tools.chatwoot.tests.conftest import Served
from plugins.tools.chatwoot.tests.fake_chatwoot import TOKEN

RULE = {"attribute_key": "status", "filter_operator": "equal_to", "values": ["open"]}


async def a_conversation(call: ToolCaller) -> int:
    made = await call("create_contact", inbox_id=1, name="Ada", email="ada@example.com")
    started = await call(
        "start_conversation",
        contact_id=made["contact"]["id"],
        inbox_id=1,
        source_id="ada@example.com",
        content="Your order has come.",
    )
    return int(started["id"])


@pytest.mark.anyio
async def test_a_conversation_from_its_start_to_its_end(call: ToolCaller) -> None:
    number = await a_conversation(call)
    await call("send_message", conversation_id=number, content="When may we bring it?")
    await call("add_note", conversation_id=number, content="Called twice.")

    messages = (await call("list_messages", conversation_id=number))["payload"]
    assert [m["private"] for m in messages] == [False, False, True]

    ended = await call("set_status", conversation_id=number, status="resolved")
    assert ended["current_status"] == "resolved"
    assert (await call("list_conversations"))["conversations"] == []
    everything = await call("list_conversations", status="all")
    assert [c["id"] for c in everything["conversations"]] == [number]


@pytest.mark.anyio
async def test_labels_are_added_and_taken_away_not_replaced(
    call: ToolCaller, served: Served
) -> None:
    number = await a_conversation(call)
    served.kept.conversations[number]["labels"] = ["vip", "billing"]
    changed = await call(
        "change_labels", conversation_id=number, add=["late", "vip"], remove=["billing"]
    )
    assert changed == {"labels": ["vip", "late"]}
    found = await call("list_conversations", labels=["vip", "late"])
    assert len(found["conversations"]) == 1
    assert (await call("list_conversations", labels=["billing"]))["conversations"] == []
    kept = await call("list_labels", conversation_id=number)
    assert kept["payload"] == ["vip", "late"]


@pytest.mark.anyio
async def test_what_is_kept_of_a_conversation(call: ToolCaller, served: Served) -> None:
    number = await a_conversation(call)
    await call("set_priority", conversation_id=number, priority="high")
    await call("assign", conversation_id=number, assignee_id=1)
    attributes = {"order": "A-17"}
    await call("set_attributes", conversation_id=number, custom_attributes=attributes)
    kept = await call("read_conversation", conversation_id=number)
    assert (kept["priority"], kept["assignee_id"]) == ("high", 1)
    assert kept["custom_attributes"] == attributes
    (message,) = served.kept.messages[number]
    await call("delete_message", conversation_id=number, message_id=message["id"])
    assert served.kept.messages[number] == []
    assert (await call("count_conversations"))["meta"] == {"all_count": 1}


@pytest.mark.anyio
async def test_contacts_are_kept_found_changed_and_deleted(call: ToolCaller) -> None:
    number = await a_conversation(call)
    (ada,) = (await call("search_contacts", q="ada"))["contacts"]
    await call("update_contact", contact_id=ada["id"], name="Ada Lovelace")
    labelled = await call("change_contact_labels", contact_id=ada["id"], add=["vip"])
    assert labelled == {"labels": ["vip"]}
    assert (await call("read_contact", contact_id=ada["id"]))["name"] == "Ada Lovelace"
    theirs = await call("list_contact_conversations", contact_id=ada["id"])
    assert [c["id"] for c in theirs["payload"]] == [number]
    await call("delete_contact", contact_id=ada["id"])
    assert (await call("list_contacts"))["contacts"] == []


@pytest.mark.anyio
async def test_filters_send_the_page_apart_from_the_conditions(
    call: ToolCaller, served: Served
) -> None:
    await a_conversation(call)
    assert (await call("filter_contacts", payload=[RULE]))["count"] == 1
    found = await call("filter_conversations", payload=[RULE], page=1)
    assert len(found["conversations"]) == 1
    sent = served.server.requests[-1]
    assert (sent.query, b"page" in sent.body) == ((("page", "1"),), False)


@pytest.mark.anyio
async def test_what_a_team_keeps(call: ToolCaller, served: Served) -> None:
    assert (await call("list_inboxes"))[0]["name"] == "Website"
    await call("invite_agent", name="Alan", email="alan@example.com", role="agent")
    assert [a["name"] for a in await call("list_agents")] == ["Grace", "Alan"]
    team = await call("create_team", name="Billing")
    assert [t["name"] for t in await call("list_teams")] == ["Billing"]
    await call("delete_team", team_id=team["id"])
    answer = await call("create_canned_response", short_code="hi", content="Hello!")
    await call(
        "update_canned_response", canned_response_id=answer["id"], content="Good day!"
    )
    assert (await call("list_canned_responses"))[0]["content"] == "Good day!"
    await call("delete_canned_response", canned_response_id=answer["id"])
    hook = await call(
        "create_webhook",
        url="https://example.com/hook",
        subscriptions=["message_created"],
    )
    assert (await call("list_webhooks"))[0]["url"] == "https://example.com/hook"
    await call("delete_webhook", webhook_id=hook["id"])
    kept = served.kept.things
    assert (kept["teams"], kept["canned_responses"], kept["webhooks"]) == ({}, {}, {})


@pytest.mark.anyio
async def test_reports(call: ToolCaller) -> None:
    figures = await call(
        "read_report", metric="conversations_count", since="1790000000"
    )
    assert figures[0]["value"] == 3
    assert await call("read_report_summary", type="inbox", id="1")


@pytest.mark.anyio
async def test_the_profile_is_shown_without_its_tokens(call: ToolCaller) -> None:
    told = await call("read_profile")
    assert told["name"] == "Grace"
    assert TOKEN not in str(told)


@pytest.mark.anyio
async def test_the_health_check_needs_no_token(call: ToolCaller) -> None:
    health = await call.adapter.check()
    assert (health.healthy, health.message) == (True, "Chatwoot 4.2.0")


@pytest.mark.anyio
async def test_errors_have_names(
    call: ToolCaller, call_as: Callable[[str], ToolCaller]
) -> None:
    with pytest.raises(ToolNotFound, match="could not be found"):
        await call("read_conversation", conversation_id=99)
    await call("create_contact", inbox_id=1, name="Ada", email="ada@example.com")
    with pytest.raises(ToolInvalid, match=r"already been taken \(email\)"):
        await call("create_contact", inbox_id=1, name="B", email="ada@example.com")
    with pytest.raises(ToolUnauthenticated) as caught:
        await call_as("wrong-token-999")("list_agents")
    assert "wrong-token-999" not in str(caught.value)


def test_what_sends_later_is_external_too(call: ToolCaller) -> None:
    path = "/api/v1/accounts/7/automation_rules"
    assert call.judge("request", method="POST", path=path).external
