"""People and groups. Who governs them shows the administrator's real password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    InvalidRequest,
    Json,
    NoArguments,
    Raise,
    Tier,
    ToolClient,
    ToolFailed,
    ToolUnavailable,
    ToolUnexpected,
    operation,
)
from letsbe_tool_nextcloud.access import ADMINISTRATION, ocs

USERS = "/cloud/users"
USER = "/cloud/users/{user_id}"
GROUPS = "/cloud/groups"

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9 _.@'-]{1,64}$")]
Quota = Annotated[str, Field(pattern=r"^(none|default|\d+ ?([KMGT]?B)?)$")]


class SearchArguments(Arguments):
    """Whom to look for."""

    search: str | None = None
    """A part of the name; everybody if left out."""
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    """How many at most."""
    offset: Annotated[int, Field(ge=0)] = 0
    """How many to pass over."""


class OneUser(Arguments):
    """One person."""

    user_id: Id
    """The name to sign in with."""


class CreateUser(OneUser):
    """A new person."""

    password: Annotated[str, Field(min_length=8, max_length=1024)] | None = None
    """The password: `SECRET_REF(name)`. Without one, a mail asks for it."""
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """The e-mail address."""
    display_name: str | None = None
    """The name that others see."""
    groups: list[Id] = Field(default_factory=list)
    """The groups that the person is in."""
    quota: Quota | None = None
    """How much the person may keep: `5 GB`."""


class ChangeUser(OneUser):
    """What to change of a person."""

    key: Literal[
        "displayname",
        "email",
        "quota",
        "phone",
        "address",
        "website",
        "organisation",
        "role",
        "headline",
        "biography",
        "language",
        "locale",
        "password",
    ]
    """What."""
    value: Annotated[str, Field(max_length=4096)]
    """What it is from now on; a password as `SECRET_REF(name)`."""


class OneGroup(Arguments):
    """One group."""

    group_id: Id
    """Its name."""


class Membership(OneUser):
    """A person and a group."""

    group_id: Id
    """The group."""


def _governs(group: str) -> bool:
    return group.casefold() == "admin"


def _mails(args: CreateUser) -> Iterator[Raise]:
    if any(map(_governs, args.groups)):
        yield Raise(Tier.CRITICAL_RED, "administrator", "makes an administrator")
    if args.password is None or args.email is not None:
        yield Raise(Tier.YELLOW_EXTERNAL, "welcome", "mails the person", external=True)


def _locks_out(args: ChangeUser) -> Iterator[Raise]:
    if args.key in {"password", "email"}:
        yield Raise(Tier.RED, args.key, "changes how the person gets in")


def _promotes(args: Membership) -> Iterator[Raise]:
    if _governs(args.group_id):
        yield Raise(Tier.CRITICAL_RED, "administrator", "makes an administrator")


@operation(Tier.GREEN)
async def read_me(tool: ToolClient, args: NoArguments) -> Json:
    """Show whose password is used: name, groups, quota."""
    return await ocs(tool, "GET", "/cloud/user")


@operation(Tier.GREEN, credentials=ADMINISTRATION)
async def list_users(tool: ToolClient, args: SearchArguments) -> Json:
    """List people."""
    return await ocs(tool, "GET", USERS, **args.model_dump(exclude_none=True))


@operation(
    Tier.GREEN,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada"}, Tier.GREEN)],
)
async def read_user(tool: ToolClient, args: OneUser) -> Json:
    """Show one person: names, addresses, groups, quota, last sign-in."""
    return await ocs(tool, "GET", USER, {"user_id": args.user_id})


@operation(
    Tier.YELLOW,
    raises=_mails,
    credentials=ADMINISTRATION,
    examples=[
        Example(
            {"user_id": "ada", "password": "SECRET_REF(ada_nextcloud)"}, Tier.YELLOW
        ),
        Example({"user_id": "ada", "email": "ada@example.com"}, Tier.YELLOW_EXTERNAL),
        Example(
            {"user_id": "ada", "password": "SECRET_REF(a)", "groups": ["admin"]},
            Tier.CRITICAL_RED,
        ),
    ],
)
async def create_user(tool: ToolClient, args: CreateUser) -> Json:
    """Add a person."""
    if args.password is None and args.email is None:
        message = "give a password, or an email that a link to choose one is sent to"
        raise InvalidRequest(message)
    try:
        made = await ocs(
            tool,
            "POST",
            USERS,
            userid=args.user_id,
            password=args.password,
            email=args.email,
            displayName=args.display_name,
            groups=args.groups or None,
            quota=args.quota,
        )
    except (ToolUnavailable, ToolUnexpected) as error:
        return await _made_all_the_same(tool, args.user_id, error)
    return {"created": made["id"]}


async def _made_all_the_same(
    tool: ToolClient, user_id: str, error: ToolFailed
) -> dict[str, Any]:
    """Look for a person whom the server made although it answered with an error.

    It does so where it cannot draw the person's picture, for want of a font.
    """
    try:
        await ocs(tool, "GET", USER, {"user_id": user_id})
    except ToolFailed:
        raise error from None
    return {
        "created": user_id,
        "warning": "the server answered with an error, but the person is there",
    }


@operation(
    Tier.YELLOW,
    idempotent=True,
    raises=_locks_out,
    credentials=ADMINISTRATION,
    examples=[
        Example({"user_id": "ada", "key": "quota", "value": "5 GB"}, Tier.YELLOW)
    ],
)
async def update_user(tool: ToolClient, args: ChangeUser) -> Json:
    """Change one thing of a person."""
    await ocs(
        tool, "PUT", USER, {"user_id": args.user_id}, key=args.key, value=args.value
    )
    return {"changed": args.user_id}


@operation(
    Tier.YELLOW,
    idempotent=True,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada"}, Tier.YELLOW)],
)
async def enable_user(tool: ToolClient, args: OneUser) -> Json:
    """Let a person sign in again."""
    await ocs(tool, "PUT", f"{USER}/enable", {"user_id": args.user_id})
    return {"enabled": args.user_id}


@operation(
    Tier.RED,
    idempotent=True,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada"}, Tier.RED)],
)
async def disable_user(tool: ToolClient, args: OneUser) -> Json:
    """Lock a person out; the files stay."""
    await ocs(tool, "PUT", f"{USER}/disable", {"user_id": args.user_id})
    return {"disabled": args.user_id}


@operation(
    Tier.RED,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada"}, Tier.RED)],
)
async def delete_user(tool: ToolClient, args: OneUser) -> Json:
    """Delete a person with all files, for good."""
    await ocs(tool, "DELETE", USER, {"user_id": args.user_id})
    return {"deleted": args.user_id}


@operation(Tier.GREEN, credentials=ADMINISTRATION)
async def list_groups(tool: ToolClient, args: SearchArguments) -> Json:
    """List groups."""
    return await ocs(tool, "GET", GROUPS, **args.model_dump(exclude_none=True))


@operation(
    Tier.GREEN,
    credentials=ADMINISTRATION,
    examples=[Example({"group_id": "office"}, Tier.GREEN)],
)
async def list_group_members(tool: ToolClient, args: OneGroup) -> Json:
    """List who is in a group."""
    return await ocs(
        tool, "GET", f"{GROUPS}/{{group_id}}/users", {"group_id": args.group_id}
    )


@operation(
    Tier.YELLOW,
    credentials=ADMINISTRATION,
    examples=[Example({"group_id": "office"}, Tier.YELLOW)],
)
async def create_group(tool: ToolClient, args: OneGroup) -> Json:
    """Make a group."""
    await ocs(tool, "POST", GROUPS, groupid=args.group_id)
    return {"created": args.group_id}


@operation(
    Tier.RED,
    credentials=ADMINISTRATION,
    examples=[Example({"group_id": "office"}, Tier.RED)],
)
async def delete_group(tool: ToolClient, args: OneGroup) -> Json:
    """Delete a group: its members lose what is shared with it."""
    await ocs(tool, "DELETE", f"{GROUPS}/{{group_id}}", {"group_id": args.group_id})
    return {"deleted": args.group_id}


@operation(
    Tier.YELLOW,
    idempotent=True,
    raises=_promotes,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada", "group_id": "office"}, Tier.YELLOW)],
)
async def add_to_group(tool: ToolClient, args: Membership) -> Json:
    """Put a person into a group, who then sees what is shared with it."""
    await ocs(
        tool, "POST", f"{USER}/groups", {"user_id": args.user_id}, groupid=args.group_id
    )
    return {"added": args.user_id}


@operation(
    Tier.YELLOW,
    idempotent=True,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada", "group_id": "office"}, Tier.YELLOW)],
)
async def remove_from_group(tool: ToolClient, args: Membership) -> Json:
    """Take a person out of a group."""
    await ocs(
        tool,
        "DELETE",
        f"{USER}/groups",
        {"user_id": args.user_id},
        groupid=args.group_id,
    )
    return {"removed": args.user_id}


OPERATIONS = (
    *(read_me, list_users, read_user, create_user, update_user, enable_user),
    *(disable_user, delete_user, list_groups, list_group_members, create_group),
    *(delete_group, add_to_group, remove_from_group),
)
