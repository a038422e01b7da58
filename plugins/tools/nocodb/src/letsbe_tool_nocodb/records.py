"""Records: the rows of a table."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    Json,
    Page,
    Tier,
    ToolClient,
    collect,
    operation,
    route,
)

RECORDS = "/api/v2/tables/{table_id}/records"
LINKS = "/api/v2/tables/{table_id}/links/{field_id}/records/{record_id}"

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]
Number = Annotated[int, Field(ge=1)]
Fields = dict[
    Annotated[str, Field(min_length=1, max_length=255)],
    str | int | float | bool | list[Any] | dict[str, Any] | None,
]

_PER_PAGE = 1000  # what the server gives at most unless it is told otherwise
_TABLE = "m1x2c3v4b5n6"


class OneTable(Arguments):
    """One table."""

    table_id: Id
    """Its id; see list_tables."""


class CountArguments(OneTable):
    """Which records."""

    where: Annotated[str, Field(max_length=2000)] | None = None
    """A condition: `(Stage,eq,won)~and(Amount,gt,100)`; all if left out."""
    viewId: Id | None = None  # noqa: N815 - NocoDB's name
    """Only those of a view; see list_views."""


class ListArguments(CountArguments):
    """Which records, what of them, and how many."""

    sort: str | None = None
    """Fields with commas between; `-` turns the order round: `-Amount,Name`."""
    fields: str | None = None
    """Which fields, with commas between; all if left out."""
    limit: Annotated[int, Field(ge=1, le=5000)] = 25
    """How many are wanted; above 1000 there may be some more."""
    offset: Annotated[int, Field(ge=0)] = 0
    """How many to pass over: `next_offset` of the answer before."""


class OneRecord(OneTable):
    """One record."""

    record_id: Number
    """Its number, the field `Id`."""


class CreateArguments(OneTable):
    """New records."""

    records: Annotated[list[Fields], Field(min_length=1, max_length=500)]
    """Each with its fields by title: `{"Name": "Ada"}`."""


class UpdateArguments(OneTable):
    """Records to change."""

    records: Annotated[list[Fields], Field(min_length=1, max_length=500)]
    """Each with its `Id` and the fields to change; the others stay."""


class DeleteArguments(OneTable):
    """Records to delete."""

    record_ids: Annotated[list[Number], Field(min_length=1, max_length=500)]
    """Their numbers."""


class LinkArguments(OneRecord):
    """Records that are linked with one."""

    field_id: Id
    """The id of the field that links; see read_table."""


class LinkTo(LinkArguments):
    """Which records to link with it, or not any more."""

    to: Annotated[list[Number], Field(min_length=1, max_length=500)]
    """Their numbers in the linked table."""


@operation(
    Tier.GREEN,
    examples=[
        Example({"table_id": _TABLE}, Tier.GREEN),
        Example({"table_id": _TABLE, "where": "(Stage,eq,won)"}, Tier.GREEN),
    ],
)
async def list_records(tool: ToolClient, args: ListArguments) -> Json:
    """List records of a table."""
    query = args.model_dump(exclude={"table_id", "limit", "offset"})

    async def fetch(offset: int) -> Page[int]:
        answer = await tool.get(
            RECORDS,
            {"table_id": args.table_id},
            **query,
            limit=min(args.limit, _PER_PAGE),
            offset=offset,
        )
        found = answer["list"]
        last = answer["pageInfo"].get("isLastPage", True)
        return Page(found, None if last else offset + len(found))

    found = await collect(fetch, args.offset, args.limit)
    return {"records": found.items, "next_offset": found.next}


def _ids(numbers: list[int]) -> list[dict[str, int]]:
    return [{"Id": number} for number in numbers]


@operation(
    Tier.RED, examples=[Example({"table_id": _TABLE, "record_ids": [7]}, Tier.RED)]
)
async def delete_records(tool: ToolClient, args: DeleteArguments) -> Json:
    """Delete records for good: there is no trash."""
    path, values = RECORDS, {"table_id": args.table_id}
    answer = await tool.send("DELETE", path, values, json=_ids(args.record_ids))
    return answer.json()


async def _link(tool: ToolClient, method: str, args: LinkTo) -> Json:
    values: dict[str, str | int] = {
        "table_id": args.table_id,
        "field_id": args.field_id,
        "record_id": args.record_id,
    }
    await tool.send(method, LINKS, values, json=_ids(args.to))
    return {"record": args.record_id, "to": args.to}


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[
        Example(
            {"table_id": _TABLE, "record_id": 7, "field_id": "c1v2b3n4", "to": [2]},
            Tier.YELLOW,
        )
    ],
)
async def link_records(tool: ToolClient, args: LinkTo) -> Json:
    """Link records of another table with one."""
    return await _link(tool, "POST", args)


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[
        Example(
            {"table_id": _TABLE, "record_id": 7, "field_id": "c1v2b3n4", "to": [2]},
            Tier.YELLOW,
        )
    ],
)
async def unlink_records(tool: ToolClient, args: LinkTo) -> Json:
    """Link records with one no more; the records stay."""
    return await _link(tool, "DELETE", args)


OPERATIONS = (
    list_records,
    route(
        "read_record",
        "Show one record.",
        f"GET {RECORDS}/{{record_id}}",
        OneRecord,
        Tier.GREEN,
        examples=[Example({"table_id": _TABLE, "record_id": 7}, Tier.GREEN)],
    ),
    route(
        "count_records",
        "Count records of a table.",
        f"GET {RECORDS}/count",
        CountArguments,
        Tier.GREEN,
        examples=[Example({"table_id": _TABLE}, Tier.GREEN)],
    ),
    route(
        "create_records",
        "Add records to a table.",
        f"POST {RECORDS}",
        CreateArguments,
        Tier.YELLOW,
        wrap=lambda body: body["records"],
        examples=[
            Example({"table_id": _TABLE, "records": [{"Name": "Ada"}]}, Tier.YELLOW)
        ],
    ),
    route(
        "update_records",
        "Change fields of records; their old values are not kept.",
        f"PATCH {RECORDS}",
        UpdateArguments,
        Tier.YELLOW,
        idempotent=True,
        wrap=lambda body: body["records"],
        examples=[
            Example(
                {"table_id": _TABLE, "records": [{"Id": 7, "Name": "Ada L."}]},
                Tier.YELLOW,
            )
        ],
    ),
    delete_records,
    route(
        "list_links",
        "List the records that a field links with one.",
        f"GET {LINKS}",
        LinkArguments,
        Tier.GREEN,
        examples=[
            Example(
                {"table_id": _TABLE, "record_id": 7, "field_id": "c1v2b3n4"}, Tier.GREEN
            )
        ],
    ),
    link_records,
    unlink_records,
)
