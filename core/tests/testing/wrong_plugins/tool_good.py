"""An adapter that is in order."""

from collections.abc import Iterable

from letsbe.plugin import (
    Adapter,
    Arguments,
    Credential,
    Example,
    Fault,
    Json,
    Outgoing,
    Response,
    RouteRule,
    Site,
    Tier,
    ToolAdapter,
    ToolClient,
    hookimpl,
    route,
)

API_VERSION = (0, 1)


class Note(Arguments):
    """A note."""

    id: str
    """Its id."""
    text: str = "x"
    """What it says."""


def authenticate(out: Outgoing) -> None:
    out.headers["authorization"] = f"Signed {out.secret('token')[::-1]}"


def fault(response: Response) -> Fault | None:
    return None if response.status < 400 else Fault(text=response.json()["message"])


async def check(tool: ToolClient) -> str:
    return str(await tool.get("/health"))


READ = route(
    "get_note",
    "Read a note.",
    "GET /notes/{id}",
    Note,
    Tier.GREEN,
    examples=[Example({"id": "1", "text": "x"}, Tier.GREEN)],
)
WRITE = route(
    "write_note",
    "Write a note.",
    "POST /notes/{id}",
    Note,
    Tier.YELLOW,
    examples=[Example({"id": "1", "text": "x"}, Tier.YELLOW)],
)
RULES = (
    RouteRule("GET", "/notes/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/notes", Tier.GREEN, "reads"),
)
GOOD = Adapter(
    name="good",
    summary="Keeps notes.",
    operations=(READ, WRITE),
    routes=RULES,
    authenticate=authenticate,
    credentials=(Credential("token", "a token"),),
    fault=fault,
    check=check,
)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    return GOOD.for_site(site)


__all__ = ["Json"]
