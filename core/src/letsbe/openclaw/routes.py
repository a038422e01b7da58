"""How OpenClaw's tool calls reach the Safety Wrapper: by the bridge plugin, or by MCP.

Either way each agent bears its own token, so that the wrapper knows who calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from letsbe.configuration import Configuration
from letsbe.errors import ConfigurationError
from letsbe.openclaw.tenant import Tenant

BRIDGE = "letsbe-bridge"
"""The bridge plugin's id, and so the name of all of its tools in an allowlist."""

BRIDGE_PREFIX = "letsbe_"
"""What the bridge's tools begin with in OpenClaw."""

FOR_ALL = ("describe_tool", "use_tool", "approval_status")
"""The wrapper's own tools, by which adapters are reached."""

CONNECT_MILLISECONDS = 5_000
REQUEST_MILLISECONDS = 600_000
"""Longer than any call may take: MCP's default of 60 s is shorter."""


def token_variable(agent_id: str) -> str:
    """Return the variable that holds an agent's token."""
    return f"LETSBE_TOKEN_{agent_id.upper().replace('-', '_')}"


def check_variables(agent_ids: tuple[str, ...]) -> None:
    """See that no two agents share a variable.

    Raises:
        ConfigurationError: Two ids differ in nothing but dashes and underscores.
    """
    if len({token_variable(name) for name in agent_ids}) < len(agent_ids):
        message = "two agents' ids differ in nothing but - and _: rename one of them"
        raise ConfigurationError(message)


class Route(Protocol):
    """One way for tool calls."""

    def allowed(self, agent_ids: Iterable[str]) -> list[str]:
        """Return the allowlist for all: our tools and nothing else."""

    def tool(self, agent_id: str, name: str) -> str:
        """Return what one of the wrapper's tools is called in OpenClaw."""

    def servers(self, tenant: Tenant, configuration: Configuration) -> dict[str, Any]:
        """Return the MCP servers."""

    def plugin(self, tenant: Tenant, configuration: Configuration) -> dict[str, Any]:
        """Return the settings of plugins."""


@dataclass(frozen=True, slots=True)
class McpRoute:
    """One MCP server entry per agent, with that agent's token."""

    def allowed(self, agent_ids: Iterable[str]) -> list[str]:
        """Return the tools of every agent's server."""
        return [f"{_server(agent_id)}__*" for agent_id in agent_ids]

    def tool(self, agent_id: str, name: str) -> str:
        """Return the tool's name behind that agent's server."""
        return f"{_server(agent_id)}__{name}"

    def servers(self, tenant: Tenant, configuration: Configuration) -> dict[str, Any]:
        """Return one server entry per agent."""
        return {
            _server(agent.agent_id): {
                "url": f"{_wrapper(configuration)}/mcp",
                "transport": "streamable-http",
                "headers": {
                    "Authorization": f"Bearer ${{{token_variable(agent.agent_id)}}}"
                },
                "connectionTimeoutMs": CONNECT_MILLISECONDS,
                "requestTimeoutMs": REQUEST_MILLISECONDS,
            }
            for agent in tenant.agents
        }

    def plugin(self, tenant: Tenant, configuration: Configuration) -> dict[str, Any]:
        """Return nothing: no plugin is needed."""
        return {}


@dataclass(frozen=True, slots=True)
class BridgeRoute:
    """The bridge plugin, which also tells the wrapper of session, chat and sender.

    Args:
        folder: Where the plugin is.
    """

    folder: Path

    def allowed(self, agent_ids: Iterable[str]) -> list[str]:
        """Return the plugin's id, which stands for its tools."""
        return [BRIDGE]

    def tool(self, agent_id: str, name: str) -> str:
        """Return the tool's name in the plugin."""
        return f"{BRIDGE_PREFIX}{name}"

    def servers(self, tenant: Tenant, configuration: Configuration) -> dict[str, Any]:
        """Return nothing: MCP is not used."""
        return {}

    def plugin(self, tenant: Tenant, configuration: Configuration) -> dict[str, Any]:
        """Return the plugin's place and settings."""
        tokens = {
            agent.agent_id: f"${{{token_variable(agent.agent_id)}}}"
            for agent in tenant.agents
        }
        return {
            "allow": [BRIDGE],
            "load": {"paths": [str(self.folder)]},
            "entries": {
                BRIDGE: {
                    "enabled": True,
                    "config": {
                        "wrapperUrl": _wrapper(configuration),
                        "tokens": tokens,
                    },
                }
            },
        }


def allowed_tools(route: Route, agent_id: str, scope: Iterable[str]) -> list[str]:
    """Return the allowlist of one agent.

    Only what saves room in its prompt: the wrapper holds the scope, whatever it says.

    Args:
        route: How its tool calls go.
        agent_id: The agent.
        scope: The wrapper's tools that it may use.
    """
    names = [re.sub(r"[^A-Za-z0-9_*-]", "_", name) for name in scope]
    if "*" in names:
        return [route.tool(agent_id, "*")]
    return [route.tool(agent_id, name) for name in (*FOR_ALL, *names)]


def route_of(tenant: Tenant) -> Route:
    """Return the bridge's route if the tenant has the bridge, else MCP's.

    Raises:
        ConfigurationError: The bridge's folder holds no plugin.
    """
    folder = tenant.runtime.bridge
    if folder is None:
        return McpRoute()
    if not (folder / "openclaw.plugin.json").is_file():
        message = f"{folder} holds no openclaw.plugin.json"
        instead = "name the bridge's folder with `letsbe openclaw tenant --bridge DIR`"
        raise ConfigurationError(message, alternative=instead)
    return BridgeRoute(folder)


def _server(agent_id: str) -> str:
    return f"sw-{agent_id}"


def _wrapper(configuration: Configuration) -> str:
    return f"http://127.0.0.1:{configuration.wrapper.port}"
