"""What adapters can do, as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from letsbe.discovery.records import Kind
from letsbe.plugin import Action, Adapter, ToolAdapter, ToolSite
from letsbe.plugin._facade import Plugins
from letsbe.tools.generating import adapter_scopes


def declared_adapters(plugins: Plugins) -> dict[str, Adapter]:
    """Return what the active adapters declare, by their plugin's name."""
    found = {}
    for offer in plugins.catalog.values():
        declared = getattr(offer.provider, "adapter", None)
        if offer.record.kind is Kind.TOOL and isinstance(declared, Adapter):
            found[offer.record.name] = declared
    return found


def describe(adapter: ToolAdapter) -> dict[str, Any]:
    """Describe one adapter with all its operations.

    Args:
        adapter: An active adapter.

    Returns:
        Its tool, what it needs, and each operation with its tier and schema. No
        credential: the names of secrets only.
    """
    declared: Adapter | None = getattr(adapter, "adapter", None)
    site: ToolSite = getattr(adapter, "site", None) or ToolSite(adapter.name)
    return {
        "tool": adapter.name,
        "adapter": declared.name if declared else adapter.name,
        "summary": declared.summary if declared else "",
        "base_url": site.base_url,
        "credentials": _credentials(declared, site),
        "settings": [
            {
                "name": setting.name,
                "what": setting.what,
                "value": site.settings.get(setting.name, setting.default),
            }
            for setting in (declared.settings if declared else ())
        ],
        "operations": [describe_operation(action) for action in adapter.operations],
    }


def describe_operation(action: Action) -> dict[str, Any]:
    """Describe one operation."""
    return {
        "name": action.name,
        "summary": action.summary,
        "tier": str(action.tier),
        "external": action.external,
        "idempotent": action.idempotent,
        "secrets": list(action.secrets),
        "needs": list(action.needs),
        "arguments": action.arguments.model_json_schema(),
        "examples": [
            {"arguments": dict(e.arguments), "tier": str(e.tier)}
            for e in action.examples
        ],
    }


def _credentials(declared: Adapter | None, site: ToolSite) -> list[dict[str, Any]]:
    if declared is None:
        return []
    return [
        {
            "name": credential.name,
            "what": credential.what,
            "required": credential.required,
            "secret": site.secrets.get(credential.name),
            "tools": adapter_scopes(declared, site.name, credential),
        }
        for credential in declared.credentials
    ]


def tools_of(plugins: Plugins, name: str | None = None) -> Iterable[ToolAdapter]:
    """Return the active adapters, or those of one tool."""
    found = sorted(plugins.tool_adapters, key=lambda adapter: adapter.name)
    return [a for a in found if name is None or a.name == name]
