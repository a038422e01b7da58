"""The messengers: who may write, who is the owner, who answers."""

from __future__ import annotations

from typing import Any

from letsbe.errors import ConfigurationError
from letsbe.openclaw.tenant import Channel, Tenant


def channels(tenant: Tenant) -> dict[str, Any]:
    """Return the settings of each messenger.

    Strangers get a pairing code and are not heard until someone approves it; groups
    have to be allowed by name, and there the agent answers when it is spoken to.

    Raises:
        ConfigurationError: A channel lacks what its messenger needs.
    """
    return {channel.channel: _channel(tenant, channel) for channel in tenant.channels}


def owners(tenant: Tenant) -> list[str]:
    """Return the owner's identity at each messenger."""
    return [f"{channel.channel}:{channel.owner}" for channel in tenant.channels]


def bindings(tenant: Tenant) -> list[dict[str, Any]]:
    """Return which agent answers at each messenger."""
    return [
        {"agentId": c.agent_id, "match": {"channel": c.channel, "accountId": "*"}}
        for c in tenant.channels
    ]


def _channel(tenant: Tenant, channel: Channel) -> dict[str, Any]:
    if channel.agent_id not in {agent.agent_id for agent in tenant.agents}:
        message = (
            f"{channel.agent_id} should answer at {channel.channel} and is no agent"
        )
        raise ConfigurationError(message)
    shared: dict[str, Any] = {
        "dmPolicy": "pairing",
        "allowFrom": [channel.owner],
        "groupPolicy": "allowlist",
        "groupAllowFrom": [channel.owner],
        "configWrites": False,
    }
    if channel.channel == "whatsapp":
        _check_number(channel)
        return shared
    if channel.token_file is None:
        message = "telegram needs the file with the bot's token"
        raise ConfigurationError(message, alternative="give it with --token-file")
    return {
        **shared,
        "enabled": True,
        "tokenFile": str(channel.token_file),
        "groups": {"*": {"requireMention": True}},
    }


def _check_number(channel: Channel) -> None:
    if not channel.owner.startswith("+"):
        message = "the owner's WhatsApp number must begin with + and the country's code"
        raise ConfigurationError(message)
