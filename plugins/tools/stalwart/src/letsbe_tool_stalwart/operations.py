"""What can be asked of a mail server, whichever generation it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from letsbe.plugin import Arguments, Example, Json, Tier, ToolClient, operation
from letsbe_tool_stalwart.server import server_of

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Domain = Annotated[str, Field(pattern=rf"^{_LABEL}(\.{_LABEL})+$", max_length=253)]
Address = Annotated[
    str, Field(pattern=rf"^[A-Za-z0-9._+-]{{1,64}}@{_LABEL}(\.{_LABEL})+$")
]
Password = Annotated[str, Field(min_length=8, max_length=1024)]


class ListArguments(Arguments):
    """Which page."""

    page: Annotated[int, Field(ge=1)] = 1
    """The page."""
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    """How many there are on one."""


class QueueArguments(ListArguments):
    """Which messages."""

    text: str | None = None
    """With this in an address."""


class OneAccount(Arguments):
    """One account."""

    address: Address
    """Its e-mail address."""


class CreateAccount(OneAccount):
    """A new account."""

    password: Password
    """Its password: `SECRET_REF(name)`."""
    name: str | None = None
    """Whose it is."""
    quota_bytes: Annotated[int, Field(ge=0)] | None = None
    """How much it may hold; without a bound if left out."""


class PasswordArguments(OneAccount):
    """An account's new password."""

    password: Password
    """The password: `SECRET_REF(name)`."""


class UpdateAccount(OneAccount):
    """What to change; what is left out stays."""

    name: str | None = None
    """Whose it is."""
    quota_bytes: Annotated[int, Field(ge=0)] | None = None
    """How much it may hold."""


class Addresses(OneAccount):
    """Addresses to add and to take away; the others stay."""

    add: list[Address] = Field(default_factory=list)
    """Addresses to add; their domains are there."""
    remove: list[Address] = Field(default_factory=list)
    """Addresses to take away."""


class OneDomain(Arguments):
    """One domain."""

    domain: Domain
    """Its name."""


class CreateDomain(OneDomain):
    """A new domain."""

    description: str | None = None
    """What it is for."""


class CreateList(OneAccount):
    """A new mailing list."""

    members: list[Address] = Field(default_factory=list)
    """Who gets what is sent to it."""
    description: str | None = None
    """What it is for."""


class OneMessage(Arguments):
    """One message that waits."""

    message_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    """Its id; see list_queue."""


@operation(Tier.GREEN, examples=[Example({}, Tier.GREEN)])
async def list_accounts(tool: ToolClient, args: ListArguments) -> Json:
    """List the accounts of people."""
    return await (await server_of(tool)).accounts(args.page, args.limit)


@operation(Tier.GREEN, examples=[Example({"address": "ada@example.com"}, Tier.GREEN)])
async def read_account(tool: ToolClient, args: OneAccount) -> Json:
    """Show one account: its addresses, name and how much it holds."""
    return await (await server_of(tool)).account(args.address)


@operation(
    Tier.YELLOW,
    examples=[
        Example(
            {"address": "ada@example.com", "password": "SECRET_REF(ada_mail)"},
            Tier.YELLOW,
        )
    ],
)
async def create_account(tool: ToolClient, args: CreateAccount) -> Json:
    """Make a mailbox; its domain must be there."""
    server = await server_of(tool)
    return await server.create_account(
        args.address, args.password, args.name, args.quota_bytes
    )


@operation(
    Tier.RED,
    idempotent=True,
    examples=[
        Example(
            {"address": "ada@example.com", "password": "SECRET_REF(ada_mail)"}, Tier.RED
        )
    ],
)
async def set_password(tool: ToolClient, args: PasswordArguments) -> Json:
    """Change an account's password; whoever uses the old one is locked out."""
    await (await server_of(tool)).set_password(args.address, args.password)
    return {"changed": args.address}


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[Example({"address": "ada@example.com", "name": "Ada"}, Tier.YELLOW)],
)
async def update_account(tool: ToolClient, args: UpdateAccount) -> Json:
    """Change an account's name or how much it may hold."""
    server = await server_of(tool)
    await server.update_account(args.address, args.name, args.quota_bytes)
    return {"changed": args.address}


@operation(
    Tier.YELLOW,
    examples=[
        Example(
            {"address": "ada@example.com", "add": ["info@example.com"]}, Tier.YELLOW
        )
    ],
)
async def change_aliases(tool: ToolClient, args: Addresses) -> Json:
    """Add other addresses to an account and take some away."""
    await (await server_of(tool)).change_aliases(args.address, args.add, args.remove)
    return {"changed": args.address}


@operation(Tier.RED, examples=[Example({"address": "ada@example.com"}, Tier.RED)])
async def delete_account(tool: ToolClient, args: OneAccount) -> Json:
    """Delete an account with all its mail, for good."""
    await (await server_of(tool)).delete_account(args.address)
    return {"deleted": args.address}


@operation(Tier.GREEN)
async def list_domains(tool: ToolClient, args: ListArguments) -> Json:
    """List the domains."""
    return await (await server_of(tool)).domains(args.page, args.limit)


@operation(Tier.YELLOW, examples=[Example({"domain": "example.com"}, Tier.YELLOW)])
async def create_domain(tool: ToolClient, args: CreateDomain) -> Json:
    """Make a domain; mail reaches it once its DNS records are published."""
    return await (await server_of(tool)).create_domain(args.domain, args.description)


@operation(Tier.RED, examples=[Example({"domain": "example.com"}, Tier.RED)])
async def delete_domain(tool: ToolClient, args: OneDomain) -> Json:
    """Delete a domain: its accounts get no more mail."""
    await (await server_of(tool)).delete_domain(args.domain)
    return {"deleted": args.domain}


@operation(Tier.GREEN, examples=[Example({"domain": "example.com"}, Tier.GREEN)])
async def read_dns_records(tool: ToolClient, args: OneDomain) -> Json:
    """Show the DNS records that must be published for a domain."""
    return await (await server_of(tool)).dns_records(args.domain)


@operation(Tier.GREEN)
async def list_mailing_lists(tool: ToolClient, args: ListArguments) -> Json:
    """List the mailing lists."""
    return await (await server_of(tool)).lists(args.page, args.limit)


@operation(
    Tier.YELLOW,
    examples=[
        Example(
            {"address": "team@example.com", "members": ["ada@example.com"]}, Tier.YELLOW
        )
    ],
)
async def create_mailing_list(tool: ToolClient, args: CreateList) -> Json:
    """Make a mailing list."""
    server = await server_of(tool)
    return await server.create_list(args.address, args.members, args.description)


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[
        Example(
            {"address": "team@example.com", "add": ["grace@example.com"]}, Tier.YELLOW
        )
    ],
)
async def change_list_members(tool: ToolClient, args: Addresses) -> Json:
    """Add members to a mailing list and take some away."""
    await (await server_of(tool)).change_list(args.address, args.add, args.remove)
    return {"changed": args.address}


@operation(Tier.RED, examples=[Example({"address": "team@example.com"}, Tier.RED)])
async def delete_mailing_list(tool: ToolClient, args: OneAccount) -> Json:
    """Delete a mailing list."""
    await (await server_of(tool)).delete_list(args.address)
    return {"deleted": args.address}


@operation(Tier.GREEN)
async def list_queue(tool: ToolClient, args: QueueArguments) -> Json:
    """List the messages that wait to be delivered."""
    return await (await server_of(tool)).queue(args.text, args.page, args.limit)


@operation(
    Tier.GREEN, examples=[Example({"message_id": "217700302698266624"}, Tier.GREEN)]
)
async def read_queued_message(tool: ToolClient, args: OneMessage) -> Json:
    """Show one message that waits: from and to whom, and why it waits."""
    return await (await server_of(tool)).queued(args.message_id)


@operation(
    Tier.YELLOW_EXTERNAL,
    external=True,
    examples=[Example({"message_id": "217700302698266624"}, Tier.YELLOW_EXTERNAL)],
)
async def retry_message(tool: ToolClient, args: OneMessage) -> Json:
    """Try to deliver a message now."""
    await (await server_of(tool)).retry(args.message_id)
    return {"retried": args.message_id}


@operation(Tier.RED, examples=[Example({"message_id": "217700302698266624"}, Tier.RED)])
async def cancel_message(tool: ToolClient, args: OneMessage) -> Json:
    """Deliver a message no more; it is lost."""
    await (await server_of(tool)).cancel(args.message_id)
    return {"cancelled": args.message_id}


OPERATIONS = (
    *(list_accounts, read_account, create_account, set_password, update_account),
    *(change_aliases, delete_account, list_domains, create_domain, delete_domain),
    *(read_dns_records, list_mailing_lists, create_mailing_list, change_list_members),
    *(delete_mailing_list, list_queue, read_queued_message, retry_message),
    cancel_message,
)
