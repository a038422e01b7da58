"""Every operation, on a fake that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from letsbe.plugin import (
    InvalidRequest,
    ToolInvalid,
    ToolNotFound,
    ToolUnauthenticated,
)
from letsbe.testing import ToolCaller
from letsbe_tool_calcom.access import version_of
from plugins.tools.calcom.tests.conftest import Served

ADA = {"name": "Ada", "email": "ada@example.com", "timeZone": "Europe/Berlin"}


async def book(call: ToolCaller, start: str = "2026-12-28T09:00:00Z") -> str:
    made = await call("create_booking", start=start, eventTypeId=3, attendee=ADA)
    return str(made["uid"])


@pytest.mark.anyio
async def test_a_booking_from_a_free_time_to_its_end(
    call: ToolCaller, served: Served
) -> None:
    free = await call(
        "list_free_slots", start="2026-12-28", end="2026-12-29", eventTypeId=3
    )
    start = free["2026-12-28"][0]["start"]
    held = await call("reserve_slot", eventTypeId=3, slotStart=start)
    assert held["reservationUid"]
    uid = await book(call, start)
    assert (await call("read_booking", uid=uid))["start"] == start

    moved = await call("reschedule_booking", uid=uid, start="2026-12-29T09:00:00Z")
    assert moved["uid"] != uid

    await call("cancel_booking", uid=moved["uid"], cancellationReason="illness")
    with pytest.raises(ToolInvalid, match="already cancelled"):
        await call("cancel_booking", uid=moved["uid"], cancellationReason="again")
    assert served.kept.mailed == ["ada@example.com"] * 2


@pytest.mark.anyio
async def test_what_a_host_does_with_a_booking(
    call: ToolCaller, served: Served
) -> None:
    uid = await book(call)
    await call("confirm_booking", uid=uid)
    await call("add_guests", uid=uid, guests=["grace@example.com"])
    await call("reassign_booking", uid=uid, user_id=4, reason="holiday")
    await call("mark_absent", uid=uid, attendees=["ada@example.com"])
    kept = served.kept.bookings[uid]
    assert (kept["guests"], kept["host"]) == (["grace@example.com"], "4")
    assert kept["absent"]["attendees"] == [{"email": "ada@example.com", "absent": True}]
    await call("reassign_booking", uid=uid)
    assert kept["host"] == "next"
    await call("decline_booking", uid=uid)
    assert kept["status"] == "rejected"


@pytest.mark.anyio
async def test_bookings_are_listed_page_by_page(
    call: ToolCaller, served: Served
) -> None:
    for _ in range(5):
        await book(call)
    first = await call("list_bookings", status=["upcoming"], limit=2)
    assert (len(first["bookings"]), first["next_skip"]) == (2, 2)
    rest = await call("list_bookings", limit=250, skip=first["next_skip"])
    assert (len(rest["bookings"]), rest["next_skip"]) == (3, None)
    both = await call("list_bookings", status=["past", "cancelled"])
    assert both["bookings"] == []


@pytest.mark.anyio
async def test_event_types_schedules_and_webhooks(
    call: ToolCaller, served: Served
) -> None:
    made = await call(
        "create_event_type", title="Advice", slug="advice", lengthInMinutes=30
    )
    kind = made["id"]
    await call("update_event_type", event_type_id=kind, lengthInMinutes=45)
    found = await call("read_event_type", event_type_id=kind)
    assert found["lengthInMinutes"] == 45
    assert len(await call("list_event_types")) == 1
    await call("delete_event_type", event_type_id=kind)
    assert served.kept.kept["event-types"] == {}

    hours = {"days": ["Monday"], "startTime": "09:00", "endTime": "12:00"}
    made = await call(
        "create_schedule",
        name="Winter",
        timeZone="Europe/Berlin",
        availability=[hours],
        isDefault=True,
    )
    number = made["id"]
    await call("update_schedule", schedule_id=number, timeZone="Europe/Paris")
    assert (await call("read_default_schedule"))["timeZone"] == "Europe/Paris"
    assert (await call("read_schedule", schedule_id=number))["name"] == "Winter"
    assert len(await call("list_schedules")) == 1
    await call("delete_schedule", schedule_id=number)

    made = await call(
        "create_webhook",
        subscriberUrl="https://example.com/hook",
        triggers=["BOOKING_CREATED"],
    )
    assert len(await call("list_webhooks")) == 1
    await call("delete_webhook", webhook_id=str(made["id"]))
    assert served.kept.kept["webhooks"] == {}


@pytest.mark.anyio
async def test_reads_of_the_host(call: ToolCaller) -> None:
    assert (await call("read_me"))["username"] == "grace"
    busy = await call(
        "list_busy_times",
        loggedInUsersTz="Europe/Berlin",
        dateFrom="2026-12-28",
        dateTo="2026-12-31",
        credentialId=1,
        externalId="office@example.com",
    )
    assert len(busy) == 1


@pytest.mark.anyio
async def test_a_read_that_is_limited_is_tried_again(
    call: ToolCaller, served: Served
) -> None:
    served.kept.limited = True
    assert (await call("read_me"))["username"] == "grace"
    assert len(served.server.requests) == 2


@pytest.mark.anyio
async def test_errors_have_names(
    call: ToolCaller, call_as: Callable[[str], ToolCaller]
) -> None:
    with pytest.raises(ToolNotFound, match="Booking not found"):
        await call("read_booking", uid="bk_999")
    with pytest.raises(ToolUnauthenticated, match="Invalid API key"):
        await call_as("cal_live_wrong_key")("read_me")


@pytest.mark.anyio
async def test_the_health_check_needs_no_key(call: ToolCaller) -> None:
    health = await call.adapter.check()
    assert (health.healthy, health.message) == (True, "Cal.com answers")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"attendee": ADA}, "eventTypeId, or eventTypeSlug"),
        ({"eventTypeId": 3, "eventTypeSlug": "a", "username": "b"}, "eventTypeId, or"),
        (
            {"eventTypeId": 3, "attendee": {"name": "A", "timeZone": "UTC"}},
            "email or phoneNumber",
        ),
    ],
)
async def test_a_booking_that_lacks_something_is_not_sent(
    call: ToolCaller, served: Served, arguments: dict[str, Any], said: str
) -> None:
    whole = {"start": "2026-12-28T09:00:00Z", "attendee": ADA, **arguments}
    with pytest.raises(InvalidRequest, match=said):
        await call("create_booking", **whole)
    assert served.server.requests == []


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/v2/bookings/x/cancel", "2024-08-13"),
        ("/v2/slots", "2024-09-04"),
        ("/v2/event-types/3", "2024-06-14"),
        ("/v2/event-types/3/webhooks", None),
        ("/v2/schedules/default", "2024-06-11"),
        ("/v2/me", None),
        ("/other", None),
    ],
)
def test_each_family_has_its_version(path: str, version: str | None) -> None:
    assert version_of(path) == version
