"""What the Cal.com adapter is: its operations, credential and raw requests' table."""

from __future__ import annotations

from letsbe.plugin import Adapter, Credential, RouteRule, Tier, ToolClient
from letsbe_tool_calcom import bookings, calendar, schedules
from letsbe_tool_calcom.access import authenticate, read_fault

_MAILS = "changes a meeting; everyone in it is mailed"

ROUTES = (
    RouteRule("GET", "/v2/me", Tier.GREEN, "reads"),
    RouteRule("GET", "/v2/bookings/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/v2/event-types/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/v2/slots/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/v2/schedules/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/v2/calendars/**", Tier.GREEN, "reads"),
    RouteRule(
        "GET", "/v2/webhooks/**", Tier.YELLOW, "may show what signs the messages"
    ),
    RouteRule("GET", "/v2/event-types/*/webhooks/**", Tier.YELLOW, "likewise"),
    RouteRule("GET", "/v2/timezones", Tier.GREEN, "reads"),
    RouteRule(
        "POST|PATCH", "/v2/bookings/**", Tier.YELLOW_EXTERNAL, _MAILS, external=True
    ),
    RouteRule("POST", "/v2/bookings/*/cancel", Tier.RED, _MAILS, external=True),
    RouteRule("POST", "/v2/bookings/*/decline", Tier.RED, _MAILS, external=True),
    RouteRule("POST|PATCH|DELETE", "/v2/slots/**", Tier.YELLOW, "holds a free time"),
    RouteRule("POST|PATCH", "/v2/schedules/**", Tier.YELLOW, "changes a schedule"),
    RouteRule(
        "POST|PATCH",
        "/v2/event-types/**",
        Tier.YELLOW_EXTERNAL,
        "changes the public page",
        external=True,
    ),
    RouteRule(
        "POST|PATCH",
        "/v2/webhooks/**",
        Tier.YELLOW_EXTERNAL,
        "sends bookings to another address from now on",
        external=True,
    ),
    RouteRule("DELETE", "/v2/**", Tier.RED, "deletes for good"),
    RouteRule("POST", "/v2/api-keys/**", Tier.CRITICAL_RED, "ends the API key in use"),
    RouteRule("PATCH", "/v2/me", Tier.RED, "changes the account"),
    RouteRule("*", "/v2/oauth-clients/**", Tier.CRITICAL_RED, "governs other accounts"),
)


async def check(tool: ToolClient) -> str:
    """Ask whether it answers; a request without a key is turned away politely."""
    answer = await tool.send("GET", "/v2/me", accept=(401, 403))
    return "Cal.com answers" if answer.peek() is not None else "something answers"


CALCOM = Adapter(
    name="calcom",
    summary="Appointments: bookings, free times, kinds of meetings, schedules.",
    operations=(*bookings.OPERATIONS, *calendar.OPERATIONS, *schedules.OPERATIONS),
    routes=ROUTES,
    authenticate=authenticate,
    credentials=(
        Credential(
            "api_key",
            "an API key, `cal_...`, from the settings for developers",
            env=("CALCOM_API_KEY", "CAL_API_KEY"),
        ),
    ),
    address_env=("CALCOM_API_URL", "CAL_API_URL", "CALCOM_URL"),
    fault=read_fault,
    check=check,
    probe="read_me",
    notes=(
        "Times are in UTC: `2026-12-24T08:00:00Z`.",
        "Rescheduling gives a booking a new uid: use that of the answer.",
        "Look at list_free_slots before you book.",
        "At most 120 calls a minute.",
    ),
)
"""The adapter."""
