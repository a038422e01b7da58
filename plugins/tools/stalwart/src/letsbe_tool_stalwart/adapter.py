"""What the Stalwart adapter is: its operations, credentials and raw requests' table."""

from __future__ import annotations

from dataclasses import replace

from letsbe.plugin import (
    Adapter,
    Credential,
    RouteRule,
    Setting,
    Tier,
    ToolClient,
    ToolUnavailable,
)
from letsbe_tool_stalwart.access import CREDENTIALS, authenticate, read_fault
from letsbe_tool_stalwart.operations import OPERATIONS

_EFFECT = "does something although it is a GET"

ROUTES = (
    RouteRule("GET", "/api/schema/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/account", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/principal", Tier.YELLOW, "shows accounts"),
    RouteRule("GET", "/api/principal/*", Tier.YELLOW, "shows password hashes"),
    RouteRule("GET", "/api/queue/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/reports/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/logs", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/dns/records/*", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/telemetry/metrics", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/settings/**", Tier.RED, "shows settings with secrets"),
    RouteRule("GET", "/api/store/blobs/**", Tier.RED, "shows mail"),
    RouteRule("GET", "/api/reload/**", Tier.RED, _EFFECT),
    RouteRule("GET", "/api/store/**", Tier.RED, _EFFECT),
    RouteRule("GET", "/api/store/purge/**", Tier.CRITICAL_RED, _EFFECT),
    RouteRule("GET", "/api/update/**", Tier.RED, _EFFECT),
    RouteRule("GET", "/api/restart", Tier.RED, _EFFECT),
    RouteRule("GET", "/api/token/**", Tier.RED, "gives a token"),
    RouteRule("GET", "/api/troubleshoot/token", Tier.RED, "gives a token"),
    RouteRule("POST|PATCH", "/api/principal/**", Tier.RED, "may change who may what"),
    RouteRule("DELETE", "/api/principal/**", Tier.RED, "deletes with all mail"),
    RouteRule(
        "PATCH", "/api/queue/messages/**", Tier.YELLOW_EXTERNAL, "sends", external=True
    ),
    RouteRule("DELETE", "/api/queue/**", Tier.RED, "loses messages that wait"),
    RouteRule("PATCH", "/api/queue/status/**", Tier.RED, "stops or starts all mail"),
    RouteRule("POST", "/api/settings", Tier.CRITICAL_RED, "changes the whole server"),
    RouteRule(
        "POST", "/jmap/**", Tier.RED, "does anything, mail to people too", external=True
    ),
)
"""JMAP has one address for everything, so a raw request to it is RED."""


async def check(tool: ToolClient) -> str:
    """Ask whether it answers; JMAP's session is turned away without a credential."""
    answer = await tool.send("GET", "/jmap/session", accept=(401, 403))
    told = f"{answer.headers.get('www-authenticate', '')} {answer.text[:2000]}"
    if answer.status in {401, 403} and "stalwart" not in told.lower():
        message = "what answers at the tool's address does not say that it is Stalwart"
        raise ToolUnavailable(message, alternative="check the tool's base_url")
    return "Stalwart answers"


STALWART = Adapter(
    name="stalwart",
    summary="A mail server: mailboxes, domains, mailing lists and the queue.",
    operations=tuple(replace(each, credentials=CREDENTIALS) for each in OPERATIONS),
    routes=ROUTES,
    authenticate=authenticate,
    credentials=(
        Credential(
            "password",
            "the administrator's password; goes with the setting `user`",
            env=(
                "STALWART_ADMIN_PASSWORD",
                "STALWART_PASSWORD",
                "STALWART_ADMIN_SECRET",
            ),
            required=False,
        ),
        Credential(
            "api_token",
            "an API key or access token, used instead of the password",
            env=("STALWART_API_KEY", "STALWART_API_TOKEN"),
            required=False,
        ),
    ),
    settings=(
        Setting(
            "user",
            "the administrator's name",
            env=("STALWART_ADMIN_USER", "STALWART_USER"),
            default="admin",
        ),
    ),
    address_env=("STALWART_URL", "STALWART_BASE_URL", "STALWART_API_URL"),
    fault=read_fault,
    check=check,
    probe="list_domains",
    notes=(
        "Accounts and mailing lists are named by their address.",
        "Make the domain before its first account.",
        "A password is given as SECRET_REF(name); ask a person to register it.",
    ),
)
"""The adapter."""
