"""What the Ghost adapter is: its operations, credentials and table of raw requests."""

from __future__ import annotations

from typing import Any

from letsbe.plugin import Adapter, Credential, RouteRule, Tier, ToolClient
from letsbe_tool_ghost import audience, content, files, tags
from letsbe_tool_ghost.access import ADMIN, CONTENT, authenticate, read_fault

ROUTES = (
    RouteRule("GET|HEAD", f"{CONTENT}/**", Tier.GREEN, "reads what is public anyway"),
    RouteRule(
        "GET", f"{ADMIN}/site/", Tier.GREEN, "reads the site's title and version"
    ),
    RouteRule("GET|HEAD", f"{ADMIN}/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{ADMIN}/db/", Tier.RED, "exports the whole database"),
    RouteRule("GET", f"{ADMIN}/members/upload/", Tier.RED, "exports all members"),
    RouteRule("GET", f"{ADMIN}/integrations/**", Tier.RED, "shows API keys"),
    RouteRule("POST|PUT", f"{ADMIN}/tags/**", Tier.YELLOW, "changes a tag"),
    RouteRule(
        "POST",
        f"{ADMIN}/webhooks/",
        Tier.YELLOW_EXTERNAL,
        "sends what happens on the site to another address from now on",
        external=True,
    ),
    RouteRule("POST|PUT", f"{ADMIN}/themes/**", Tier.RED, "changes the site's code"),
    RouteRule("DELETE", f"{ADMIN}/**", Tier.RED, "deletes for good"),
    RouteRule("*", f"{ADMIN}/db/**", Tier.CRITICAL_RED, "replaces or empties the site"),
    RouteRule(
        "POST|PUT", f"{ADMIN}/users/**", Tier.CRITICAL_RED, "changes who governs"
    ),
    RouteRule("POST|PUT", f"{ADMIN}/settings/**", Tier.RED, "changes the whole site"),
)
"""Posts, pages, members and newsletters are not here for POST and PUT: their effect
depends on the body, so a raw one is RED and the operations are the way."""


async def check(tool: ToolClient) -> str:
    """Ask the site who it is, which needs no key."""
    answer: dict[str, Any] = await tool.get(f"{ADMIN}/site/")
    site = answer["site"]
    return f"Ghost {site['version']}"


GHOST = Adapter(
    name="ghost",
    summary="Writes and publishes posts and pages, and keeps the members of a site.",
    operations=(
        *content.OPERATIONS,
        *tags.OPERATIONS,
        *audience.OPERATIONS,
        *files.OPERATIONS,
    ),
    routes=ROUTES,
    authenticate=authenticate,
    credentials=(
        Credential(
            "admin_key",
            "the Admin API key of a custom integration, `id:secret`",
            env=("GHOST_ADMIN_API_KEY", "GHOST_ADMIN_KEY"),
        ),
        Credential(
            "content_key",
            "the Content API key of the same integration",
            env=("GHOST_CONTENT_API_KEY", "GHOST_CONTENT_KEY"),
            required=False,
        ),
    ),
    address_env=("GHOST_ADMIN_API_URL", "GHOST_API_URL", "GHOST_URL"),
    fault=read_fault,
    check=check,
    probe="read_site_settings",
    headers={"accept-version": "v6.0"},
    notes=(
        "A new post is a draft; only publish_post and schedule_post make it public.",
        "Editing a published post shows at once.",
        "Send html; Ghost stores it as its own format, so read back before editing.",
    ),
)
"""The adapter."""
