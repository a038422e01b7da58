"""Contacts: the people who write, and what is known of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    Json,
    Tier,
    ToolClient,
    operation,
    route,
)
from letsbe_tool_chatwoot.access import ACCOUNT
from letsbe_tool_chatwoot.conversations import FilterArguments, Label, Number, relabel

CONTACTS = f"{ACCOUNT}/contacts"
ONE = f"{CONTACTS}/{{contact_id}}"

Sort = Literal[
    "name",
    "email",
    "phone_number",
    "last_activity_at",
    "-name",
    "-email",
    "-phone_number",
    "-last_activity_at",
]


class ListArguments(Arguments):
    """Which page of the contacts."""

    sort: Sort | None = None
    """By what; `-` turns the order round."""
    page: Number = 1
    """The page; each has 15."""


class SearchArguments(ListArguments):
    """Whom to look for."""

    q: Annotated[str, Field(min_length=1, max_length=200)]
    """A part of a name, an e-mail address, a phone number or an identifier."""


class OneArguments(Arguments):
    """One contact."""

    contact_id: Number
    """The contact's id."""


class Details(Arguments):
    """What is known of a contact."""

    name: str | None = None
    """The name."""
    email: str | None = None
    """The e-mail address."""
    phone_number: Annotated[str, Field(pattern=r"^\+[1-9]\d{1,14}$")] | None = None
    """The phone number in E.164 form: `+4930123456`."""
    identifier: str | None = None
    """The id that another system has for the contact."""
    custom_attributes: dict[str, str | int | float | bool | None] | None = None
    """Fields of your own."""


class CreateArguments(Details):
    """A new contact."""

    inbox_id: Number
    """The inbox that the contact belongs to; see list_inboxes."""


class ChangeArguments(Details):
    """What to change; what is left out stays."""

    contact_id: Number
    """The contact's id."""


class LabelArguments(OneArguments):
    """Labels to add and to take away; the others stay."""

    add: list[Label] = Field(default_factory=list)
    """Labels to add."""
    remove: list[Label] = Field(default_factory=list)
    """Labels to take away."""


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[Example({"contact_id": 3, "add": ["vip"]}, Tier.YELLOW)],
)
async def change_contact_labels(tool: ToolClient, args: LabelArguments) -> Json:
    """Add labels to a contact and take others away; the rest stays."""
    values = {"contact_id": args.contact_id}
    return await relabel(tool, f"{ONE}/labels", values, args.add, args.remove)


def _listed(answer: dict[str, Any]) -> Json:
    return {"count": answer["meta"]["count"], "contacts": answer["payload"]}


OPERATIONS = (
    route(
        "list_contacts",
        "List contacts, 15 a page.",
        f"GET {CONTACTS}",
        ListArguments,
        Tier.GREEN,
        pick=_listed,
    ),
    route(
        "search_contacts",
        "Find contacts by name, e-mail address, phone number or identifier.",
        f"GET {CONTACTS}/search",
        SearchArguments,
        Tier.GREEN,
        pick=_listed,
        examples=[Example({"q": "miller"}, Tier.GREEN)],
    ),
    route(
        "filter_contacts",
        "List contacts that meet conditions.",
        f"POST {CONTACTS}/filter",
        FilterArguments,
        Tier.GREEN,
        in_query=("page",),
        pick=_listed,
        examples=[
            Example(
                {
                    "payload": [
                        {
                            "attribute_key": "email",
                            "filter_operator": "contains",
                            "values": ["example.com"],
                        }
                    ]
                },
                Tier.GREEN,
            )
        ],
    ),
    route(
        "read_contact",
        "Show one contact, with its ids in each inbox.",
        f"GET {ONE}",
        OneArguments,
        Tier.GREEN,
        pick=lambda answer: answer.get("payload", answer),
        examples=[Example({"contact_id": 3}, Tier.GREEN)],
    ),
    route(
        "list_contact_conversations",
        "List the conversations of a contact.",
        f"GET {ONE}/conversations",
        OneArguments,
        Tier.GREEN,
        examples=[Example({"contact_id": 3}, Tier.GREEN)],
    ),
    route(
        "create_contact",
        "Add a contact.",
        f"POST {CONTACTS}",
        CreateArguments,
        Tier.YELLOW,
        pick=lambda answer: answer["payload"],
        examples=[
            Example(
                {"inbox_id": 1, "name": "Ada", "email": "ada@example.com"}, Tier.YELLOW
            )
        ],
    ),
    route(
        "update_contact",
        "Change what is known of a contact.",
        f"PUT {ONE}",
        ChangeArguments,
        Tier.YELLOW,
        idempotent=True,
        pick=lambda answer: answer.get("payload", answer),
        examples=[Example({"contact_id": 3, "name": "Ada Lovelace"}, Tier.YELLOW)],
    ),
    change_contact_labels,
    route(
        "delete_contact",
        "Delete a contact and all its conversations for good.",
        f"DELETE {ONE}",
        OneArguments,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"contact_id": 3}, Tier.RED)],
    ),
)
