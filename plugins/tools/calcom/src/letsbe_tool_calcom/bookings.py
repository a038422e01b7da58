"""Bookings: meetings with people outside, who are mailed whatever changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    InvalidRequest,
    Json,
    Page,
    Tier,
    ToolClient,
    collect,
    operation,
    route,
)

ONE = "/v2/bookings/{uid}"

Uid = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{4,64}$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$")]
"""A time in UTC: ``2026-12-24T08:00:00Z``."""
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
Number = Annotated[int, Field(ge=1)]

_MOST = 250  # what `take` allows


class ListArguments(Arguments):
    """Which bookings, and how many."""

    status: (
        list[Literal["upcoming", "past", "cancelled", "recurring", "unconfirmed"]]
        | None
    ) = None
    """In which state they are; any if left out."""
    attendeeEmail: Email | None = None  # noqa: N815 - Cal.com's name
    """With this person."""
    eventTypeId: Number | None = None  # noqa: N815 - Cal.com's name
    """Of this kind."""
    afterStart: Time | None = None  # noqa: N815 - Cal.com's name
    """That begin after this time, in UTC."""
    beforeEnd: Time | None = None  # noqa: N815 - Cal.com's name
    """That end before this time, in UTC."""
    sortStart: Literal["asc", "desc"] | None = None  # noqa: N815 - Cal.com's name
    """By when they begin."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    """How many are wanted; there may be some more."""
    skip: Annotated[int, Field(ge=0)] = 0
    """How many to pass over: `next_skip` of the answer before."""


class OneArguments(Arguments):
    """One booking."""

    uid: Uid
    """Its uid."""


class Attendee(Arguments):
    """Who comes."""

    name: Annotated[str, Field(min_length=1)]
    """The name."""
    email: Email | None = None
    """Where invitations go; needed if there is no phone number."""
    timeZone: str  # noqa: N815 - Cal.com's name
    """The time zone: `Europe/Berlin`."""
    phoneNumber: Annotated[str, Field(pattern=r"^\+[1-9]\d{1,14}$")] | None = None  # noqa: N815 - Cal.com's name
    """The phone number in E.164 form."""
    language: str | None = None
    """The language of the mails: `de`."""


class CreateArguments(Arguments):
    """A meeting."""

    start: Time
    """When it begins, in UTC; see list_free_slots."""
    eventTypeId: Number | None = None  # noqa: N815 - Cal.com's name
    """Its kind; see list_event_types. Or"""
    eventTypeSlug: str | None = None  # noqa: N815 - Cal.com's name
    """the last part of the kind's address, with"""
    username: str | None = None
    """the host's user name."""
    attendee: Attendee
    """The person whom the meeting is with."""
    guests: list[Email] | None = None
    """Who else is invited."""
    lengthInMinutes: Number | None = None  # noqa: N815 - Cal.com's name
    """How long, where the kind leaves a choice."""
    metadata: dict[str, str] | None = None
    """Fields of your own."""
    bookingFieldsResponses: dict[str, str | list[str] | bool] | None = None  # noqa: N815 - Cal.com's name
    """Answers to the questions that the kind asks, by their slugs."""


class RescheduleArguments(OneArguments):
    """When a meeting is instead."""

    start: Time
    """When it begins now, in UTC."""
    reschedulingReason: str | None = None  # noqa: N815 - Cal.com's name
    """Why; everyone reads it."""


class CancelArguments(OneArguments):
    """A meeting that does not take place."""

    cancellationReason: Annotated[str, Field(min_length=1)]  # noqa: N815 - Cal.com's name
    """Why; everyone reads it."""
    cancelSubsequentBookings: bool | None = None  # noqa: N815 - Cal.com's name
    """Whether those that follow in a series are cancelled too."""


class DeclineArguments(OneArguments):
    """A request that is not accepted."""

    reason: str | None = None
    """Why; the person reads it."""


class ReassignArguments(OneArguments):
    """Who is the host instead."""

    user_id: Number | None = None
    """The new host; the next in turn if left out."""
    reason: str | None = None
    """Why."""


class AbsentArguments(OneArguments):
    """Who did not come."""

    host: bool | None = None
    """Whether the host did not."""
    attendees: list[Email] | None = None
    """The attendees who did not."""


class GuestsArguments(OneArguments):
    """Who else is invited."""

    guests: Annotated[list[Email], Field(min_length=1)]
    """Their e-mail addresses."""


@operation(
    Tier.GREEN,
    examples=[Example({}, Tier.GREEN), Example({"status": ["upcoming"]}, Tier.GREEN)],
)
async def list_bookings(tool: ToolClient, args: ListArguments) -> Json:
    """List bookings."""
    query = args.model_dump(exclude_none=True, exclude={"limit", "skip", "status"})
    if args.status:
        query["status"] = ",".join(args.status)

    async def fetch(skip: int) -> Page[int]:
        take = min(args.limit, _MOST)
        found = data(await tool.get("/v2/bookings", **query, take=take, skip=skip))
        return Page(found, skip + len(found) if len(found) == take else None)

    found = await collect(fetch, args.skip, args.limit)
    return {"bookings": found.items, "next_skip": found.next}


@operation(
    Tier.YELLOW_EXTERNAL,
    external=True,
    examples=[
        Example(
            {
                "start": "2026-12-24T08:00:00Z",
                "eventTypeId": 3,
                "attendee": {
                    "name": "Ada",
                    "email": "ada@example.com",
                    "timeZone": "Europe/Berlin",
                },
            },
            Tier.YELLOW_EXTERNAL,
        )
    ],
)
async def create_booking(tool: ToolClient, args: CreateArguments) -> Json:
    """Book a meeting; the host, the attendee and the guests are mailed."""
    named = args.eventTypeSlug is not None and args.username is not None
    if (args.eventTypeId is None) is not named:
        message = "give eventTypeId, or eventTypeSlug with username"
        raise InvalidRequest(message)
    if args.attendee.email is None and args.attendee.phoneNumber is None:
        message = "give the attendee's email or phoneNumber"
        raise InvalidRequest(message)
    sent = args.model_dump(exclude_none=True)
    return data((await tool.send("POST", "/v2/bookings", json=sent)).json())


@operation(
    Tier.YELLOW_EXTERNAL,
    external=True,
    examples=[Example({"uid": "bk_7Qx2"}, Tier.YELLOW_EXTERNAL)],
)
async def reassign_booking(tool: ToolClient, args: ReassignArguments) -> Json:
    """Give a booking to another host; everyone is mailed."""
    if args.user_id is None:
        answer = await tool.send("POST", f"{ONE}/reassign", {"uid": args.uid})
    else:
        answer = await tool.send(
            "POST",
            f"{ONE}/reassign/{{user_id}}",
            {"uid": args.uid, "user_id": args.user_id},
            json={"reason": args.reason} if args.reason else {},
        )
    return data(answer.json())


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[
        Example({"uid": "bk_7Qx2", "attendees": ["ada@example.com"]}, Tier.YELLOW)
    ],
)
async def mark_absent(tool: ToolClient, args: AbsentArguments) -> Json:
    """Note that the host or attendees did not come."""
    sent = args.model_dump(exclude_none=True, include={"host"})
    if args.attendees is not None:
        sent["attendees"] = [{"email": e, "absent": True} for e in args.attendees]
    path, values = f"{ONE}/mark-absent", {"uid": args.uid}
    return data((await tool.send("POST", path, values, json=sent)).json())


def data(answer: Any) -> Any:  # noqa: ANN401 - the tool's JSON
    """Take the data out of Cal.com's envelope."""
    return answer["data"] if isinstance(answer, dict) and "data" in answer else answer


OPERATIONS = (
    list_bookings,
    route(
        "read_booking",
        "Show one booking: when, who, where, and its state.",
        f"GET {ONE}",
        OneArguments,
        Tier.GREEN,
        pick=data,
        examples=[Example({"uid": "bk_7Qx2"}, Tier.GREEN)],
    ),
    create_booking,
    route(
        "reschedule_booking",
        "Move a meeting; everyone is mailed. The answer has a new uid: use that.",
        f"POST {ONE}/reschedule",
        RescheduleArguments,
        Tier.YELLOW_EXTERNAL,
        external=True,
        pick=data,
        examples=[
            Example(
                {"uid": "bk_7Qx2", "start": "2026-12-28T09:00:00Z"},
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
    route(
        "cancel_booking",
        "Cancel a meeting for good; everyone is mailed.",
        f"POST {ONE}/cancel",
        CancelArguments,
        Tier.RED,
        external=True,
        pick=data,
        examples=[
            Example({"uid": "bk_7Qx2", "cancellationReason": "illness"}, Tier.RED)
        ],
    ),
    route(
        "confirm_booking",
        "Accept a booking that waits; the person is mailed.",
        f"POST {ONE}/confirm",
        OneArguments,
        Tier.YELLOW_EXTERNAL,
        external=True,
        pick=data,
        examples=[Example({"uid": "bk_7Qx2"}, Tier.YELLOW_EXTERNAL)],
    ),
    route(
        "decline_booking",
        "Decline a booking that waits, for good; the person is mailed.",
        f"POST {ONE}/decline",
        DeclineArguments,
        Tier.RED,
        external=True,
        pick=data,
        examples=[Example({"uid": "bk_7Qx2", "reason": "fully booked"}, Tier.RED)],
    ),
    reassign_booking,
    mark_absent,
    route(
        "add_guests",
        "Invite more people to a meeting; they are mailed.",
        f"POST {ONE}/guests",
        GuestsArguments,
        Tier.YELLOW_EXTERNAL,
        external=True,
        wrap=lambda body: {"guests": [{"email": e} for e in body["guests"]]},
        pick=data,
        examples=[
            Example(
                {"uid": "bk_7Qx2", "guests": ["grace@example.com"]},
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
)
