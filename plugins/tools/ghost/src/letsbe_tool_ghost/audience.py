"""Members, newsletters, and what a site says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    Json,
    NoArguments,
    Operation,
    Raise,
    Tier,
    ToolClient,
    operation,
    route,
)
from letsbe_tool_ghost.access import ADMIN
from letsbe_tool_ghost.arguments import ById, Id, ListArguments
from letsbe_tool_ghost.content import read_list

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=191)]


class ListMembers(ListArguments):
    """Which members."""

    search: str | None = None
    """A part of the name or address."""


class MemberFields(Arguments):
    """What is kept of a member."""

    name: Annotated[str, Field(max_length=191)] | None = None
    """The name."""
    note: Annotated[str, Field(max_length=2000)] | None = None
    """A note that only the staff sees."""
    labels: list[str] | None = None
    """The names of all labels."""


class NewMember(MemberFields):
    """A new member."""

    email: Email
    """The address."""
    send_email: bool = False
    """Whether to mail an invitation to sign in."""


class ChangedMember(MemberFields):
    """What to change; what is left out stays."""

    id: Id
    """The member's id."""
    email: Email | None = None
    """The new address."""


class WebhookArguments(Arguments):
    """What is told to whom."""

    event: Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z]+)+$")]
    """Such as `post.published`."""
    target_url: Annotated[str, Field(pattern=r"^https?://", max_length=2000)]
    """Where it is sent."""
    name: str | None = None
    """What it is called."""
    secret: str | None = None
    """Signs what is sent: SECRET_REF(name)."""


def _invites(args: NewMember) -> Iterator[Raise]:
    if args.send_email:
        why = "mails an invitation to the member"
        yield Raise(Tier.YELLOW_EXTERNAL, "invitation", why)


@operation(Tier.GREEN, examples=(Example({"search": "ada", "limit": 5}, Tier.GREEN),))
async def list_members(tool: ToolClient, args: ListMembers) -> Json:
    """List members: personal data, so ask for no more than you need."""
    answer = await tool.get(
        f"{ADMIN}/members/",
        search=args.search,
        filter=args.filter,
        order=args.order,
        page=args.page,
        limit=min(args.limit, 100),
    )
    following = answer["meta"]["pagination"]["next"]
    return {"members": [_shown(m) for m in answer["members"]], "next_page": following}


@operation(
    Tier.YELLOW,
    raises=_invites,
    examples=(
        Example({"email": "ada@example.com"}, Tier.YELLOW),
        Example({"email": "ada@example.com", "send_email": True}, Tier.YELLOW_EXTERNAL),
    ),
)
async def create_member(tool: ToolClient, args: NewMember) -> Json:
    """Add a member, with or without an invitation by mail."""
    invitation = {"send_email": True, "email_type": "signup"}
    response = await tool.send(
        "POST",
        f"{ADMIN}/members/",
        query=invitation if args.send_email else None,
        json={"members": [_fields(args)]},
    )
    return _shown(response.json()["members"][0])


@operation(
    Tier.YELLOW, examples=(Example({"id": "a" * 24, "name": "Ada"}, Tier.YELLOW),)
)
async def update_member(tool: ToolClient, args: ChangedMember) -> Json:
    """Change a member."""
    response = await tool.send(
        "PUT",
        f"{ADMIN}/members/{{id}}/",
        {"id": args.id},
        json={"members": [_fields(args)]},
    )
    return _shown(response.json()["members"][0])


@operation(Tier.GREEN, examples=(Example({}, Tier.GREEN),))
async def read_site_settings(tool: ToolClient, args: NoArguments) -> Json:
    """Read the site's settings."""
    answer = await tool.get(f"{ADMIN}/settings/")
    return {each["key"]: each["value"] for each in answer["settings"]}


def _fields(args: NewMember | ChangedMember) -> dict[str, Any]:
    return args.model_dump(exclude_none=True, exclude={"id", "send_email"})


def _shown(member: dict[str, Any]) -> dict[str, Any]:
    kept = ("id", "email", "name", "note", "status", "created_at", "last_seen_at")
    told = {name: member[name] for name in kept if member.get(name) is not None}
    for name in ("labels", "newsletters"):
        if member.get(name):
            told[name] = [each["name"] for each in member[name]]
    return told


def _listed(resource: str, summary: str) -> Operation:
    return Operation(
        f"list_{resource}",
        summary,
        ListArguments,
        partial(read_list, f"{ADMIN}/{resource}/", resource),
        Tier.GREEN,
        idempotent=True,
        examples=(Example({"limit": 5}, Tier.GREEN),),
    )


OPERATIONS = (
    list_members,
    create_member,
    update_member,
    route(
        "delete_member",
        "Delete a member with all that is known of them.",
        f"DELETE {ADMIN}/members/{{id}}/",
        ById,
        Tier.RED,
        examples=(Example({"id": "a" * 24}, Tier.RED),),
    ),
    _listed("newsletters", "List the newsletters, whose slugs publish_post takes."),
    _listed("tiers", "List what members can pay for."),
    _listed("offers", "List the discounts."),
    _listed("users", "List the staff."),
    route(
        "read_site",
        "Read the site's title, address and version.",
        f"GET {ADMIN}/site/",
        NoArguments,
        Tier.GREEN,
        examples=(Example({}, Tier.GREEN),),
    ),
    read_site_settings,
    route(
        "create_webhook",
        "Send what happens on the site to another address from now on.",
        f"POST {ADMIN}/webhooks/",
        WebhookArguments,
        Tier.YELLOW_EXTERNAL,
        wrap=lambda webhook: {"webhooks": [webhook]},
        examples=(
            Example(
                {"event": "post.published", "target_url": "https://example.com/hook"},
                Tier.YELLOW_EXTERNAL,
            ),
        ),
    ),
    route(
        "delete_webhook",
        "Stop sending to another address, by the id that create_webhook gave.",
        f"DELETE {ADMIN}/webhooks/{{id}}/",
        ById,
        Tier.RED,
        examples=(Example({"id": "a" * 24}, Tier.RED),),
    ),
)
