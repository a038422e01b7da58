"""Calendars and address books: CalDAV (RFC 4791) and CardDAV (RFC 6352)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime

from letsbe.plugin import (
    Example,
    InvalidRequest,
    Json,
    NoArguments,
    Raise,
    Tier,
    ToolClient,
    operation,
)
from letsbe_tool_nextcloud import dav
from letsbe_tool_nextcloud.access import DAV, refuse_references
from letsbe_tool_nextcloud.calendar_arguments import (
    CreateContact,
    CreateEvent,
    FindContacts,
    ListEvents,
    OneContact,
    OneEvent,
)
from letsbe_tool_nextcloud.dav import CAL, CARD, D

CALENDARS = f"{DAV}/calendars/{{$user}}"
BOOKS = f"{DAV}/addressbooks/users/{{$user}}"
EVENT = f"{CALENDARS}/{{calendar}}/{{uid}}.ics"
CONTACT = f"{BOOKS}/{{address_book}}/{{uid}}.vcf"


def _invites(args: CreateEvent) -> Iterator[Raise]:
    if args.attendees:
        yield Raise(
            Tier.YELLOW_EXTERNAL, "invite", "mails the invitation", external=True
        )


@operation(Tier.GREEN)
async def list_calendars(tool: ToolClient, args: NoArguments) -> Json:
    """List the calendars."""
    found = await _collections(tool, CALENDARS, f"{CAL}calendar")
    return {"calendars": found}


@operation(
    Tier.GREEN,
    examples=[Example({"start": "2026-12-24", "end": "2026-12-31"}, Tier.GREEN)],
)
async def list_events(tool: ToolClient, args: ListEvents) -> Json:
    """List the events between two times, each time of one that recurs."""
    from letsbe_tool_nextcloud import documents  # noqa: PLC0415 - brings 3 MB

    answer = await tool.send(
        "REPORT",
        f"{CALENDARS}/{{calendar}}/",
        {"calendar": args.calendar},
        content=dav.calendar_query(_in_utc(args.start), _in_utc(args.end)),
        headers={**dav.XML, "depth": "1"},
    )
    events = []
    for found in dav.read(answer):
        text = found.properties.get(f"{CAL}calendar-data")
        if text:
            uid = found.path.rsplit("/", 1)[-1].removesuffix(".ics")
            events += [{"uid": uid, **event} for event in documents.events(text)]
    return {"events": events}


@operation(
    Tier.YELLOW,
    raises=_invites,
    examples=[
        Example(
            {
                "title": "Stock-taking",
                "start": "2026-12-28T09:00:00+01:00",
                "end": "2026-12-28T12:00:00+01:00",
            },
            Tier.YELLOW,
        ),
        Example(
            {
                "title": "Stock-taking",
                "start": "2026-12-28",
                "end": "2026-12-29",
                "attendees": ["ada@example.com"],
                "organizer": "grace@example.com",
            },
            Tier.YELLOW_EXTERNAL,
        ),
    ],
)
async def create_event(tool: ToolClient, args: CreateEvent) -> Json:
    """Put an event into a calendar."""
    refuse_references(args)
    uid = str(uuid.uuid4())
    await tool.send(
        "PUT",
        EVENT,
        {"calendar": args.calendar, "uid": uid},
        content=_calendar_of(args, uid),
        headers={"content-type": "text/calendar; charset=utf-8", "if-none-match": "*"},
    )
    return {"created": uid}


@operation(Tier.RED, external=True, examples=[Example({"uid": "5f0c-stock"}, Tier.RED)])
async def delete_event(tool: ToolClient, args: OneEvent) -> Json:
    """Delete an event; who was invited is told that it is off."""
    await tool.send("DELETE", EVENT, {"calendar": args.calendar, "uid": args.uid})
    return {"deleted": args.uid}


@operation(Tier.GREEN)
async def list_address_books(tool: ToolClient, args: NoArguments) -> Json:
    """List the address books."""
    return {"address_books": await _collections(tool, BOOKS, f"{CARD}addressbook")}


@operation(Tier.GREEN, examples=[Example({"text": "ada"}, Tier.GREEN)])
async def find_contacts(tool: ToolClient, args: FindContacts) -> Json:
    """Find contacts by a part of their name or e-mail address."""
    from letsbe_tool_nextcloud import documents  # noqa: PLC0415 - brings 3 MB

    refuse_references(args)
    answer = await tool.send(
        "REPORT",
        f"{BOOKS}/{{address_book}}/",
        {"address_book": args.address_book},
        content=dav.addressbook_query(args.text, args.limit),
        headers={**dav.XML, "depth": "1"},
    )
    contacts = []
    for found in dav.read(answer):
        text = found.properties.get(f"{CARD}address-data")
        if text:
            uid = found.path.rsplit("/", 1)[-1].removesuffix(".vcf")
            contacts.append({"uid": uid, **documents.contact(text)})
    return {"contacts": contacts}


@operation(
    Tier.YELLOW,
    examples=[Example({"name": "Ada Lovelace", "email": "a@example.com"}, Tier.YELLOW)],
)
async def create_contact(tool: ToolClient, args: CreateContact) -> Json:
    """Put a contact into an address book."""
    from letsbe_tool_nextcloud import documents  # noqa: PLC0415 - brings 3 MB

    refuse_references(args)
    uid = str(uuid.uuid4())
    await tool.send(
        "PUT",
        CONTACT,
        {"address_book": args.address_book, "uid": uid},
        content=documents.card_of(args, uid),
        headers={"content-type": "text/vcard; charset=utf-8", "if-none-match": "*"},
    )
    return {"created": uid}


@operation(Tier.RED, examples=[Example({"uid": "5f0c-ada"}, Tier.RED)])
async def delete_contact(tool: ToolClient, args: OneContact) -> Json:
    """Delete a contact."""
    values = {"address_book": args.address_book, "uid": args.uid}
    await tool.send("DELETE", CONTACT, values)
    return {"deleted": args.uid}


async def _collections(tool: ToolClient, path: str, kind: str) -> list[dict[str, str]]:
    answer = await tool.send(
        "PROPFIND",
        f"{path}/",
        content=dav.propfind((f"{D}resourcetype", f"{D}displayname")),
        headers={**dav.XML, "depth": "1"},
    )
    return [
        {
            "name": found.path.rstrip("/").rsplit("/", 1)[-1],
            "title": found.properties.get(f"{D}displayname", ""),
        }
        for found in dav.read(answer)
        if kind in found.kinds
    ]


def _time(text: str) -> date | datetime:
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        message = "a time is not one that exists: write 2026-12-24T08:00:00+01:00"
        raise InvalidRequest(message) from None


def _in_utc(text: str) -> str:
    time = _time(text)
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=UTC)
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _calendar_of(args: CreateEvent, uid: str) -> bytes:
    start, end = _time(args.start), _time(args.end)
    if isinstance(start, datetime) is not isinstance(end, datetime):
        message = "give start and end both as days, or both with a time"
        raise InvalidRequest(message)
    if _in_utc(args.end) <= _in_utc(args.start):
        message = "the event ends before it begins"
        raise InvalidRequest(message)
    if args.attendees and args.organizer is None:
        message = "an invitation needs its organizer: your own e-mail address"
        raise InvalidRequest(message)
    from letsbe_tool_nextcloud import documents  # noqa: PLC0415 - brings 3 MB

    return documents.calendar_of(args, start, end, uid)


OPERATIONS = (
    *(list_calendars, list_events, create_event, delete_event, list_address_books),
    *(find_contacts, create_contact, delete_contact),
)
