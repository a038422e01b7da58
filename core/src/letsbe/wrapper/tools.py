"""The tenant's tools, as adapters are told of them."""

from __future__ import annotations

from pathlib import Path

from letsbe.home import Home
from letsbe.plugin import ToolSite
from letsbe.storage.tool_registry import Tool, ToolRegistry


def read_tools(home: Home) -> dict[str, tuple[ToolSite, ...]]:
    """Read the tool registry of a home.

    Args:
        home: The home folder. Without a registry it has no tools.

    Returns:
        The tools, by the name of the adapter that speaks to them.

    Raises:
        StorageError: The registry is damaged.
    """
    if not home.tool_registry.exists():
        return {}
    found: dict[str, tuple[ToolSite, ...]] = {}
    for tool in ToolRegistry(home.tool_registry).list():
        found[tool.adapter] = (*found.get(tool.adapter, ()), _site(tool))
    return found


def _site(tool: Tool) -> ToolSite:
    return ToolSite(
        name=tool.name,
        base_url=tool.base_url,
        secrets=tool.secrets,
        settings=tool.settings,
        certificates=None if tool.certificates is None else Path(tool.certificates),
    )
