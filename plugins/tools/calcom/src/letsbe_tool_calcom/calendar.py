"""What can be booked, and when: event types, free times, webhooks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from letsbe.plugin import Arguments, Example, NoArguments, Tier, route
from letsbe_tool_calcom.bookings import Number, Time, data

Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Trigger = Literal[
    "BOOKING_CREATED",
    "BOOKING_RESCHEDULED",
    "BOOKING_REQUESTED",
    "BOOKING_CANCELLED",
    "BOOKING_REJECTED",
    "BOOKING_PAID",
    "MEETING_STARTED",
    "MEETING_ENDED",
    "FORM_SUBMITTED",
]


class SlotsArguments(Arguments):
    """Between when, and for what."""

    start: str
    """From when, in UTC: `2026-12-24` or `2026-12-24T08:00:00Z`."""
    end: str
    """Until when, likewise."""
    eventTypeId: Number | None = None  # noqa: N815 - Cal.com's name
    """The kind of meeting; or"""
    eventTypeSlug: str | None = None  # noqa: N815 - Cal.com's name
    """the last part of its address, with"""
    username: str | None = None
    """the host's user name."""
    duration: Number | None = None
    """How long, in minutes, where the kind leaves a choice."""
    timeZone: str | None = None  # noqa: N815 - Cal.com's name
    """The time zone of the answer; UTC if left out."""


class ReserveArguments(Arguments):
    """A free time to hold."""

    eventTypeId: Number  # noqa: N815 - Cal.com's name
    """The kind of meeting."""
    slotStart: Time  # noqa: N815 - Cal.com's name
    """When it begins, in UTC."""
    slotDuration: Number | None = None  # noqa: N815 - Cal.com's name
    """How long, in minutes."""
    reservationDuration: Number | None = None  # noqa: N815 - Cal.com's name
    """How long it is held, in minutes; 5 if left out."""


class BusyArguments(Arguments):
    """Of which calendar, and when."""

    loggedInUsersTz: str  # noqa: N815 - Cal.com's name
    """The time zone: `Europe/Berlin`."""
    dateFrom: Date  # noqa: N815 - Cal.com's name
    """The first day."""
    dateTo: Date  # noqa: N815 - Cal.com's name
    """The last day."""
    credentialId: Number  # noqa: N815 - Cal.com's name
    """The number of the calendar's connection."""
    externalId: str  # noqa: N815 - Cal.com's name
    """The calendar, as its provider names it."""


class EventTypesArguments(Arguments):
    """Whose."""

    username: str | None = None
    """Of this user; your own if left out."""
    eventSlug: str | None = None  # noqa: N815 - Cal.com's name
    """Only the one with this address; goes with username."""


class OneEventType(Arguments):
    """One kind of meeting."""

    event_type_id: Number
    """Its id."""


class EventTypeDetails(Arguments):
    """What a kind of meeting is."""

    title: str | None = None
    """Its title."""
    slug: Slug | None = None
    """The last part of its address."""
    lengthInMinutes: Number | None = None  # noqa: N815 - Cal.com's name
    """How long it takes."""
    description: str | None = None
    """What it is for."""
    hidden: bool | None = None
    """Whether it is left out of the public page."""
    minimumBookingNotice: Annotated[int, Field(ge=0)] | None = None  # noqa: N815 - Cal.com's name
    """How many minutes before its start it can still be booked."""
    scheduleId: Number | None = None  # noqa: N815 - Cal.com's name
    """The schedule that says when it can be."""


class CreateEventType(EventTypeDetails):
    """A new kind of meeting."""

    title: str
    """Its title."""
    slug: Slug
    """The last part of its address."""
    lengthInMinutes: Number  # noqa: N815 - Cal.com's name
    """How long it takes."""


class ChangeEventType(EventTypeDetails):
    """What to change; what is left out stays."""

    event_type_id: Number
    """Its id."""


class WebhookArguments(Arguments):
    """An address that is told of bookings from now on."""

    subscriberUrl: Annotated[str, Field(pattern=r"^https?://")]  # noqa: N815 - Cal.com's name
    """The address."""
    triggers: Annotated[list[Trigger], Field(min_length=1)]
    """Of what it is told."""
    active: bool = True
    """Whether it begins at once."""
    secret: str | None = None
    """What the messages are signed with: `SECRET_REF(name)`."""


class OneWebhook(Arguments):
    """One webhook."""

    webhook_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    """Its id."""


OPERATIONS = (
    route(
        "read_me",
        "Show whose API key is used: name, e-mail address, time zone.",
        "GET /v2/me",
        NoArguments,
        Tier.GREEN,
        pick=data,
    ),
    route(
        "list_free_slots",
        "List the times at which a meeting can be booked.",
        "GET /v2/slots",
        SlotsArguments,
        Tier.GREEN,
        pick=data,
        examples=[
            Example(
                {"start": "2026-12-24", "end": "2026-12-25", "eventTypeId": 3},
                Tier.GREEN,
            )
        ],
    ),
    route(
        "reserve_slot",
        "Hold a free time for some minutes, so that nobody else books it.",
        "POST /v2/slots/reservations",
        ReserveArguments,
        Tier.YELLOW,
        pick=data,
        examples=[
            Example(
                {"eventTypeId": 3, "slotStart": "2026-12-28T09:00:00Z"}, Tier.YELLOW
            )
        ],
    ),
    route(
        "list_busy_times",
        "List when a connected calendar is busy.",
        "GET /v2/calendars/busy-times",
        BusyArguments,
        Tier.GREEN,
        pick=data,
        examples=[
            Example(
                {
                    "loggedInUsersTz": "Europe/Berlin",
                    "dateFrom": "2026-12-28",
                    "dateTo": "2026-12-31",
                    "credentialId": 1,
                    "externalId": "office@example.com",
                },
                Tier.GREEN,
            )
        ],
    ),
    route(
        "list_event_types",
        "List the kinds of meetings that can be booked.",
        "GET /v2/event-types",
        EventTypesArguments,
        Tier.GREEN,
        pick=data,
    ),
    route(
        "read_event_type",
        "Show one kind of meeting.",
        "GET /v2/event-types/{event_type_id}",
        OneEventType,
        Tier.GREEN,
        pick=data,
        examples=[Example({"event_type_id": 3}, Tier.GREEN)],
    ),
    route(
        "create_event_type",
        "Offer a new kind of meeting on the public page.",
        "POST /v2/event-types",
        CreateEventType,
        Tier.YELLOW_EXTERNAL,
        external=True,
        pick=data,
        examples=[
            Example(
                {"title": "Advice", "slug": "advice", "lengthInMinutes": 30},
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
    route(
        "update_event_type",
        "Change a kind of meeting on the public page.",
        "PATCH /v2/event-types/{event_type_id}",
        ChangeEventType,
        Tier.YELLOW_EXTERNAL,
        external=True,
        idempotent=True,
        pick=data,
        examples=[
            Example({"event_type_id": 3, "lengthInMinutes": 45}, Tier.YELLOW_EXTERNAL)
        ],
    ),
    route(
        "delete_event_type",
        "Delete a kind of meeting for good.",
        "DELETE /v2/event-types/{event_type_id}",
        OneEventType,
        Tier.RED,
        pick=data,
        examples=[Example({"event_type_id": 3}, Tier.RED)],
    ),
    route(
        "list_webhooks",
        "List the addresses that are told of bookings.",
        "GET /v2/webhooks",
        NoArguments,
        Tier.GREEN,
        pick=data,
    ),
    route(
        "create_webhook",
        "Send bookings, with who comes, to an address from now on.",
        "POST /v2/webhooks",
        WebhookArguments,
        Tier.YELLOW_EXTERNAL,
        external=True,
        pick=data,
        examples=[
            Example(
                {
                    "subscriberUrl": "https://example.com/hook",
                    "triggers": ["BOOKING_CREATED"],
                },
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
    route(
        "delete_webhook",
        "Send no more bookings to an address.",
        "DELETE /v2/webhooks/{webhook_id}",
        OneWebhook,
        Tier.RED,
        pick=data,
        examples=[Example({"webhook_id": "wh_1"}, Tier.RED)],
    ),
)
