"""The home folder: where one tenant's state is kept, and what lies where in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT_VARIABLE = "LETSBE_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """The places inside a home folder.

    Args:
        folder: The folder itself, mode 0700.
    """

    folder: Path

    @classmethod
    def default(cls) -> Home:
        """Return the home of ``$LETSBE_HOME``, else ``~/.letsbe``."""
        named = os.environ.get(ENVIRONMENT_VARIABLE)
        return cls(Path(named) if named else Path.home() / ".letsbe")

    @property
    def configuration(self) -> Path:
        """The configuration that a person edits."""
        return self.folder / "letsbe.toml"

    @property
    def database(self) -> Path:
        """Secrets (sealed), approvals, the audit log, what the Hub said."""
        return self.folder / "letsbe.db"

    @property
    def usage(self) -> Path:
        """The folder of usage, the one that the Secrets Proxy writes to."""
        return self.folder / "usage"

    @property
    def usage_database(self) -> Path:
        """Usage by hour, and what the Hub said of it; journals lie beside it."""
        return self.usage / "usage.db"

    @property
    def registry(self) -> Path:
        """The vault's registry, sealed: what the Secrets Proxy knows of the vault."""
        return self.folder / "registry" / "secrets"

    @property
    def registry_key(self) -> Path:
        """The key that seals the registry; the Secrets Proxy has it, and no other."""
        return self.folder / "registry.key"

    @property
    def vault_key(self) -> Path:
        """The key that seals secrets, mode 0600."""
        return self.folder / "vault.key"

    @property
    def audit_key(self) -> Path:
        """The key that chains the audit log, mode 0600."""
        return self.folder / "audit.key"

    @property
    def operator_token(self) -> Path:
        """The bearer token of whoever approves and keeps secrets, mode 0600."""
        return self.folder / "tokens" / "operator"

    @property
    def runtime_token(self) -> Path:
        """The bearer token of the agent runtime as a whole, mode 0600."""
        return self.folder / "tokens" / "runtime"

    @property
    def agent_tokens(self) -> Path:
        """The folder with one bearer token per agent, each of mode 0600."""
        return self.folder / "tokens" / "agents"

    @property
    def gateway_token(self) -> Path:
        """The token of the agent runtime's own server, mode 0600."""
        return self.folder / "tokens" / "gateway"

    @property
    def agents(self) -> Path:
        """Agents with their autonomy levels and external unlocks."""
        return self.folder / "agents.json"

    @property
    def tenant(self) -> Path:
        """The business, its models, agents and channels."""
        return self.folder / "tenant.json"

    @property
    def cheat_sheets(self) -> Path:
        """What agents are told of each tool, one Markdown file a tool."""
        return self.folder / "cheat-sheets"

    @property
    def master_skill(self) -> Path:
        """How agents reach the tenant's tools, as a skill."""
        return self.folder / "SKILL.md"

    @property
    def classification(self) -> Path:
        """What makes tools stricter than their plugins say."""
        return self.folder / "classification.json"

    @property
    def hub_key(self) -> Path:
        """The key by which the Hub knows this server, mode 0600."""
        return self.folder / "tokens" / "hub"

    @property
    def plugin_set(self) -> Path:
        """Which of the installed plugins this tenant uses."""
        return self.folder / "plugins.json"

    @property
    def tool_registry(self) -> Path:
        """The tenant's tools with their addresses and the names of their secrets."""
        return self.folder / "tool-registry.json"
