"""Events and contacts, on a fake that keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from letsbe.plugin import InvalidRequest, ToolNotFound
from letsbe.testing import ToolCaller
from letsbe_tool_nextcloud.calendar_arguments import CreateContact
from letsbe_tool_nextcloud.documents import card_of, contact
from plugins.tools.nextcloud.tests.conftest import Served

EVENT = {
    "title": "Stock, and more; really",
    "start": "2026-12-28T09:00:00+01:00",
    "end": "2026-12-28T12:00:00+01:00",
    "location": "Hall\n2",
}


@pytest.mark.anyio
async def test_an_event_from_its_making_to_its_end(
    call: ToolCaller, served: Served
) -> None:
    (calendar,) = (await call("list_calendars"))["calendars"]
    assert calendar == {"name": "personal", "title": "Personal"}
    made = await call("create_event", **EVENT)
    (event,) = (await call("list_events", start="2026-12-28", end="2026-12-29"))[
        "events"
    ]
    assert event["uid"] == made["created"]
    assert event["title"] == EVENT["title"]
    assert (event["start"], event["location"]) == (
        "2026-12-28T08:00:00+00:00",
        "Hall\n2",
    )
    asked = served.server.requests[-1].body.decode()
    assert 'start="20261228T000000Z" end="20261229T000000Z"' in asked
    await call("delete_event", uid=event["uid"])
    with pytest.raises(ToolNotFound):
        await call("delete_event", uid=event["uid"])


@pytest.mark.anyio
async def test_an_invitation_names_its_people(call: ToolCaller, served: Served) -> None:
    whole_day = {"title": "Fair", "start": "2026-12-28", "end": "2026-12-30"}
    people = {"attendees": ["ada@example.com"], "organizer": "grace@example.com"}
    await call("create_event", **whole_day, **people)
    (text,) = served.kept.dav.events.values()
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event["attendee"] == "mailto:ada@example.com"
    assert event["dtstart"].to_ical() == b"20261228"
    (listed,) = (await call("list_events", start="2026-12-01", end="2027-01-01"))[
        "events"
    ]
    assert listed["attendees"] == ["ada@example.com"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"end": "2026-12-28T08:00:00+01:00"}, "ends before it begins"),
        ({"end": "2026-12-29"}, "both as days"),
        ({"start": "2026-02-30T09:00:00Z"}, "not one that exists"),
        ({"attendees": ["ada@example.com"]}, "needs its organizer"),
    ],
)
async def test_an_event_that_cannot_be_is_not_sent(
    call: ToolCaller, served: Served, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        await call("create_event", **{**EVENT, **changed})
    assert served.server.requests == []


@pytest.mark.anyio
async def test_a_contact_from_its_making_to_its_end(call: ToolCaller) -> None:
    (book,) = (await call("list_address_books"))["address_books"]
    assert book["name"] == "contacts"
    await call(
        "create_contact",
        name="Ada Lovelace",
        email="ada@example.com",
        phone="+44 20 1",
        organisation="Analytical, Ltd; London",
        note="likes\nengines",
    )
    await call("create_contact", name="Grace Hopper")
    (ada,) = (await call("find_contacts", text="lovelace"))["contacts"]
    assert (ada["name"], ada["emails"]) == ("Ada Lovelace", ["ada@example.com"])
    assert ada["organisation"] == "Analytical, Ltd; London"
    assert ada["note"] == "likes\nengines"
    await call("delete_contact", uid=ada["uid"])
    assert (await call("find_contacts", text="lovelace"))["contacts"] == []


_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(_text, _text)
def test_no_text_begins_a_line_of_its_own(name: str, note: str) -> None:
    args = CreateContact(name=name[:200], note=f"{note[:50]}\r\nEMAIL:x@evil.example")
    card = card_of(args, "u").decode()
    assert len(card.split("\r\n")) == 8
    assert contact(card)["emails"] == []
