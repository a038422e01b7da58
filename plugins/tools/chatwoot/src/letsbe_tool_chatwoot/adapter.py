"""What the Chatwoot adapter is: its operations, credential and raw requests' table."""

from __future__ import annotations

from letsbe.plugin import (
    Adapter,
    Credential,
    RouteRule,
    Setting,
    Tier,
    ToolClient,
    ToolUnavailable,
)
from letsbe_tool_chatwoot import contacts, conversations, team
from letsbe_tool_chatwoot.access import authenticate, read_fault

_ANY = "/api/v1/accounts/*"

ROUTES = (
    RouteRule("GET", "/api", Tier.GREEN, "reads the version"),
    RouteRule("GET", f"{_ANY}/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/v2/accounts/*/reports/**", Tier.GREEN, "reads figures"),
    RouteRule(
        "GET", f"{_ANY}/integrations/**", Tier.RED, "shows integrations' secrets"
    ),
    RouteRule("GET", f"{_ANY}/agent_bots/**", Tier.RED, "shows bots' access tokens"),
    RouteRule("GET", f"{_ANY}/inboxes/*", Tier.YELLOW, "may show a channel's secrets"),
    RouteRule("GET", "/api/v1/profile", Tier.RED, "shows the access token"),
    RouteRule("POST|PUT|PATCH", f"{_ANY}/contacts/**", Tier.YELLOW, "changes contacts"),
    RouteRule("POST|PATCH", f"{_ANY}/teams/**", Tier.YELLOW, "changes teams"),
    RouteRule(
        "POST|PATCH", f"{_ANY}/canned_responses/**", Tier.YELLOW, "changes answers"
    ),
    RouteRule(
        "POST|PATCH", f"{_ANY}/custom_filters/**", Tier.YELLOW, "changes a filter"
    ),
    RouteRule(
        "POST|PATCH",
        f"{_ANY}/conversations/**",
        Tier.YELLOW_EXTERNAL,
        "may write to a customer",
        external=True,
    ),
    RouteRule(
        "POST|PATCH",
        f"{_ANY}/webhooks/**",
        Tier.YELLOW_EXTERNAL,
        "sends what customers write to another address from now on",
        external=True,
    ),
    RouteRule(
        "POST|PATCH",
        f"{_ANY}/automation_rules/**",
        Tier.RED,
        "may write to customers from now on",
        external=True,
    ),
    RouteRule("DELETE", f"{_ANY}/**", Tier.RED, "deletes for good"),
    RouteRule(
        "POST|PATCH|DELETE",
        f"{_ANY}/inboxes/**",
        Tier.CRITICAL_RED,
        "changes how customers reach the business",
    ),
    RouteRule(
        "POST|PATCH|DELETE",
        f"{_ANY}/integrations/**",
        Tier.CRITICAL_RED,
        "changes what is connected, with its secrets",
        external=True,
    ),
    RouteRule("*", "/platform/**", Tier.CRITICAL_RED, "governs users and accounts"),
    RouteRule(
        "POST|PATCH",
        "/public/**",
        Tier.YELLOW_EXTERNAL,
        "speaks as a customer",
        external=True,
    ),
)


async def check(tool: ToolClient) -> str:
    """Ask for its version, which needs no token."""
    answer = await tool.get("/api")
    if not isinstance(answer, dict) or "version" not in answer:
        message = "what answers at the tool's address is not Chatwoot"
        raise ToolUnavailable(message, alternative="check the tool's base_url")
    return f"Chatwoot {answer['version']}"


CHATWOOT = Adapter(
    name="chatwoot",
    summary="Customer support: conversations on all channels, contacts and reports.",
    operations=(*conversations.OPERATIONS, *contacts.OPERATIONS, *team.OPERATIONS),
    routes=ROUTES,
    authenticate=authenticate,
    credentials=(
        Credential(
            "access_token",
            "the access token of a user, from the profile settings",
            env=("CHATWOOT_API_TOKEN", "CHATWOOT_ACCESS_TOKEN", "CHATWOOT_API_KEY"),
        ),
    ),
    settings=(
        Setting(
            "account_id",
            "the account's number, as in the address of its pages",
            env=("CHATWOOT_ACCOUNT_ID",),
            default="1",
        ),
    ),
    address_env=("CHATWOOT_URL", "CHATWOOT_BASE_URL", "CHATWOOT_FRONTEND_URL"),
    fault=read_fault,
    check=check,
    probe="read_profile",
    notes=(
        "send_message reaches the customer; add_note does not.",
        "A conversation's number is the one that people see.",
        "Lists show open conversations unless you give a status.",
    ),
)
"""The adapter."""
