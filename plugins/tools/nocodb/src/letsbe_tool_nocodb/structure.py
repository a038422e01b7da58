"""What a base is made of: tables, fields and views; and who may see it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from letsbe.plugin import Arguments, Example, Json, NoArguments, Tier, route
from letsbe_tool_nocodb.records import Id, OneTable

BASES = "/api/v2/meta/bases"
TABLE = "/api/v2/meta/tables/{table_id}"
_BASE, _TABLE = "p1x2c3v4b5n6m7", "m1x2c3v4b5n6"

Title = Annotated[str, Field(min_length=1, max_length=255)]
Kind = Literal[
    "SingleLineText",
    "LongText",
    "Email",
    "URL",
    "PhoneNumber",
    "Number",
    "Decimal",
    "Currency",
    "Percent",
    "Checkbox",
    "Date",
    "DateTime",
    "Rating",
    "SingleSelect",
    "MultiSelect",
]


class OneBase(Arguments):
    """One base."""

    base_id: Id
    """Its id; see list_bases."""


class CreateBase(Arguments):
    """A new base."""

    title: Title
    """What it is called."""


class NewField(Arguments):
    """A field."""

    title: Title
    """What it is called."""
    kind: Kind = "SingleLineText"
    """What it holds."""
    options: list[Title] | None = None
    """What may be chosen, of a SingleSelect or MultiSelect."""


class CreateTable(OneBase):
    """A new table."""

    title: Title
    """What it is called."""
    fields: Annotated[list[NewField], Field(min_length=1, max_length=100)]
    """Its fields; it also gets a number for each record, `Id`."""


class CreateField(OneTable):
    """A new field of a table."""

    field: NewField
    """The field."""


class OneField(Arguments):
    """One field."""

    field_id: Id
    """Its id; see read_table."""


class Invite(OneBase):
    """Who may see a base from now on."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    """Where the invitation goes."""
    roles: Literal["viewer", "commenter", "editor", "creator"] = "viewer"
    """What the person may do."""


class OneView(Arguments):
    """One view."""

    view_id: Id
    """Its id; see list_views."""


class CreateHook(OneTable):
    """An address that is told of changes from now on."""

    title: Title
    """What it is called."""
    url: Annotated[str, Field(pattern=r"^https?://")]
    """The address."""
    on: Literal["insert", "update", "delete"]
    """Of what it is told."""


def _list(answer: dict[str, Any]) -> Json:
    return [
        {name: item.get(name) for name in ("id", "title", "type", "description")}
        for item in answer["list"]
    ]


def _field(sent: dict[str, Any]) -> dict[str, Any]:
    made = {"title": sent["title"], "column_name": sent["title"], "uidt": sent["kind"]}
    if sent.get("options"):
        made["colOptions"] = {"options": [{"title": o} for o in sent["options"]]}
    return made


def _table(sent: dict[str, Any]) -> dict[str, Any]:
    number = {"title": "Id", "column_name": "id", "uidt": "ID"}
    fields = [number, *map(_field, sent["fields"])]
    return {"title": sent["title"], "table_name": sent["title"], "columns": fields}


def _hook(sent: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": sent["title"],
        "event": "after",
        "operation": [sent["on"]],
        "version": "v3",
        "notification": {
            "type": "URL",
            "payload": {
                "method": "POST",
                "path": sent["url"],
                "body": "{{ json data }}",
            },
        },
        "active": True,
    }


def _shown(table: dict[str, Any]) -> Json:
    kept = ("id", "title", "uidt", "pk", "rqd")
    return {
        "id": table["id"],
        "title": table["title"],
        "fields": [
            {name: field[name] for name in kept if field.get(name) is not None}
            for field in table["columns"]
            if not field.get("system")
        ],
    }


OPERATIONS = (
    route(
        "list_bases",
        "List the bases.",
        f"GET {BASES}",
        NoArguments,
        Tier.GREEN,
        pick=_list,
    ),
    route(
        "list_tables",
        "List the tables of a base.",
        f"GET {BASES}/{{base_id}}/tables",
        OneBase,
        Tier.GREEN,
        pick=_list,
        examples=[Example({"base_id": _BASE}, Tier.GREEN)],
    ),
    route(
        "read_table",
        "Show a table's fields.",
        f"GET {TABLE}",
        OneTable,
        Tier.GREEN,
        pick=_shown,
        examples=[Example({"table_id": _TABLE}, Tier.GREEN)],
    ),
    route(
        "list_views",
        "List the views of a table.",
        f"GET {TABLE}/views",
        OneTable,
        Tier.GREEN,
        pick=_list,
        examples=[Example({"table_id": _TABLE}, Tier.GREEN)],
    ),
    route(
        "create_base",
        "Make a base.",
        f"POST {BASES}",
        CreateBase,
        Tier.YELLOW,
        pick=lambda made: {"id": made["id"], "title": made["title"]},
        examples=[Example({"title": "Shop"}, Tier.YELLOW)],
    ),
    route(
        "create_table",
        "Make a table.",
        f"POST {BASES}/{{base_id}}/tables",
        CreateTable,
        Tier.YELLOW,
        wrap=_table,
        pick=_shown,
        examples=[
            Example(
                {"base_id": _BASE, "title": "Leads", "fields": [{"title": "Name"}]},
                Tier.YELLOW,
            )
        ],
    ),
    route(
        "create_field",
        "Add a field to a table.",
        f"POST {TABLE}/columns",
        CreateField,
        Tier.YELLOW,
        wrap=lambda sent: _field(sent["field"]),
        pick=_shown,
        examples=[
            Example(
                {"table_id": _TABLE, "field": {"title": "Mail", "kind": "Email"}},
                Tier.YELLOW,
            )
        ],
    ),
    route(
        "delete_field",
        "Delete a field of a table with everything in it, for good.",
        "DELETE /api/v2/meta/columns/{field_id}",
        OneField,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"field_id": "c1v2b3n4"}, Tier.RED)],
    ),
    route(
        "delete_table",
        "Delete a table with every record, for good.",
        f"DELETE {TABLE}",
        OneTable,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"table_id": _TABLE}, Tier.RED)],
    ),
    route(
        "delete_base",
        "Delete a base with every table, for good.",
        f"DELETE {BASES}/{{base_id}}",
        OneBase,
        Tier.RED,
        pick=lambda _: {"deleted": True},
        examples=[Example({"base_id": _BASE}, Tier.RED)],
    ),
    route(
        "invite_user",
        "Let somebody into a base; an invitation is mailed.",
        f"POST {BASES}/{{base_id}}/users",
        Invite,
        Tier.RED,
        external=True,
        examples=[Example({"base_id": _BASE, "email": "ada@example.com"}, Tier.RED)],
    ),
    route(
        "share_view",
        "Show a view to everybody who has its link.",
        "POST /api/v2/meta/views/{view_id}/share",
        OneView,
        Tier.YELLOW_EXTERNAL,
        external=True,
        pick=lambda made: {"uuid": made["uuid"]},
        examples=[Example({"view_id": "vw1x2c3v4"}, Tier.YELLOW_EXTERNAL)],
    ),
    route(
        "create_hook",
        "Send records that change to an address from now on.",
        f"POST {TABLE}/hooks",
        CreateHook,
        Tier.YELLOW_EXTERNAL,
        external=True,
        wrap=_hook,
        pick=lambda made: {"id": made["id"], "title": made["title"]},
        examples=[
            Example(
                {
                    "table_id": _TABLE,
                    "title": "Tell the shop",
                    "url": "https://example.com/hook",
                    "on": "insert",
                },
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
)
