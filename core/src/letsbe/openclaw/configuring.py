"""Configures OpenClaw for a tenant: tokens, settings, agents' files, scopes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from letsbe.configuration import Configuration, load_configuration
from letsbe.errors import ConfigurationError
from letsbe.home import Home
from letsbe.openclaw.bridge import list_changes, write_list
from letsbe.openclaw.document import TenantDocument
from letsbe.openclaw.plan import FileChange, Plan, make_plan
from letsbe.openclaw.program import Program
from letsbe.openclaw.roles import default_agents, roles
from letsbe.openclaw.tenant import Runtime, Tenant
from letsbe.wrapper.agents import AgentPolicies


@dataclass(frozen=True, slots=True)
class Pending:
    """What configuring would do; nothing of it is done yet.

    Args:
        home: The home folder.
        tenant: The tenant's document, with the default agents where it has none.
        files: OpenClaw's files.
        bridge: The bridge's own list of tools, if there is a bridge.
        scopes: The agents that get their role's tools as their scope.
        runtime: Where OpenClaw is, for the executors to keep out.
        moved: Whether that is new.
    """

    home: Home
    tenant: Tenant
    files: Plan
    bridge: tuple[FileChange, ...]
    scopes: dict[str, tuple[str, ...]]
    runtime: Runtime
    moved: bool

    @property
    def changes(self) -> tuple[FileChange, ...]:
        """The files that would be written."""
        return (*self.files.changes, *self.bridge)

    @property
    def changes_anything(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.changes or self.scopes or self.moved)

    @property
    def needs_new_gateway(self) -> bool:
        """Whether OpenClaw sees some of it only when it is started anew."""
        environment = self.files.places.environment
        return bool(self.bridge) or any(c.path == environment for c in self.changes)

    def check_with(self, program: Program) -> None:
        """Let OpenClaw itself judge the configuration, before anything is written.

        Raises:
            ConfigurationError: It does not take it; the text says why.
        """
        problems = program.validate(self.files.places, self.files.configuration)
        if problems:
            message = (
                f"OpenClaw does not take this configuration: {'; '.join(problems)}"
            )
            raise ConfigurationError(message)

    def apply(self) -> None:
        """Do it: what closes first, then what opens.

        Raises:
            ConfigurationError: A file cannot be written.
            StorageError: A document cannot be written.
        """
        document = TenantDocument(self.home.tenant)
        document.set_single("runtime", **self.runtime.model_dump(mode="json"))
        add_default_agents(self.home)
        policies = AgentPolicies(self.home.agents)
        for agent_id, tools in self.scopes.items():
            policies.set_scope(agent_id, tools)
        write_list(self.bridge)
        self.files.apply()


def add_default_agents(home: Home) -> None:
    """Give a tenant that has no agent the five default ones."""
    document = TenantDocument(home.tenant)
    if not document.agents():
        for agent in default_agents():
            document.put(agent)


def prepare(home: Home, state: Path, program: Path | None) -> Pending:
    """Work out what configuring would do.

    Args:
        home: The home folder.
        state: OpenClaw's state folder.
        program: The folder of OpenClaw's package, if it is known.

    Raises:
        ConfigurationError: Something is missing or wrong.
    """
    configuration = load_configuration(home)
    _check_place(home, configuration, state)
    tenant = TenantDocument(home.tenant).read()
    if not tenant.agents:
        tenant = tenant.model_copy(update={"agents": default_agents()})
    update = {"state": state, "program": program or tenant.runtime.program}
    runtime = tenant.runtime.model_copy(update=update)
    return Pending(
        home,
        tenant,
        make_plan(home, tenant, configuration, state),
        list_changes(home, tenant),
        _missing_scopes(home, tenant),
        runtime,
        runtime != tenant.runtime,
    )


def _missing_scopes(home: Home, tenant: Tenant) -> dict[str, tuple[str, ...]]:
    policies = AgentPolicies(home.agents)
    return {
        agent.agent_id: roles()[agent.role].tools
        for agent in tenant.agents
        if policies.get(agent.agent_id).tools is None
    }


def _check_place(home: Home, configuration: Configuration, state: Path) -> None:
    """OpenClaw's state must lie neither in the home nor where the home lies in it."""
    folder, real = home.folder.resolve(), state.resolve()
    if real.is_relative_to(folder) or folder.is_relative_to(real):
        message = f"{state} and the home folder lie in one another: choose another"
        raise ConfigurationError(message)
    for root in configuration.files.roots:
        if root.resolve().is_relative_to(real):
            message = f"{state} holds {root}, which agents use: choose another"
            raise ConfigurationError(message)
