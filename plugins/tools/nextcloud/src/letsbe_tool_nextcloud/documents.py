"""Events and contacts as documents: iCalendar (RFC 5545) and vCard (RFC 6350)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from icalendar import Calendar, Event, vCalAddress
from icalendar.parser import Contentlines

from letsbe_tool_nextcloud.calendar_arguments import CreateContact, CreateEvent


def calendar_of(
    args: CreateEvent, start: date | datetime, end: date | datetime, uid: str
) -> bytes:
    """Write a calendar with one event."""
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", datetime.now(UTC))
    event.add("summary", args.title)
    for name, time in (("dtstart", start), ("dtend", end)):
        event.add(name, time.astimezone(UTC) if isinstance(time, datetime) else time)
    if args.location is not None:
        event.add("location", args.location)
    if args.description is not None:
        event.add("description", args.description)
    if args.organizer is not None:
        event.add("organizer", vCalAddress(f"mailto:{args.organizer}"))
    for attendee in args.attendees:
        event.add("attendee", vCalAddress(f"mailto:{attendee}"))
    calendar = Calendar()
    calendar.add("prodid", "-//LetsBe//letsbe-tool-nextcloud//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def events(text: str) -> Iterator[dict[str, Any]]:
    """Read the events of a calendar."""
    for event in Calendar.from_ical(text).walk("VEVENT"):
        told: dict[str, Any] = {"title": str(event.get("summary", ""))}
        for name, key in (("dtstart", "start"), ("dtend", "end")):
            if key_time := event.get(name):
                told[key] = key_time.dt.isoformat()
        if event.get("recurrence-id"):
            told["recurs"] = True
        for name in ("location", "description"):
            if event.get(name):
                told[name] = str(event[name])
        attendees = event.get("attendee") or []
        if not isinstance(attendees, list):
            attendees = [attendees]
        if attendees:
            told["attendees"] = [
                str(each).removeprefix("mailto:") for each in attendees
            ]
        yield told


def card_of(args: CreateContact, uid: str) -> bytes:
    """Write a contact's card."""
    family, _, given = (part.strip() for part in args.name[::-1].partition(" "))
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{_escaped(args.name)}"]
    lines.append(f"N:{_escaped(family[::-1])};{_escaped(given[::-1])};;;")
    fields = (
        ("EMAIL", args.email),
        ("TEL", args.phone),
        ("ORG", args.organisation),
        ("NOTE", args.note),
    )
    lines += [f"{name}:{_escaped(value)}" for name, value in fields if value]
    return "\r\n".join([*lines, "END:VCARD", ""]).encode()


def _escaped(text: str) -> str:
    """Escape a value (RFC 6350, 3.4), so that it cannot begin another property."""
    for plain, escaped in (("\\", "\\\\"), (",", "\\,"), (";", "\\;")):
        text = text.replace(plain, escaped)
    return "\\n".join(text.splitlines())


def contact(text: str) -> dict[str, Any]:
    """Read a contact's card."""
    told: dict[str, Any] = {"name": "", "emails": [], "phones": []}
    for line in Contentlines.from_ical(text):  # type: ignore[no-untyped-call] # its own
        if not line:
            continue
        name, _, value = line.parts()
        kind = name.upper().rsplit(".", 1)[-1]
        plain = value.replace("\\,", ",").replace("\\;", ";").replace("\\n", "\n")
        if kind == "FN":
            told["name"] = plain
        elif kind == "EMAIL":
            told["emails"].append(plain)
        elif kind == "TEL":
            told["phones"].append(plain)
        elif kind in {"ORG", "NOTE"}:
            told["organisation" if kind == "ORG" else "note"] = plain
    return told
