"""Groups, and who is in them. Governed like people: with the real password."""

from __future__ import annotations

from collections.abc import Iterator

from letsbe.plugin import (
    Arguments,
    Example,
    Json,
    Raise,
    Tier,
    ToolClient,
    ToolForbidden,
    ToolNotFound,
    operation,
)
from letsbe_tool_nextcloud.access import ADMINISTRATION, LOOKING, Meanings, ocs
from letsbe_tool_nextcloud.people import (
    EXISTS,
    NO_PERSON,
    USER,
    Id,
    OneUser,
    SearchArguments,
    governs,
)

GROUPS = "/cloud/groups"

_NO_GROUP = (ToolNotFound, "there is no group of that name")
_MEMBERSHIP: Meanings = {
    102: _NO_GROUP,
    103: NO_PERSON,
    104: (ToolForbidden, "whoever asks does not govern that group"),
    105: (ToolForbidden, "the person must stay in that group"),
}
_GROUP: Meanings = {
    101: _NO_GROUP,
    102: (ToolForbidden, "that group cannot be deleted"),
    998: _NO_GROUP,
}


class OneGroup(Arguments):
    """One group."""

    group_id: Id
    """Its name."""


class Membership(OneUser):
    """A person and a group."""

    group_id: Id
    """The group."""


def _promotes(args: Membership) -> Iterator[Raise]:
    if governs(args.group_id):
        yield Raise(Tier.CRITICAL_RED, "administrator", "makes an administrator")


@operation(Tier.GREEN, credentials=LOOKING)
async def list_groups(tool: ToolClient, args: SearchArguments) -> Json:
    """List groups."""
    return await ocs(tool, "GET", GROUPS, **args.model_dump(exclude_none=True))


@operation(
    Tier.GREEN,
    credentials=LOOKING,
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
    await ocs(tool, "POST", GROUPS, None, EXISTS, groupid=args.group_id)
    return {"created": args.group_id}


@operation(
    Tier.RED,
    credentials=ADMINISTRATION,
    examples=[Example({"group_id": "office"}, Tier.RED)],
)
async def delete_group(tool: ToolClient, args: OneGroup) -> Json:
    """Delete a group: its members lose what is shared with it."""
    values: dict[str, str | int] = {"group_id": args.group_id}
    await ocs(tool, "DELETE", f"{GROUPS}/{{group_id}}", values, _GROUP)
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
    await _membership(tool, "POST", args)
    return {"added": args.user_id}


@operation(
    Tier.YELLOW,
    idempotent=True,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada", "group_id": "office"}, Tier.YELLOW)],
)
async def remove_from_group(tool: ToolClient, args: Membership) -> Json:
    """Take a person out of a group."""
    await _membership(tool, "DELETE", args)
    return {"removed": args.user_id}


async def _membership(tool: ToolClient, method: str, args: Membership) -> None:
    values: dict[str, str | int] = {"user_id": args.user_id}
    path = f"{USER}/groups"
    await ocs(tool, method, path, values, _MEMBERSHIP, groupid=args.group_id)


OPERATIONS = (
    *(list_groups, list_group_members, create_group, delete_group, add_to_group),
    remove_from_group,
)
