"""Tags."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from letsbe.plugin import Arguments, Example, Json, Operation, Tier, route
from letsbe_tool_ghost.access import ADMIN
from letsbe_tool_ghost.arguments import ById, Id, ListArguments
from letsbe_tool_ghost.content import read_list

_EXAMPLE = "6650f0c1b2a3d4e5f6a7b8c9"


class TagArguments(Arguments):
    """A new tag."""

    name: Annotated[str, Field(min_length=1, max_length=191)]
    """Its name; a leading `#` makes it internal."""
    slug: str | None = None
    """The last part of its address."""
    description: Annotated[str, Field(max_length=500)] | None = None
    """What it is about."""


class ChangedTag(TagArguments):
    """A tag's new name and description."""

    id: Id
    """Its id."""


def _wrap_tag(tag: dict[str, Any]) -> dict[str, Any]:
    return {"tags": [tag]}


def _pick_tag(answer: dict[str, Any]) -> Json:
    return answer["tags"][0]


OPERATIONS = (
    Operation(
        "list_tags",
        "List the tags.",
        ListArguments,
        partial(read_list, f"{ADMIN}/tags/", "tags"),
        Tier.GREEN,
        idempotent=True,
        examples=(Example({}, Tier.GREEN),),
    ),
    route(
        "create_tag",
        "Make a tag.",
        f"POST {ADMIN}/tags/",
        TagArguments,
        Tier.YELLOW,
        wrap=_wrap_tag,
        pick=_pick_tag,
        examples=(Example({"name": "News"}, Tier.YELLOW),),
    ),
    route(
        "update_tag",
        "Change a tag.",
        f"PUT {ADMIN}/tags/{{id}}/",
        ChangedTag,
        Tier.YELLOW,
        wrap=_wrap_tag,
        pick=_pick_tag,
        examples=(Example({"id": _EXAMPLE, "name": "News"}, Tier.YELLOW),),
    ),
    route(
        "delete_tag",
        "Delete a tag; posts lose it.",
        f"DELETE {ADMIN}/tags/{{id}}/",
        ById,
        Tier.RED,
        examples=(Example({"id": _EXAMPLE}, Tier.RED),),
    ),
)
