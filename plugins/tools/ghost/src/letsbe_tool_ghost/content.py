"""Posts and pages.

A post and a page are the same to Ghost but for mailing. What makes one public is an
operation of its own, so that the tier is known before anything is asked of the site.
Every change needs the ``updated_at`` of what is changed: it is read first, or given.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from letsbe.plugin import (
    Example,
    Json,
    Operation,
    Page,
    Raise,
    Tier,
    ToolClient,
    ToolInvalid,
    collect,
    route,
)
from letsbe_tool_ghost.access import ADMIN, CONTENT
from letsbe_tool_ghost.arguments import (
    ById,
    ChangedContent,
    ListArguments,
    Mailing,
    NewContent,
    PublicArguments,
    PublishArguments,
    PublishPost,
    ReadArguments,
    ScheduleArguments,
    SchedulePost,
)

_EXAMPLE = "6650f0c1b2a3d4e5f6a7b8c9"
_PER_PAGE = 100  # what Ghost 6 gives at most, whatever is asked for
_SHOWN = (
    *("id", "title", "slug", "status", "visibility", "featured", "url", "excerpt"),
    *("published_at", "created_at", "updated_at", "html"),
)


async def read_list(
    path: str, resource: str, tool: ToolClient, args: ListArguments
) -> dict[str, Any]:
    """List a resource, page by page, without the texts."""

    async def fetch(page: int) -> Page[int]:
        answer = await tool.get(
            path,
            filter=args.filter,
            order=args.order,
            page=page,
            limit=min(args.limit, _PER_PAGE),
        )
        following = answer.get("meta", {}).get("pagination", {}).get("next")
        found = answer[resource]
        if isinstance(found, dict):  # the settings are one thing
            return Page([found], None)
        return Page([shown(item) for item in found], following)

    found = await collect(fetch, args.page, args.limit)
    return {resource: found.items, "next_page": found.next}


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a post or page what costs an agent much and tells it little."""
    if "title" not in item:
        return item
    kept = {name: item[name] for name in _SHOWN if item.get(name) is not None}
    for name in ("tags", "authors"):
        if item.get(name):
            kept[name] = [each["name"] for each in item[name]]
    return kept


async def _read(plural: str, tool: ToolClient, args: ReadArguments) -> Json:
    path, value = "{id}/", args.id or ""
    if args.id is None:
        path, value = "slug/{id}/", args.slug or ""
    answer = await tool.get(
        f"{ADMIN}/{plural}/{path}",
        {"id": value},
        formats="html",
        include="tags,authors",
    )
    return shown(answer[plural][0])


async def _create(plural: str, tool: ToolClient, args: NewContent) -> Json:
    body = {"status": "draft", **args.model_dump(exclude_none=True)}
    response = await tool.send(
        "POST",
        f"{ADMIN}/{plural}/",
        query={"source": "html"},
        json={plural: [body]},
    )
    return shown(response.json()[plural][0])


async def _change(
    plural: str,
    tool: ToolClient,
    args: ChangedContent | PublishArguments,
    **more: str,
) -> Json:
    """Change a post or page as it is now, or as the caller knew it."""
    path, values = f"{ADMIN}/{plural}/{{id}}/", {"id": args.id}
    sent = args.model_dump(exclude_none=True, exclude={"id", *Mailing.model_fields})
    mailing = args.model_dump(exclude_none=True, include=set(Mailing.model_fields))
    if mailing:
        await _check_newsletter(tool, mailing.get("newsletter"))
    if args.updated_at is None:
        now = await tool.get(path, values, fields="id,updated_at")
        sent["updated_at"] = now[plural][0]["updated_at"]
    query = {"source": "html" if "html" in sent else None, **mailing}
    response = await tool.send(
        "PUT", path, values, query=query, json={plural: [{**sent, **more}]}
    )
    return shown(response.json()[plural][0])


async def _check_newsletter(tool: ToolClient, slug: str | None) -> None:
    """Ghost publishes first and then answers 500 to a newsletter that is not there."""
    answer = await tool.get(f"{ADMIN}/newsletters/", filter="status:active", limit=100)
    slugs = [newsletter["slug"] for newsletter in answer["newsletters"]]
    if slug not in slugs:
        message = "publishing was not tried: there is no newsletter of that slug"
        raise ToolInvalid(message, alternative=f"there are: {', '.join(slugs)}")


def _mails(args: Mailing) -> Iterator[Raise]:
    if args.newsletter is not None or args.email_segment is not None:
        why = "mails the post to the newsletter's subscribers, which nothing undoes"
        yield Raise(Tier.RED, "newsletter", why, external=True)


def _kept(noun: str) -> tuple[Operation, ...]:
    """What is read, written and deleted of posts or pages."""
    plural = f"{noun}s"
    return (
        Operation(
            f"list_{plural}",
            f"List {plural}, drafts too, without their text.",
            ListArguments,
            partial(read_list, f"{ADMIN}/{plural}/", plural),
            Tier.GREEN,
            idempotent=True,
            examples=(Example({"filter": "status:draft", "limit": 5}, Tier.GREEN),),
        ),
        Operation(
            f"get_{noun}",
            f"Read one {noun} with its text, by id or slug.",
            ReadArguments,
            partial(_read, plural),
            Tier.GREEN,
            idempotent=True,
            examples=(Example({"id": _EXAMPLE}, Tier.GREEN),),
        ),
        Operation(
            f"create_{noun}",
            f"Write a {noun} as a draft, which nobody but the staff sees.",
            NewContent,
            partial(_create, plural),
            Tier.YELLOW,
            examples=(Example({"title": "Hi", "html": "<p>Hi</p>"}, Tier.YELLOW),),
        ),
        Operation(
            f"update_{noun}",
            f"Change a {noun}; a public one changes at once.",
            ChangedContent,
            partial(_change, plural),
            Tier.YELLOW,
            examples=(Example({"id": _EXAMPLE, "title": "Hello"}, Tier.YELLOW),),
        ),
        route(
            f"delete_{noun}",
            f"Delete a {noun} for good.",
            f"DELETE {ADMIN}/{plural}/{{id}}/",
            ById,
            Tier.RED,
            examples=(Example({"id": _EXAMPLE}, Tier.RED),),
        ),
    )


def _made_public(noun: str) -> tuple[Operation, ...]:
    """What the public sees of posts or pages."""
    plural = f"{noun}s"
    mailed = noun == "post"
    return (
        Operation(
            f"publish_{noun}",
            f"Make a {noun} public now.",
            PublishPost if mailed else PublishArguments,
            partial(_change, plural, status="published"),
            Tier.YELLOW_EXTERNAL,
            raises=_mails if mailed else None,
            examples=(Example({"id": _EXAMPLE}, Tier.YELLOW_EXTERNAL),),
        ),
        Operation(
            f"schedule_{noun}",
            f"Let a {noun} become public at a time.",
            SchedulePost if mailed else ScheduleArguments,
            partial(_change, plural, status="scheduled"),
            Tier.YELLOW_EXTERNAL,
            raises=_mails if mailed else None,
            examples=(
                Example(
                    {"id": _EXAMPLE, "published_at": "2030-12-24T08:00:00.000Z"},
                    Tier.YELLOW_EXTERNAL,
                ),
            ),
        ),
        Operation(
            f"unpublish_{noun}",
            f"Turn a {noun} back into a draft; its address then leads nowhere.",
            PublishArguments,
            partial(_change, plural, status="draft"),
            Tier.YELLOW,
            examples=(Example({"id": _EXAMPLE}, Tier.YELLOW),),
        ),
    )


async def _read_public(tool: ToolClient, args: PublicArguments) -> Json:
    return await read_list(f"{CONTENT}/{args.resource}/", args.resource, tool, args)


OPERATIONS = (
    *_kept("post"),
    *_made_public("post"),
    *_kept("page"),
    *_made_public("page"),
    Operation(
        "read_public",
        "Read what every visitor of the site can read.",
        PublicArguments,
        _read_public,
        Tier.GREEN,
        idempotent=True,
        credentials=("content_key",),
        examples=(Example({"resource": "posts"}, Tier.GREEN),),
    ),
)
