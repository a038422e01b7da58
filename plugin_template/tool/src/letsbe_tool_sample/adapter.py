"""What the Sample adapter is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from letsbe.plugin import (
    Adapter,
    Arguments,
    Credential,
    Example,
    Fault,
    Json,
    Outgoing,
    Page,
    Raise,
    Response,
    RouteRule,
    Tier,
    ToolClient,
    collect,
    operation,
    route,
)


class ListNotes(Arguments):
    """How many notes."""

    limit: Annotated[int, Field(ge=1, le=200)] = 20
    """How many are wanted."""


class ById(Arguments):
    """One note."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    """Its id."""


class NewNote(Arguments):
    """A note."""

    text: Annotated[str, Field(min_length=1)]
    """What it says."""
    public: bool = False
    """Whether everyone may read it."""


def publishes(args: NewNote) -> Iterator[Raise]:
    """A note that everyone may read reaches people outside."""
    if args.public:
        yield Raise(Tier.YELLOW_EXTERNAL, "public", "lets everyone read the note")


@operation(Tier.GREEN, examples=[Example({"limit": 5}, Tier.GREEN)])
async def list_notes(tool: ToolClient, args: ListNotes) -> Json:
    """List notes, newest first."""

    async def fetch(page: int) -> Page[int]:
        answer = await tool.get("/api/notes", page=page)
        return Page(answer["notes"], answer["next_page"])

    found = await collect(fetch, 1, args.limit)
    return {"notes": found.items[: args.limit]}


@operation(
    Tier.YELLOW,
    raises=publishes,
    examples=[
        Example({"text": "Hello"}, Tier.YELLOW),
        Example({"text": "Hello", "public": True}, Tier.YELLOW_EXTERNAL),
    ],
)
async def create_note(tool: ToolClient, args: NewNote) -> Json:
    """Write a note, for the staff or for everyone."""
    body = {"text": args.text, "public": args.public}
    return (await tool.send("POST", "/api/notes", json=body)).json()


def authenticate(out: Outgoing) -> None:
    """Add the token."""
    out.headers["authorization"] = f"Bearer {out.secret('token')}"


def read_fault(response: Response) -> Fault | None:
    """Read Sample's ``{"error": "..."}``."""
    if response.status < 400:
        return None
    return Fault(text=response.json()["error"])


async def check(tool: ToolClient) -> str:
    """Ask the server for its version, which needs no token."""
    answer = await tool.get("/health")
    return f"Sample {answer['version']}"


SAMPLE = Adapter(
    name="sample",
    summary="Keeps notes.",
    operations=(
        list_notes,
        route(
            "get_note",
            "Read a note.",
            "GET /api/notes/{id}",
            ById,
            Tier.GREEN,
            examples=[Example({"id": "1"}, Tier.GREEN)],
        ),
        create_note,
        route(
            "delete_note",
            "Delete a note for good.",
            "DELETE /api/notes/{id}",
            ById,
            Tier.RED,
            examples=[Example({"id": "1"}, Tier.RED)],
        ),
    ),
    routes=(
        RouteRule("GET", "/api/notes/**", Tier.GREEN, "reads notes"),
        RouteRule("DELETE", "/api/notes/*", Tier.RED, "deletes a note"),
    ),
    authenticate=authenticate,
    credentials=(Credential("token", "an API token", env=("SAMPLE_TOKEN",)),),
    address_env=("SAMPLE_URL",),
    fault=read_fault,
    check=check,
)
"""The adapter."""
