"""What an adapter is told of a tool that the tenant has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ToolSite:
    """A tool of the tenant, from the tool registry.

    Args:
        name: What it is called here; the first part of its operations' names.
        base_url: Where it answers, without a slash at the end; ``None`` if it is not
            in the registry, so that its operations are known but cannot be called.
        secrets: The name in the vault of each credential that an adapter asks for.
        settings: What else the registry says of it, such as an account's number.
        certificates: A PEM file with the authorities to trust instead of the public
            ones, for a tool with a certificate of its own making.
    """

    name: str
    base_url: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    certificates: Path | None = None
