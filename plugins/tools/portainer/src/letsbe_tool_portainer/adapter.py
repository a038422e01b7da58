"""What the Portainer adapter is: its operations, credential and raw requests' table."""

from __future__ import annotations

from letsbe.plugin import (
    Adapter,
    Arguments,
    Credential,
    Example,
    NoArguments,
    RouteRule,
    Setting,
    Tier,
    ToolClient,
    route,
)
from letsbe_tool_portainer import containers, stacks
from letsbe_tool_portainer.access import authenticate, read_fault
from letsbe_tool_portainer.stacks import Number

_E = "/api/endpoints/*"
_D = f"{_E}/docker"
_REACHES = "reaches the machine itself"

ROUTES = (
    RouteRule("GET", "/api/system/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/status", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/endpoints", Tier.GREEN, "reads"),
    RouteRule("GET", _E, Tier.GREEN, "reads"),
    RouteRule("GET", "/api/stacks", Tier.YELLOW, "shows stacks with their variables"),
    RouteRule(
        "GET", "/api/stacks/**", Tier.YELLOW, "shows stacks with their variables"
    ),
    RouteRule("GET", "/api/users/**", Tier.GREEN, "reads who may use Portainer"),
    RouteRule("GET", "/api/teams/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/containers/json", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/containers/*/logs", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/containers/*/top", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/containers/*/changes", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/containers/*/json", Tier.YELLOW, "shows variables"),
    RouteRule("GET", f"{_D}/containers/*/archive", Tier.RED, "copies any file out"),
    RouteRule("GET", f"{_D}/containers/*/export", Tier.RED, "copies all files out"),
    RouteRule("GET", f"{_D}/images/json", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/images/**/history", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/volumes/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/networks/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/info", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/version", Tier.GREEN, "reads"),
    RouteRule("GET", f"{_D}/_ping", Tier.GREEN, "reads"),
    RouteRule("POST", f"{_D}/containers/*/start", Tier.YELLOW, "starts a container"),
    RouteRule("POST", f"{_D}/containers/*/stop", Tier.YELLOW, "stops a container"),
    RouteRule("POST", f"{_D}/containers/*/restart", Tier.YELLOW, "restarts it"),
    RouteRule("POST", f"{_D}/containers/*/pause", Tier.YELLOW, "pauses a container"),
    RouteRule("POST", f"{_D}/containers/*/unpause", Tier.YELLOW, "lets it go on"),
    RouteRule("POST", f"{_D}/containers/*/rename", Tier.YELLOW, "renames a container"),
    RouteRule("DELETE", f"{_D}/**", Tier.RED, "removes for good"),
    RouteRule("POST", f"{_D}/*/prune", Tier.RED, "removes everything unused"),
    RouteRule("POST", f"{_D}/containers/create", Tier.CRITICAL_RED, _REACHES),
    RouteRule("POST", f"{_D}/containers/*/exec", Tier.CRITICAL_RED, "runs a program"),
    RouteRule("*", f"{_D}/exec/**", Tier.CRITICAL_RED, "runs a program"),
    RouteRule("POST|PUT", f"{_D}/build/**", Tier.CRITICAL_RED, _REACHES),
    RouteRule("*", f"{_D}/swarm/**", Tier.CRITICAL_RED, _REACHES),
    RouteRule("*", f"{_D}/plugins/**", Tier.CRITICAL_RED, _REACHES),
    RouteRule("*", f"{_D}/secrets/**", Tier.RED, "is about secrets"),
    RouteRule("POST|PUT", "/api/stacks/**", Tier.CRITICAL_RED, _REACHES),
    RouteRule("DELETE", "/api/stacks/**", Tier.RED, "removes a stack"),
    RouteRule("GET", "/api/registries/**", Tier.RED, "shows registries' passwords"),
    RouteRule("*", "/api/backup/**", Tier.CRITICAL_RED, "holds every secret"),
    RouteRule("*", "/api/restore/**", Tier.CRITICAL_RED, "replaces everything"),
    RouteRule("POST|PUT|DELETE", _E, Tier.CRITICAL_RED, "changes what is governed"),
    RouteRule("POST|PUT|DELETE", "/api/users/**", Tier.CRITICAL_RED, "changes who may"),
    RouteRule("POST|PUT|DELETE", "/api/settings/**", Tier.CRITICAL_RED, "governs all"),
)


class OneEnvironment(Arguments):
    """One environment."""

    environment_id: Number
    """Its id."""


def _environment(found: dict[str, object]) -> dict[str, object]:
    kept = ("Id", "Name", "Type", "Status", "GroupId")
    return {name: found.get(name) for name in kept}


OPERATIONS = (
    route(
        "read_status",
        "Show Portainer's version.",
        "GET /api/system/status",
        NoArguments,
        Tier.GREEN,
    ),
    route(
        "list_environments",
        "List the environments: the machines that are governed.",
        "GET /api/endpoints",
        NoArguments,
        Tier.GREEN,
        pick=lambda found: {"environments": [_environment(each) for each in found]},
    ),
    route(
        "read_environment",
        "Show one environment.",
        "GET /api/endpoints/{environment_id}",
        OneEnvironment,
        Tier.GREEN,
        pick=_environment,
        examples=[Example({"environment_id": 1}, Tier.GREEN)],
    ),
    route(
        "list_users",
        "List who may use Portainer.",
        "GET /api/users",
        NoArguments,
        Tier.GREEN,
    ),
    route("list_teams", "List the teams.", "GET /api/teams", NoArguments, Tier.GREEN),
)


async def check(tool: ToolClient) -> str:
    """Ask for its version, which needs no token."""
    answer = await tool.get("/api/system/status")
    return f"Portainer {answer['Version']}"


PORTAINER = Adapter(
    name="portainer",
    summary="Containers and stacks: what runs, its logs, starting and stopping it.",
    operations=(*OPERATIONS, *containers.OPERATIONS, *stacks.OPERATIONS),
    routes=ROUTES,
    authenticate=authenticate,
    credentials=(
        Credential(
            "access_token",
            "an access token, `ptr_...`, from the account settings",
            env=("PORTAINER_ACCESS_TOKEN", "PORTAINER_API_KEY", "PORTAINER_TOKEN"),
        ),
    ),
    settings=(
        Setting(
            "environment_id",
            "the number of the environment (`endpointId`)",
            env=("PORTAINER_ENVIRONMENT_ID", "PORTAINER_ENDPOINT_ID"),
            default="1",
        ),
    ),
    address_env=("PORTAINER_URL", "PORTAINER_BASE_URL"),
    fault=read_fault,
    check=check,
    probe="list_environments",
    notes=(
        "update_stack needs the whole file: read_stack_file first.",
        "A stopped container or stack is down for everybody who uses it.",
        "Names are containers' names without a leading slash.",
    ),
)
"""The adapter."""
