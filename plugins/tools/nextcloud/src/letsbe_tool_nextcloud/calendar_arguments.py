"""What is said of events and contacts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from letsbe.plugin import Arguments

Uid = Annotated[str, Field(min_length=1, max_length=250)]
Name = Annotated[str, Field(min_length=1, max_length=250)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
When = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$")
]


class ListEvents(Arguments):
    """Which events."""

    calendar: Name = "personal"
    """The calendar; see list_calendars."""
    start: When
    """From when: `2026-12-24` or `2026-12-24T08:00:00+01:00`."""
    end: When
    """Until when, likewise."""


class CreateEvent(Arguments):
    """An event."""

    calendar: Name = "personal"
    """The calendar."""
    title: Annotated[str, Field(min_length=1, max_length=500)]
    """What it is called."""
    start: When
    """When it begins: `2026-12-24T08:00:00+01:00`, or a day for all of it."""
    end: When
    """When it ends, in the same form; the day after the last one for whole days."""
    location: Annotated[str, Field(max_length=500)] | None = None
    """Where."""
    description: Annotated[str, Field(max_length=10_000)] | None = None
    """More about it."""
    attendees: list[Email] = Field(default_factory=list)
    """Who is invited; each is sent a mail."""
    organizer: Email | None = None
    """Who invites; needed with attendees, and yours."""


class OneEvent(Arguments):
    """One event."""

    calendar: Name = "personal"
    """The calendar."""
    uid: Uid
    """Its uid."""


class FindContacts(Arguments):
    """Whom to look for."""

    address_book: Name = "contacts"
    """The address book; see list_address_books."""
    text: Annotated[str, Field(min_length=1, max_length=200)]
    """A part of the name or e-mail address."""
    limit: Annotated[int, Field(ge=1, le=200)] = 25
    """How many at most."""


class CreateContact(Arguments):
    """A contact."""

    address_book: Name = "contacts"
    """The address book."""
    name: Annotated[str, Field(min_length=1, max_length=200)]
    """The whole name."""
    email: Email | None = None
    """The e-mail address."""
    phone: Annotated[str, Field(max_length=50)] | None = None
    """The phone number."""
    organisation: Annotated[str, Field(max_length=200)] | None = None
    """The company."""
    note: Annotated[str, Field(max_length=5000)] | None = None
    """What else is known."""


class OneContact(Arguments):
    """One contact."""

    address_book: Name = "contacts"
    """The address book."""
    uid: Uid
    """Its uid."""
