"""What a plugin is told about the machine and tenant it runs for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from letsbe.plugin._tool_site import ToolSite
from letsbe.policy.rules import RuleTables


@dataclass(frozen=True, slots=True)
class Site:
    """The part of the configuration that plugins may see.

    Args:
        roots: The folders that files may be read from and written to.
        forbidden: Folders and files closed to every plugin, inside a root or not:
            the home folder with its vault, the agent runtime's own state.
        closed_ports: Loopback ports that executors may not reach.
        settings: The plugin's own table of the configuration, unchecked.
        output_limit: The most bytes of output that a call may return.
        rules: The rule tables of all executors of this process. An executor adds its
            own folder when it is made, and judges with whatever is there.
        tools: The tenant's tools that this plugin's adapter speaks to.
    """

    roots: tuple[Path, ...]
    forbidden: tuple[Path, ...] = ()
    closed_ports: frozenset[int] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)
    output_limit: int = 256 * 1024
    rules: RuleTables = field(default_factory=RuleTables, compare=False)
    tools: tuple[ToolSite, ...] = ()
