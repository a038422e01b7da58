"""What we set in ``openclaw.json``, made from a tenant's configuration.

Everything that could run something, reach something or let someone in, other than
through the Safety Wrapper and the Secrets Proxy, is set here by name, even where the
default is the same, so that neither a person's mistake nor an upgrade opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.configuration import Configuration
from letsbe.errors import ConfigurationError
from letsbe.openclaw.channels import bindings, channels, owners
from letsbe.openclaw.models import model_reference, providers
from letsbe.openclaw.routes import Route, allowed_tools
from letsbe.openclaw.tenant import AgentProfile, Tenant

GATEWAY_TOKEN_VARIABLE = "OPENCLAW_GATEWAY_TOKEN"  # noqa: S105 - a variable's name
"""The variable with the gateway's token, which is a full operator's."""

FILE_LIMIT = 20_000
"""Characters of one workspace file that reach the prompt."""

DENIED = (
    "group:runtime",
    "group:fs",
    "group:web",
    "group:ui",
    "group:nodes",
    "group:automation",
    "group:messaging",
    "group:media",
)
"""Natives that stay away from every agent, should the allowlist ever be widened."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where one OpenClaw keeps what.

    Args:
        state: Its state folder.
    """

    state: Path

    @property
    def configuration(self) -> Path:
        """Its configuration."""
        return self.state / "openclaw.json"

    @property
    def environment(self) -> Path:
        """The variables that the configuration names; OpenClaw reads it by itself."""
        return self.state / ".env"

    @property
    def log(self) -> Path:
        """Its log."""
        return self.state / "logs" / "openclaw.log"

    def workspace(self, agent_id: str) -> Path:
        """Return the folder with one agent's SOUL.md and AGENTS.md."""
        return self.state / "agents" / agent_id


def settings(
    tenant: Tenant,
    configuration: Configuration,
    places: Places,
    route: Route,
    scopes: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Return all that we set.

    Args:
        tenant: The tenant's document.
        configuration: The home's configuration.
        places: Where OpenClaw keeps its state.
        route: How its tool calls reach the Safety Wrapper.
        scopes: The tools that each agent may use.

    Raises:
        ConfigurationError: A model, an agent or a channel names something that is not
            there.
    """
    if not tenant.agents:
        raise ConfigurationError("the tenant has no agent")
    return {
        "gateway": _gateway(tenant),
        "models": {
            "mode": "replace",
            "providers": providers(tenant, configuration),
            "catalogRefresh": {"enabled": False},
        },
        "agents": {
            "ownership": "explicit",
            "defaults": _defaults(tenant),
            "entries": {
                agent.agent_id: _agent(
                    tenant,
                    agent,
                    places,
                    allowed_tools(route, agent.agent_id, scopes[agent.agent_id]),
                )
                for agent in tenant.agents
            },
        },
        "tools": _tools(tenant, route),
        "mcp": {"servers": route.servers(tenant, configuration)},
        "plugins": _plugins(tenant, configuration, route),
        "commands": _commands(tenant),
        "session": {"dmScope": "per-channel-peer"},
        **({"channels": channels(tenant)} if tenant.channels else {}),
        "bindings": bindings(tenant),
        # A trigger's script runs in the gateway, past every tool policy.
        "cron": {"triggers": {"enabled": False}},
        **_closed(),
        "logging": {"file": str(places.log)},
    }


def _commands(tenant: Tenant) -> dict[str, Any]:
    return {
        "bash": False,
        "config": False,
        "debug": False,
        "mcp": False,
        "plugins": False,
        "restart": False,
        # Set before anyone is paired: the first who is would become the owner.
        "ownerAllowFrom": owners(tenant),
    }


def _gateway(tenant: Tenant) -> dict[str, Any]:
    return {
        "mode": "local",
        "bind": "loopback",
        "port": tenant.runtime.gateway_port,
        "auth": {"mode": "token", "token": f"${{{GATEWAY_TOKEN_VARIABLE}}}"},
        "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
        "controlUi": {"enabled": False},
        "terminal": {"enabled": False},
    }


def _defaults(tenant: Tenant) -> dict[str, Any]:
    return {
        "params": {"cacheRetention": "long"},
        "userTimezone": tenant.business.timezone,
        "systemAgent": {"agentId": tenant.agents[0].agent_id},
        # The workspace files are ours; the first-run dialogue would cost 8 KB a turn.
        "skipBootstrap": True,
        "bootstrapMaxChars": FILE_LIMIT,
        "heartbeat": {"every": "0m"},
    }


def _agent(
    tenant: Tenant, agent: AgentProfile, places: Places, allowed: list[str]
) -> dict[str, Any]:
    return {
        "name": agent.name,
        "workspace": str(places.workspace(agent.agent_id)),
        "model": {"primary": model_reference(tenant.model_of(agent), agent.agent_id)},
        "modelPolicy": {
            "allow": [model_reference(m, agent.agent_id) for m in tenant.models]
        },
        # External runtimes bring tools of their own, which no policy here reaches.
        "runtime": {"type": "embedded"},
        "subagents": {"allowAgents": []},
        "tools": {"allow": allowed},
    }


def _tools(tenant: Tenant, route: Route) -> dict[str, Any]:
    return {
        "allow": route.allowed(agent.agent_id for agent in tenant.agents),
        "deny": list(DENIED),
        "toolSearch": False,
        "codeMode": False,
        "elevated": {"enabled": False},
        "exec": {"security": "deny"},
        "fs": {"workspaceOnly": True},
        "agentToAgent": {"enabled": False},
        "sessions": {"visibility": "self"},
    }


def _plugins(
    tenant: Tenant, configuration: Configuration, route: Route
) -> dict[str, Any]:
    ours = route.plugin(tenant, configuration)
    return {
        **ours,
        "allow": [*ours.get("allow", ()), *sorted(c.channel for c in tenant.channels)],
        # Its memory plugin would start LLM runs of its own every night.
        "slots": {"memory": "none"},
    }


def _closed() -> dict[str, Any]:
    """Return what is switched off: other ways in, other runtimes, other senders."""
    return {
        "acp": {"enabled": False},
        "browser": {"enabled": False},
        "discovery": {"mdns": {"mode": "off"}},
        "env": {"shellEnv": {"enabled": False}},
        "hooks": {"enabled": False, "internal": {"enabled": False}},
        "nodeHost": {"autoUpdate": {"enabled": False}},
        "security": {"audit": {"suppressions": []}},
        # It would have every agent rewrite its skills each week, with native tools.
        "skills": {
            "workshop": {
                "autonomous": {"mode": "off"},
                "approvalPolicy": "pending",
            }
        },
        "telemetry": {"enabled": False},
        "update": {"checkOnStart": False, "auto": {"enabled": False}},
    }
