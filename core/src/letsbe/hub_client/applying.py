"""Applying a configuration: all of it or nothing, also when the power goes.

Before anything is written, the documents as they are go into ``hub_state``. What fails
in the middle puts them back; a process that finds them there at its start does the
same. So there is always one version in force, and it is a whole one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from letsbe.discovery.finding import installed_set
from letsbe.discovery.plugin_set import (
    PluginSet,
    Selection,
    read_plugin_set,
    write_plugin_set,
)
from letsbe.discovery.records import Kind
from letsbe.errors import ConfigurationError, LetsBeError, StorageError
from letsbe.home import Home
from letsbe.hub_client.documents import (
    AgentConfiguration,
    Document,
    TenantConfiguration,
    checked,
    digest,
    document_of,
)
from letsbe.hub_client.state import HubState
from letsbe.openclaw.document import TenantDocument
from letsbe.openclaw.tenant import AgentProfile
from letsbe.policy.autonomy import AutonomyLevel
from letsbe.storage.keys import flush_folder
from letsbe.wrapper.additions import Addition, Additions
from letsbe.wrapper.agents import AgentPolicies, AgentSettings

_APPLIED, _BEFORE, _FAILED, _RESTART = (
    "configuration",
    "configuration-before",
    "configuration-failed",
    "configuration-restart",
)


class Configurator:
    """Applies what the Hub configures.

    Args:
        home: The home folder.
        state: What is applied, and what stood before.
    """

    def __init__(self, home: Home, state: HubState) -> None:
        self._home = home
        self._state = state
        self._loaded = _plugin_set(home)

    def waits_for_restart(self) -> bool:
        """Say whether the plugin set is another one than at this process's start."""
        return _plugin_set(self._home) != self._loaded

    def restart_for(self) -> int | None:
        """Return the version whose plugin set the last process had not loaded."""
        version: int | None = self._state.get(_RESTART)
        return version

    def restarted(self) -> None:
        """Note that the plugin set in force is the one that was loaded."""
        self._state.change_now({_RESTART: None})

    def applied(self) -> tuple[int, Document]:
        """Return the version in force and its document; 0 if the Hub gave none."""
        found = self._state.get(_APPLIED) or {"version": 0, "document": {}}
        return int(found["version"]), found["document"]

    def failed(self) -> tuple[int, str] | None:
        """Return the version that could not be applied last, and why."""
        found = self._state.get(_FAILED)
        return None if found is None else (int(found["version"]), str(found["error"]))

    def recover(self) -> bool:
        """Put back what a process left behind that ended in the middle.

        Returns:
            Whether there was something.
        """
        before = self._state.get(_BEFORE)
        if before is None:
            return False
        self._restore(before)
        self._state.change_now({_BEFORE: None})
        return True

    def apply(self, version: int, document: Mapping[str, Any], expected: str) -> None:
        """Put a version in force, and remember that it is.

        Args:
            version: Its number.
            document: The whole configuration.
            expected: Its digest, as the Hub says.

        Raises:
            LetsBeError: It was not applied; the last good one is in force still.
        """
        try:
            if digest(document) != expected:
                raise ConfigurationError(
                    "the document is not what the Hub's digest is of"
                )
            wanted = checked(document)
            self._apply(wanted, self._applied_agents())
        except LetsBeError as error:
            failure = {"version": version, "error": reason_of(error)}
            self._state.change_now({_FAILED: failure})
            raise
        kept = {"version": version, "document": document_of(wanted)}
        restart = version if self.waits_for_restart() else None
        self._state.change_now(
            {_APPLIED: kept, _BEFORE: None, _FAILED: None, _RESTART: restart}
        )

    def _applied_agents(self) -> set[str]:
        _, document = self.applied()
        return set(document.get("agents", {}))

    def _apply(self, wanted: TenantConfiguration, had: set[str]) -> None:
        plugins = self._plugin_set(wanted)
        profiles = self._profiles(wanted)
        before = {name: _content(path) for name, path in self._documents().items()}
        self._state.change_now({_BEFORE: before})
        try:
            self._write(wanted, had, plugins, profiles)
        except BaseException:
            self._restore(before)
            self._state.change_now({_BEFORE: None})
            raise

    def _write(
        self,
        wanted: TenantConfiguration,
        had: set[str],
        plugins: PluginSet | None,
        profiles: list[AgentProfile],
    ) -> None:
        gone = had - set(wanted.agents)
        additions = [_addition(rule.model_dump()) for rule in wanted.classification]
        # What makes stricter first, what may make laxer last.
        Additions(self._home.classification).replace(additions)
        if plugins is not None:
            write_plugin_set(self._home.plugin_set, plugins)
        tenant = TenantDocument(self._home.tenant)
        present = {profile.agent_id for profile in tenant.agents()}
        for agent_id in sorted(gone & present):
            tenant.remove("agents", agent_id)
        for profile in profiles:
            tenant.put(profile)
        AgentPolicies(self._home.agents).replace(
            AutonomyLevel(wanted.autonomy_level),
            [_settings(name, agent) for name, agent in wanted.agents.items()],
            gone,
        )

    def _profiles(self, wanted: TenantConfiguration) -> list[AgentProfile]:
        models = set(TenantDocument(self._home.tenant).facts()["models"])
        profiles = []
        for agent_id, agent in sorted(wanted.agents.items()):
            model = agent.model or wanted.default_model
            if model is not None and models and model not in models:
                message = f"the model of {agent_id} is none of this tenant's models"
                raise ConfigurationError(message)
            profiles.append(
                AgentProfile(
                    agent_id=agent_id,
                    name=agent.name,
                    role=agent.role,
                    purpose=agent.purpose,
                    instructions=agent.soul,
                    model=model,
                )
            )
        return profiles

    def _plugin_set(self, wanted: TenantConfiguration) -> PluginSet | None:
        """Check a plugin set; it takes effect at the next start.

        Raises:
            ConfigurationError: A plugin is not installed, or the set would take away
                a redactor or what is required, which nobody may do from outside.
        """
        if wanted.plugins is None:
            return None
        installed = {
            (s.kind, s.name, s.distribution) for s in installed_set().selections
        }
        chosen = []
        for plugin in wanted.plugins:
            kind = Kind(plugin.kind)
            if (kind, plugin.name, plugin.distribution) not in installed:
                label = f"{plugin.kind}/{plugin.name} of {plugin.distribution}"
                raise ConfigurationError(f"{label} is not installed on this server")
            chosen.append(
                Selection(kind, plugin.name, plugin.distribution, plugin.required)
            )
        new = PluginSet(tuple(chosen))
        for selection in read_plugin_set(self._home.plugin_set).selections:
            kept = new.find(selection.kind, selection.name)
            protected = selection.required or selection.kind is Kind.REDACTOR
            if protected and (
                kept is None or (selection.required and not kept.required)
            ):
                label = f"{selection.kind}/{selection.name}"
                raise ConfigurationError(f"the set leaves out {label}, which must stay")
        return new

    def _documents(self) -> dict[str, Path]:
        home = self._home
        paths = (home.agents, home.tenant, home.classification, home.plugin_set)
        return {path.name: path for path in paths}

    def _restore(self, before: Mapping[str, str | None]) -> None:
        for name, path in self._documents().items():
            if name in before and _content(path) != before[name]:
                _put_back(path, before[name])


def _plugin_set(home: Home) -> PluginSet | None:
    try:
        return read_plugin_set(home.plugin_set)
    except LetsBeError:
        return None  # the next start says what is wrong with it


def reason_of(error: LetsBeError) -> str:
    """Say why something failed, with the fields at fault, in a length that is sent."""
    fields = "; ".join(f"{d.field}: {d.message}" for d in error.details)
    return (f"{error.message}: {fields}" if fields else error.message)[:2000]


def _settings(agent_id: str, agent: AgentConfiguration) -> AgentSettings:
    level = agent.autonomy_level
    return AgentSettings(
        agent_id=agent_id,
        level=None if level is None else AutonomyLevel(level),
        unlocked=frozenset(agent.external_unlocks),
        tools=None if agent.tools is None else tuple(agent.tools),
    )


def _addition(rule: Mapping[str, Any]) -> Addition:
    return Addition.model_validate(rule)


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise StorageError(f"{path} cannot be read: check who may read it") from None


def _put_back(path: Path, content: str | None) -> None:
    try:
        if content is None:
            path.unlink(missing_ok=True)
            return
        new = path.with_name(f".{path.name}.unfinished")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(new, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        flush_folder(path.parent)
    except OSError:
        message = f"{path} cannot be put back: check its folder and the disk"
        raise StorageError(message) from None
