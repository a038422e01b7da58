"""What the NocoDB adapter is: its operations, credential and raw requests' table."""

from __future__ import annotations

from letsbe.plugin import Adapter, Credential, RouteRule, Tier, ToolClient
from letsbe_tool_nocodb import records, structure
from letsbe_tool_nocodb.access import authenticate, read_fault

_META = "/api/v2/meta"

ROUTES = (
    RouteRule("GET", "/api/v1/health", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/v2/tables/*/records/**", Tier.GREEN, "reads records"),
    RouteRule("GET", "/api/v2/tables/*/links/**", Tier.GREEN, "reads records"),
    RouteRule("GET", f"{_META}/bases/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_META}/bases/*/sources/**", Tier.RED, "shows connections"),
    RouteRule("GET", f"{_META}/tables/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_META}/tables/*/hooks", Tier.YELLOW, "may show hooks' secrets"),
    RouteRule("GET", f"{_META}/views/**", Tier.GREEN, "reads"),
    RouteRule("POST|PATCH", "/api/v2/tables/*/records", Tier.YELLOW, "changes records"),
    RouteRule("POST", "/api/v2/tables/*/links/**", Tier.YELLOW, "links records"),
    RouteRule("DELETE", "/api/v2/tables/*/links/**", Tier.RED, "unlinks records"),
    RouteRule("DELETE", "/api/v2/tables/*/records", Tier.RED, "deletes for good"),
    RouteRule("DELETE", f"{_META}/**", Tier.RED, "deletes for good"),
    RouteRule("POST|PATCH", f"{_META}/views/**", Tier.YELLOW, "changes a view"),
    RouteRule(
        "POST|PATCH",
        f"{_META}/views/*/share",
        Tier.YELLOW_EXTERNAL,
        "shows a view to everybody who has its link",
        external=True,
    ),
    RouteRule(
        "POST|PATCH",
        f"{_META}/tables/*/hooks/**",
        Tier.YELLOW_EXTERNAL,
        "sends records to another address from now on",
        external=True,
    ),
    RouteRule(
        "POST|PATCH|DELETE",
        f"{_META}/bases/*/users/**",
        Tier.RED,
        "changes who may see a base",
        external=True,
    ),
    RouteRule("*", "/api/v1/tokens/**", Tier.CRITICAL_RED, "is about API tokens"),
    RouteRule("*", "/api/v1/auth/**", Tier.CRITICAL_RED, "is about signing in"),
)


async def check(tool: ToolClient) -> str:
    """Ask for its health, which needs no token."""
    answer = await tool.get("/api/v1/health")
    return f"NocoDB says {answer['message']}"


NOCODB = Adapter(
    name="nocodb",
    summary="Tables of the business: records to read, add and change.",
    operations=(*records.OPERATIONS, *structure.OPERATIONS),
    routes=ROUTES,
    authenticate=authenticate,
    credentials=(
        Credential(
            "api_token",
            "an API token, from the account's settings",
            env=("NOCODB_API_TOKEN", "NOCODB_TOKEN", "NC_TOKEN"),
        ),
    ),
    address_env=("NOCODB_URL", "NC_PUBLIC_URL", "NC_URL"),
    fault=read_fault,
    check=check,
    probe="list_bases",
    notes=(
        "Records are named by the field `Id`, tables and fields by their ids.",
        "A condition: `(Stage,eq,won)~and(Amount,gt,100)`.",
        "There is no trash: what is deleted is gone.",
    ),
)
"""The adapter."""
