"""The models as OpenClaw's provider blocks, all of them behind the Secrets Proxy."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from letsbe.configuration import Configuration, UpstreamSettings
from letsbe.errors import ConfigurationError
from letsbe.openclaw.tenant import AgentProfile, Model, Tenant

DUMMY_KEY = "the-secrets-proxy-holds-the-key"
"""What OpenClaw sends for a key: a call that goes around the proxy is worth nothing."""

NO_COST = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
"""OpenClaw's own sums are not used: the Secrets Proxy meters."""

Markers = Literal["anthropic", "openai", "none"]
_VERSIONED = re.compile(r"/v\d+$")


def provider_name(upstream: str, agent_id: str) -> str:
    """Return the name of the provider block by which one agent uses an upstream."""
    return f"{upstream}-{agent_id}"


def model_reference(model: Model, agent_id: str) -> str:
    """Return the model's full name in one agent's settings."""
    return f"{provider_name(model.upstream, agent_id)}/{model.model}"


def providers(tenant: Tenant, configuration: Configuration) -> dict[str, Any]:
    """Return one provider block per agent and upstream.

    Each agent has its own, so that the path tells the proxy whose tokens to count.

    Raises:
        ConfigurationError: A model's upstream is none of the proxy's.
    """
    proxy = configuration.proxy
    blocks: dict[str, Any] = {}
    for agent in tenant.agents:
        for model in tenant.models:
            upstream = proxy.upstreams.get(model.upstream)
            if upstream is None:
                message = (
                    f"a model is behind the upstream {model.upstream}, which the"
                    " Secrets Proxy does not have"
                )
                instead = f"add [proxy.upstreams.{model.upstream}] to letsbe.toml"
                raise ConfigurationError(message, alternative=instead)
            block = blocks.setdefault(
                provider_name(model.upstream, agent.agent_id),
                _provider(model.upstream, upstream, agent, proxy.port),
            )
            block["models"].append(_model(model, upstream))
    return blocks


def _provider(
    name: str, upstream: UpstreamSettings, agent: AgentProfile, port: int
) -> dict[str, Any]:
    prefix = upstream.prefix or f"/{name}"
    address = f"http://127.0.0.1:{port}/agents/{agent.agent_id}{prefix.rstrip('/')}"
    return {
        "baseUrl": address + _version(upstream),
        "apiKey": DUMMY_KEY,
        "api": _api(upstream),
        "models": [],
    }


def _version(upstream: UpstreamSettings) -> str:
    """What OpenClaw expects between the address and, say, ``/chat/completions``.

    It adds ``/v1/messages`` itself for Anthropic's API, and no version for OpenAI's.
    """
    path = urlsplit(upstream.base_url).path.rstrip("/")
    if _api(upstream) == "anthropic-messages" or _VERSIONED.search(path):
        return ""
    return "/v1"


def _api(upstream: UpstreamSettings) -> str:
    return upstream.api or "openai-completions"


def _model(model: Model, upstream: UpstreamSettings) -> dict[str, Any]:
    block: dict[str, Any] = {
        "id": model.model,
        "name": model.model,
        "reasoning": model.reasoning,
        "input": ["text", "image"] if model.images else ["text"],
        "cost": NO_COST,
        "contextWindow": model.context_window,
        "maxTokens": model.max_tokens,
    }
    compat = _compat(_markers(model, upstream), _api(upstream))
    return {**block, "compat": compat} if compat else block


def _markers(model: Model, upstream: UpstreamSettings) -> Markers:
    """Which cache markers the provider takes: an unknown one gets none."""
    if model.caching != "auto":
        return model.caching
    host = urlsplit(upstream.base_url).hostname or ""
    if model.model.startswith("anthropic/"):
        return "anthropic"
    return "openai" if host == "api.openai.com" else "none"


def _compat(markers: Markers, api: str) -> dict[str, Any]:
    """Behind an address of our own OpenClaw sends no cache marker unless told to."""
    if api == "anthropic-messages":
        return {}  # explicit there, whatever the address
    if markers == "anthropic" and api == "openai-completions":
        return {
            "cacheControlFormat": "anthropic",
            "supportsLongCacheRetention": True,
        }
    return {"supportsPromptCacheKey": True} if markers == "openai" else {}
