"""Schedules: the hours in which meetings can be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from letsbe.plugin import Arguments, Example, NoArguments, Tier, route
from letsbe_tool_calcom.bookings import Number, data
from letsbe_tool_calcom.calendar import Date

Day = Literal[
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Available(Arguments):
    """Hours that return every week."""

    days: Annotated[list[Day], Field(min_length=1)]
    """On which days."""
    startTime: Clock  # noqa: N815 - Cal.com's name
    """From when: `09:00`."""
    endTime: Clock  # noqa: N815 - Cal.com's name
    """Until when."""


class Override(Arguments):
    """Hours of one day that is unlike the others."""

    date: Date
    """The day."""
    startTime: Clock  # noqa: N815 - Cal.com's name
    """From when."""
    endTime: Clock  # noqa: N815 - Cal.com's name
    """Until when."""


class ScheduleDetails(Arguments):
    """When meetings can be."""

    name: str | None = None
    """What it is called."""
    timeZone: str | None = None  # noqa: N815 - Cal.com's name
    """Its time zone."""
    availability: list[Available] | None = None
    """The hours of every week; they replace all that were there."""
    overrides: list[Override] | None = None
    """The days that are unlike the others; likewise."""
    isDefault: bool | None = None  # noqa: N815 - Cal.com's name
    """Whether meetings without a schedule of their own use it."""


class CreateSchedule(ScheduleDetails):
    """A new schedule."""

    name: str
    """What it is called."""
    timeZone: str  # noqa: N815 - Cal.com's name
    """Its time zone."""
    isDefault: bool = False  # noqa: N815 - Cal.com's name
    """Whether meetings without a schedule of their own use it."""


class ChangeSchedule(ScheduleDetails):
    """What to change; what is left out stays."""

    schedule_id: Number
    """Its id."""


class OneSchedule(Arguments):
    """One schedule."""

    schedule_id: Number
    """Its id."""


OPERATIONS = (
    route(
        "list_schedules",
        "List the schedules: when meetings can be.",
        "GET /v2/schedules",
        NoArguments,
        Tier.GREEN,
        pick=data,
    ),
    route(
        "read_default_schedule",
        "Show the schedule that meetings without one of their own use.",
        "GET /v2/schedules/default",
        NoArguments,
        Tier.GREEN,
        pick=data,
    ),
    route(
        "read_schedule",
        "Show one schedule.",
        "GET /v2/schedules/{schedule_id}",
        OneSchedule,
        Tier.GREEN,
        pick=data,
        examples=[Example({"schedule_id": 2}, Tier.GREEN)],
    ),
    route(
        "create_schedule",
        "Make a schedule.",
        "POST /v2/schedules",
        CreateSchedule,
        Tier.YELLOW,
        pick=data,
        examples=[
            Example({"name": "Winter", "timeZone": "Europe/Berlin"}, Tier.YELLOW)
        ],
    ),
    route(
        "update_schedule",
        "Change when meetings can be.",
        "PATCH /v2/schedules/{schedule_id}",
        ChangeSchedule,
        Tier.YELLOW,
        idempotent=True,
        pick=data,
        examples=[Example({"schedule_id": 2, "timeZone": "Europe/Paris"}, Tier.YELLOW)],
    ),
    route(
        "delete_schedule",
        "Delete a schedule for good.",
        "DELETE /v2/schedules/{schedule_id}",
        OneSchedule,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"schedule_id": 2}, Tier.RED)],
    ),
)
