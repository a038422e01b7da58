"""What a support team keeps: inboxes, agents, teams, canned answers, hooks, reports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from letsbe.plugin import Arguments, Example, NoArguments, Tier, route
from letsbe_tool_chatwoot.access import ACCOUNT, REPORTS
from letsbe_tool_chatwoot.conversations import Number

Event = Literal[
    "conversation_created",
    "conversation_status_changed",
    "conversation_updated",
    "message_created",
    "message_updated",
    "webwidget_triggered",
]


class CannedArguments(Arguments):
    """An answer that is kept for later."""

    short_code: Annotated[str, Field(min_length=1, max_length=255)]
    """What a person types to get it."""
    content: Annotated[str, Field(min_length=1)]
    """The text."""


class ChangeCanned(Arguments):
    """What to change; what is left out stays."""

    canned_response_id: Number
    """Its id."""
    short_code: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """What a person types to get it."""
    content: Annotated[str, Field(min_length=1)] | None = None
    """The text."""


class OneCanned(Arguments):
    """One canned answer."""

    canned_response_id: Number
    """Its id."""


class TeamArguments(Arguments):
    """A new team."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    """Its name."""
    description: str | None = None
    """What it is for."""
    allow_auto_assign: bool | None = None
    """Whether conversations are given to its members by turns."""


class OneTeam(Arguments):
    """One team."""

    team_id: Number
    """Its id."""


class InviteArguments(Arguments):
    """Whom to invite as a colleague."""

    name: Annotated[str, Field(min_length=1)]
    """The person's name."""
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    """Where the invitation goes."""
    role: Literal["agent", "administrator"] = "agent"
    """What the person may do."""


class WebhookArguments(Arguments):
    """An address that is told of events from now on."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    """The address."""
    subscriptions: Annotated[list[Event], Field(min_length=1)]
    """The events."""


class OneWebhook(Arguments):
    """One webhook."""

    webhook_id: Number
    """Its id."""


class SummaryArguments(Arguments):
    """Of what, and when."""

    type: Literal["account", "agent", "inbox", "label", "team"] = "account"
    """Of the whole account, or of one of these."""
    id: str | None = None
    """Which agent, inbox, label or team."""
    since: Annotated[str, Field(pattern=r"^\d{9,11}$")] | None = None
    """From when, in seconds since 1970, as text."""
    until: Annotated[str, Field(pattern=r"^\d{9,11}$")] | None = None
    """Until when, likewise."""


class ReportArguments(SummaryArguments):
    """Which figure, of what, and when."""

    metric: Literal[
        "conversations_count",
        "incoming_messages_count",
        "outgoing_messages_count",
        "avg_first_response_time",
        "avg_resolution_time",
        "resolutions_count",
    ]
    """The figure, by day."""


def _payload(answer: Any) -> Any:  # noqa: ANN401 - the tool's JSON
    return answer["payload"] if isinstance(answer, dict) else answer


OPERATIONS = (
    route(
        "read_profile",
        "Show whose access token is used, and the accounts that it reaches.",
        "GET /api/v1/profile",
        NoArguments,
        Tier.GREEN,
        # It repeats the access token, and another one for the live connection.
        pick=lambda answer: {
            name: answer.get(name)
            for name in ("id", "name", "email", "role", "accounts")
        },
    ),
    route(
        "list_inboxes",
        "List the inboxes: the channels that customers write by.",
        f"GET {ACCOUNT}/inboxes",
        NoArguments,
        Tier.GREEN,
        pick=_payload,
    ),
    route(
        "list_agents",
        "List the colleagues who answer.",
        f"GET {ACCOUNT}/agents",
        NoArguments,
        Tier.GREEN,
    ),
    route(
        "invite_agent",
        "Invite a colleague by e-mail, who can then read every conversation.",
        f"POST {ACCOUNT}/agents",
        InviteArguments,
        Tier.RED,
        external=True,
        examples=[Example({"name": "Grace", "email": "grace@example.com"}, Tier.RED)],
    ),
    route(
        "list_teams", "List the teams.", f"GET {ACCOUNT}/teams", NoArguments, Tier.GREEN
    ),
    route(
        "create_team",
        "Make a team.",
        f"POST {ACCOUNT}/teams",
        TeamArguments,
        Tier.YELLOW,
        examples=[Example({"name": "Billing"}, Tier.YELLOW)],
    ),
    route(
        "delete_team",
        "Delete a team; its conversations stay.",
        f"DELETE {ACCOUNT}/teams/{{team_id}}",
        OneTeam,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"team_id": 2}, Tier.RED)],
    ),
    route(
        "list_canned_responses",
        "List the answers that are kept for later.",
        f"GET {ACCOUNT}/canned_responses",
        NoArguments,
        Tier.GREEN,
    ),
    route(
        "create_canned_response",
        "Keep an answer for later.",
        f"POST {ACCOUNT}/canned_responses",
        CannedArguments,
        Tier.YELLOW,
        examples=[
            Example({"short_code": "hours", "content": "We open at nine."}, Tier.YELLOW)
        ],
    ),
    route(
        "update_canned_response",
        "Change an answer that is kept.",
        f"PATCH {ACCOUNT}/canned_responses/{{canned_response_id}}",
        ChangeCanned,
        Tier.YELLOW,
        idempotent=True,
        examples=[
            Example(
                {"canned_response_id": 4, "content": "We open at ten."}, Tier.YELLOW
            )
        ],
    ),
    route(
        "delete_canned_response",
        "Delete an answer that is kept, for good.",
        f"DELETE {ACCOUNT}/canned_responses/{{canned_response_id}}",
        OneCanned,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"canned_response_id": 4}, Tier.RED)],
    ),
    route(
        "list_webhooks",
        "List the addresses that are told of events.",
        f"GET {ACCOUNT}/webhooks",
        NoArguments,
        Tier.GREEN,
        pick=lambda answer: answer["payload"]["webhooks"],
    ),
    route(
        "create_webhook",
        "Send events, with what customers write, to an address from now on.",
        f"POST {ACCOUNT}/webhooks",
        WebhookArguments,
        Tier.YELLOW_EXTERNAL,
        external=True,
        pick=lambda answer: answer["payload"]["webhook"],
        examples=[
            Example(
                {
                    "url": "https://example.com/hook",
                    "subscriptions": ["message_created"],
                },
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
    route(
        "delete_webhook",
        "Send no more events to an address.",
        f"DELETE {ACCOUNT}/webhooks/{{webhook_id}}",
        OneWebhook,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"webhook_id": 5}, Tier.RED)],
    ),
    route(
        "read_report",
        "Show one figure by day, such as how many conversations came.",
        f"GET {REPORTS}",
        ReportArguments,
        Tier.GREEN,
        examples=[Example({"metric": "conversations_count"}, Tier.GREEN)],
    ),
    route(
        "read_report_summary",
        "Show all figures of a time, and of the time before it.",
        f"GET {REPORTS}/summary",
        SummaryArguments,
        Tier.GREEN,
    ),
)
