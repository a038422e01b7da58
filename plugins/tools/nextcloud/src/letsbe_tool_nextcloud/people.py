"""People. Who governs them shows the administrator's real password."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
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
    ToolConflict,
    ToolFailed,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
    ToolUnavailable,
    ToolUnexpected,
    operation,
)
from letsbe_tool_nextcloud.access import ADMINISTRATION, LOOKING, Meanings, ocs

USERS = "/cloud/users"
USER = "/cloud/users/{user_id}"

_QUOTA = re.compile(r"^(none|default|\d+ ?([KMGT]?B)?)$")
_UNITS = {"": 0, "B": 0, "KB": 1, "MB": 2, "GB": 3, "TB": 4}
_WARNING = "the server answered with an error, but it did this"

Id = Annotated[str, Field(min_length=1, max_length=64)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
Quota = Annotated[str, Field(pattern=_QUOTA.pattern)]

NO_PERSON = (ToolNotFound, "there is nobody of that name")
_PERSON: Meanings = {
    101: (ToolInvalid, "there is nobody of that name, or it is whoever asks"),
    998: NO_PERSON,
}
_CHANGE: Meanings = {
    101: (ToolInvalid, "the value is not accepted"),
    107: (ToolInvalid, "the password is not accepted"),
    113: (ToolForbidden, "whoever asks may not change that"),
    998: NO_PERSON,
}
EXISTS: Meanings = {102: (ToolConflict, "it exists already")}


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
    email: Email | None = None
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


def governs(group: str) -> bool:
    """Whether who is in a group governs the server."""
    return group.casefold() == "admin"


def _mails(args: CreateUser) -> Iterator[Raise]:
    if any(map(governs, args.groups)):
        yield Raise(Tier.CRITICAL_RED, "administrator", "makes an administrator")
    if args.password is None or args.email is not None:
        yield Raise(Tier.YELLOW_EXTERNAL, "welcome", "mails the person", external=True)


def _locks_out(args: ChangeUser) -> Iterator[Raise]:
    if args.key in {"password", "email"}:
        yield Raise(Tier.RED, args.key, "changes how the person gets in")


@operation(Tier.GREEN)
async def read_me(tool: ToolClient, args: NoArguments) -> Json:
    """Show whose password is used: name, groups, quota."""
    return await ocs(tool, "GET", "/cloud/user")


@operation(Tier.GREEN, credentials=LOOKING)
async def list_users(tool: ToolClient, args: SearchArguments) -> Json:
    """List people."""
    return await ocs(tool, "GET", USERS, **args.model_dump(exclude_none=True))


@operation(
    Tier.GREEN,
    credentials=LOOKING,
    examples=[Example({"user_id": "ada"}, Tier.GREEN)],
)
async def read_user(tool: ToolClient, args: OneUser) -> Json:
    """Show one person: names, addresses, groups, quota, last sign-in."""
    return await ocs(tool, "GET", USER, {"user_id": args.user_id}, _PERSON)


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
    sent = ocs(
        tool,
        "POST",
        USERS,
        None,
        EXISTS,
        userid=args.user_id,
        password=args.password,
        email=args.email,
        displayName=args.display_name,
        groups=args.groups or None,
        quota=args.quota,
    )
    person = await _in_spite_of_errors(tool, args.user_id, sent, lambda _: True)
    if person is None:
        return {"created": args.user_id}
    told = {"created": args.user_id, "warning": _WARNING}
    return {**told, "missing": list(_missing(args, person))}


async def _in_spite_of_errors(
    tool: ToolClient,
    user_id: str,
    sent: Awaitable[Any],
    done: Callable[[dict[str, Any]], bool],
) -> dict[str, Any] | None:
    """Change a person; if the server answers with an error, look whether it did it.

    It fails so where it cannot draw the person's picture, for want of a font: the
    change is made, and what should follow it is not.

    Returns:
        ``None`` if the server said that it is done; else the person, after whom it is.
    """
    try:
        await sent
    except (ToolUnavailable, ToolUnexpected) as error:
        try:
            person = await ocs(tool, "GET", USER, {"user_id": user_id})
        except ToolFailed:
            raise error from None
        if not done(person):
            raise
        return dict(person)
    return None


def _missing(args: CreateUser, person: dict[str, Any]) -> Iterator[str]:
    """Name what a new person was to have and has not."""
    missing = set(args.groups) - set(person.get("groups") or ())
    yield from (f"group {name}" for name in sorted(missing))
    if args.quota and not _holds(person, "quota", args.quota):
        yield f"quota {args.quota}"
    if args.display_name and not _holds(person, "displayname", args.display_name):
        yield "display name"
    if args.email:
        if not _holds(person, "email", args.email):
            yield "email"
        yield "perhaps the mail that welcomes them"


def _holds(person: dict[str, Any], key: str, value: str) -> bool:
    """Whether a person has a value now; a password cannot be looked up."""
    held = person.get(key)
    if key != "quota":
        return isinstance(held, str) and _plain(held) == _plain(value)
    size = (held or {}).get("quota")
    number = re.fullmatch(r"(\d+) ?([KMGT]?B?)", value)
    if number is None:  # `none` or `default`
        return not isinstance(size, int) or size < 0
    return bool(size == int(number[1]) * 1024 ** _UNITS[number[2]])


def _plain(text: str) -> str:
    return "".join(text.split())  # the server keeps phone numbers without blanks


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
    if args.key == "quota" and not _QUOTA.fullmatch(args.value):
        message = "a quota is `5 GB`, a number of bytes, `none` or `default`"
        raise InvalidRequest(message)
    values: dict[str, str | int] = {"user_id": args.user_id}
    sent = ocs(tool, "PUT", USER, values, _CHANGE, key=args.key, value=args.value)
    person = await _in_spite_of_errors(
        tool, args.user_id, sent, lambda p: _holds(p, args.key, args.value)
    )
    told = {"changed": args.user_id}
    return told if person is None else {**told, "warning": _WARNING}


@operation(
    Tier.YELLOW,
    idempotent=True,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada"}, Tier.YELLOW)],
)
async def enable_user(tool: ToolClient, args: OneUser) -> Json:
    """Let a person sign in again."""
    return await _switch(tool, args.user_id, "enable")


@operation(
    Tier.RED,
    idempotent=True,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada"}, Tier.RED)],
)
async def disable_user(tool: ToolClient, args: OneUser) -> Json:
    """Lock a person out; the files stay."""
    return await _switch(tool, args.user_id, "disable")


async def _switch(tool: ToolClient, user_id: str, act: str) -> Json:
    sent = ocs(tool, "PUT", f"{USER}/{act}", {"user_id": user_id}, _PERSON)
    person = await _in_spite_of_errors(
        tool, user_id, sent, lambda p: p.get("enabled") is (act == "enable")
    )
    told = {f"{act}d": user_id}
    return told if person is None else {**told, "warning": _WARNING}


@operation(
    Tier.RED,
    credentials=ADMINISTRATION,
    examples=[Example({"user_id": "ada"}, Tier.RED)],
)
async def delete_user(tool: ToolClient, args: OneUser) -> Json:
    """Delete a person with all files, for good."""
    await ocs(tool, "DELETE", USER, {"user_id": args.user_id}, _PERSON)
    return {"deleted": args.user_id}


OPERATIONS = (
    *(read_me, list_users, read_user, create_user, update_user, enable_user),
    *(disable_user, delete_user),
)
