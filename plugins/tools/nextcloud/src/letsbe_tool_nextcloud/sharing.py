"""What people share, are told of and look for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
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
    ToolNotFound,
    ToolUnexpected,
    operation,
)
from letsbe_tool_nextcloud.access import ocs

SHARES = "/apps/files_sharing/api/v1/shares"
NOTIFICATIONS = "/apps/notifications/api/v2/notifications"
STATUS = "/apps/user_status/api/v1/user_status"

Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
ShareId = Annotated[str, Field(pattern=r"^[A-Za-z0-9:_-]{1,64}$")]
Kind = Literal["user", "group", "link", "email", "federated"]

_TYPES: dict[Kind, int] = {"user": 0, "group": 1, "link": 3, "email": 4, "federated": 6}
_RIGHTS = {"read": 1, "update": 2, "create": 4, "delete": 8, "share": 16}
_SHOWN = (
    *("id", "share_type", "share_with", "path", "item_type", "permissions"),
    *("expiration", "url", "note", "label", "uid_owner", "stime"),
)

Right = Literal["read", "update", "create", "delete", "share"]
Rights = Annotated[list[Right], Field(min_length=1)]


class ListShares(Arguments):
    """Which shares."""

    path: str | None = None
    """Of one file or folder; all of your own if left out."""
    subfiles: bool = False
    """Of everything in that folder."""
    shared_with_me: bool = False
    """Or what others share with you."""


class OneShare(Arguments):
    """One share."""

    share_id: ShareId
    """Its id."""


class CreateShare(Arguments):
    """What is shared, and with whom."""

    path: Annotated[str, Field(min_length=1, max_length=2000)]
    """The file or folder, from the top."""
    kind: Kind
    """With a user or a group here, with everybody who has the link, by e-mail, or with
    a user of another server."""
    share_with: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Whom: the user, group, e-mail address or `user@server`; not for a link."""
    permissions: Rights | None = None
    """What they may do; only read if left out."""
    password: Annotated[str, Field(min_length=8, max_length=1024)] | None = None
    """A link's password: `SECRET_REF(name)`."""
    expire_date: Date | None = None
    """The last day on which it works."""
    note: Annotated[str, Field(max_length=1000)] | None = None
    """A message to whom it is shared with."""
    label: Annotated[str, Field(max_length=255)] | None = None
    """What you call it."""


class ChangeShare(OneShare):
    """What to change; what is left out stays."""

    permissions: Rights | None = None
    """What they may do."""
    password: Annotated[str, Field(min_length=8, max_length=1024)] | None = None
    """A link's new password: `SECRET_REF(name)`."""
    expire_date: Date | None = None
    """The last day on which it works."""
    note: Annotated[str, Field(max_length=1000)] | None = None
    """A message to whom it is shared with."""
    label: Annotated[str, Field(max_length=255)] | None = None
    """What you call it."""


class OneNotification(Arguments):
    """One notification."""

    notification_id: Annotated[int, Field(ge=1)]
    """Its id."""


class UnifiedSearch(Arguments):
    """What to look for, and where."""

    provider: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    """Where: `files`, `calendar`, `contacts`, ...; see list_search_providers."""
    term: Annotated[str, Field(min_length=1, max_length=255)]
    """What."""
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """How many at most."""
    cursor: str | None = None
    """Where to go on: `cursor` of the answer before."""


class StatusArguments(Arguments):
    """What others see of you."""

    status: Literal["online", "away", "dnd", "busy", "invisible", "offline"]
    """The state."""


class MessageArguments(Arguments):
    """What others read beside your name."""

    message: Annotated[str, Field(max_length=80)]
    """The text."""
    clear_at: Annotated[int, Field(ge=0)] | None = None
    """When it goes away, in seconds since 1970."""


def _reaches(args: CreateShare) -> Iterator[Raise]:
    reasons = {
        "link": "shows it to everybody who has the link",
        "email": "mails a link to it",
        "federated": "shares it with another server",
    }
    if args.kind in reasons:
        yield Raise(Tier.YELLOW_EXTERNAL, args.kind, reasons[args.kind], external=True)


def _rights(names: list[Right] | None) -> int | None:
    return None if names is None else sum(_RIGHTS[name] for name in set(names))


def _shown(share: dict[str, Any]) -> dict[str, Any]:
    kept = {name: share[name] for name in _SHOWN if share.get(name) is not None}
    held = int(share.get("permissions") or 0)
    kept["permissions"] = [name for name, bit in _RIGHTS.items() if held & bit]
    kinds = {number: name for name, number in _TYPES.items()}
    number = int(share["share_type"])
    kept["kind"] = kinds.get(number, str(number))
    kept.pop("share_type", None)
    if number == _TYPES["link"]:
        kept.pop("share_with", None)  # a link's is the hash of its password
    kept["has_password"] = bool(share.get("password"))
    return kept


def _check(args: CreateShare | ChangeShare) -> None:
    """Refuse what the server calls not found, or passes over in silence.

    Raises:
        InvalidRequest: The day is past or none, or nobody would ask for the password.
    """
    try:
        day = date.fromisoformat(args.expire_date) if args.expire_date else None
    except ValueError:
        message = "expire_date is no day that exists: write 2026-12-31"
        raise InvalidRequest(message) from None
    if day is not None and day < datetime.now(UTC).date() - timedelta(days=1):
        message = f"expire_date is past: today is {datetime.now(UTC).date()}"
        raise InvalidRequest(message)
    asked = isinstance(args, ChangeShare) or args.kind in {"link", "email"}
    if args.password is not None and not asked:
        message = "only a link or an e-mail share has a password"
        raise InvalidRequest(message)


@operation(Tier.GREEN)
async def list_shares(tool: ToolClient, args: ListShares) -> Json:
    """List what is shared."""
    found = await ocs(
        tool,
        "GET",
        SHARES,
        path=args.path,
        subfiles="true" if args.subfiles else None,
        shared_with_me="true" if args.shared_with_me else None,
    )
    return {"shares": [_shown(share) for share in found]}


@operation(
    Tier.YELLOW,
    raises=_reaches,
    examples=[
        Example({"path": "a.txt", "kind": "user", "share_with": "ada"}, Tier.YELLOW),
        Example({"path": "a.txt", "kind": "link"}, Tier.YELLOW_EXTERNAL),
    ],
)
async def create_share(tool: ToolClient, args: CreateShare) -> Json:
    """Share a file or folder."""
    if (args.share_with is None) is (args.kind != "link"):
        message = "share_with says with whom; a link has none"
        raise InvalidRequest(message)
    _check(args)
    made = await ocs(
        tool,
        "POST",
        SHARES,
        path=args.path,
        shareType=_TYPES[args.kind],
        shareWith=args.share_with,
        permissions=_rights(args.permissions or ["read"]),
        password=args.password,
        expireDate=args.expire_date,
        note=args.note,
        label=args.label,
    )
    return _shown(made)


@operation(
    Tier.YELLOW_EXTERNAL,
    external=True,
    idempotent=True,
    examples=[
        Example({"share_id": "12", "expire_date": "2026-12-31"}, Tier.YELLOW_EXTERNAL)
    ],
)
async def update_share(tool: ToolClient, args: ChangeShare) -> Json:
    """Change what may be done with a share, or until when; it may be a public one."""
    if not args.model_dump(exclude={"share_id"}, exclude_none=True):
        message = "say what is to change: permissions, password, expire_date, ..."
        raise InvalidRequest(message)
    _check(args)
    made = await ocs(
        tool,
        "PUT",
        f"{SHARES}/{{share_id}}",
        {"share_id": args.share_id},
        permissions=_rights(args.permissions),
        password=args.password,
        expireDate=args.expire_date,
        note=args.note,
        label=args.label,
    )
    told = _shown(made)
    if args.password is not None and not told["has_password"]:
        return {**told, "warning": "no password was set: this kind of share has none"}
    return told


@operation(Tier.RED, examples=[Example({"share_id": "12"}, Tier.RED)])
async def delete_share(tool: ToolClient, args: OneShare) -> Json:
    """Share something no more: links to it end."""
    await ocs(tool, "DELETE", f"{SHARES}/{{share_id}}", {"share_id": args.share_id})
    return {"deleted": args.share_id}


@operation(Tier.GREEN)
async def list_notifications(tool: ToolClient, args: NoArguments) -> Json:
    """List what Nextcloud tells you."""
    return {"notifications": await ocs(tool, "GET", NOTIFICATIONS)}


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[Example({"notification_id": 8}, Tier.YELLOW)],
)
async def dismiss_notification(tool: ToolClient, args: OneNotification) -> Json:
    """Take a notification off the list."""
    await ocs(tool, "DELETE", f"{NOTIFICATIONS}/{{id}}", {"id": args.notification_id})
    return {"dismissed": args.notification_id}


@operation(Tier.GREEN)
async def list_search_providers(tool: ToolClient, args: NoArguments) -> Json:
    """List where can be looked for something."""
    found = await ocs(tool, "GET", "/search/providers")
    return {"providers": [{"id": p["id"], "name": p["name"]} for p in found]}


@operation(
    Tier.GREEN, examples=[Example({"provider": "files", "term": "invoice"}, Tier.GREEN)]
)
async def search(tool: ToolClient, args: UnifiedSearch) -> Json:
    """Look for something in files, calendars, contacts or another app."""
    try:
        return await ocs(
            tool,
            "GET",
            "/search/providers/{provider}/search",
            {"provider": args.provider},
            term=args.term,
            limit=args.limit,
            cursor=args.cursor,
        )
    except ToolUnexpected:  # what the server says of a provider that it has not
        there = [p["id"] for p in await ocs(tool, "GET", "/search/providers")]
        if args.provider in there:
            raise
        message = f"there is no such provider: use one of {', '.join(there)}"
        raise ToolNotFound(message) from None


@operation(Tier.GREEN)
async def read_server(tool: ToolClient, args: NoArguments) -> Json:
    """Show the server's version and what it can do."""
    return await ocs(tool, "GET", "/cloud/capabilities")


@operation(Tier.GREEN)
async def read_load(tool: ToolClient, args: NoArguments) -> Json:
    """Show how much memory, disk and processor time the server uses."""
    return await ocs(tool, "GET", "/apps/serverinfo/api/v1/info", format="json")


@operation(
    Tier.YELLOW, idempotent=True, examples=[Example({"status": "away"}, Tier.YELLOW)]
)
async def set_status(tool: ToolClient, args: StatusArguments) -> Json:
    """Set the state that colleagues see beside your name."""
    return await ocs(tool, "PUT", f"{STATUS}/status", statusType=args.status)


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[Example({"message": "Back at two"}, Tier.YELLOW)],
)
async def set_status_message(tool: ToolClient, args: MessageArguments) -> Json:
    """Set the text that colleagues read beside your name."""
    return await ocs(
        tool,
        "PUT",
        f"{STATUS}/message/custom",
        message=args.message,
        clearAt=args.clear_at,
    )


OPERATIONS = (
    *(list_shares, create_share, update_share, delete_share, list_notifications),
    *(dismiss_notification, list_search_providers, search, read_server, read_load),
    *(set_status, set_status_message),
)
