"""What ``letsbe openclaw configure`` would change, worked out before anything is."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from letsbe.configuration import Configuration
from letsbe.errors import ConfigurationError
from letsbe.home import Home
from letsbe.openclaw import merging
from letsbe.openclaw.routes import check_variables, route_of, token_variable
from letsbe.openclaw.settings import GATEWAY_TOKEN_VARIABLE, Places, settings
from letsbe.openclaw.tenant import Tenant
from letsbe.openclaw.workspace import Workspace, scopes_of, workspaces
from letsbe.openclaw.writing import (
    is_private,
    private_state,
    read_private,
    write_private,
)
from letsbe.wrapper.tokens import create_token, new_token, read_token


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that would be written.

    Args:
        path: The file.
        before: Its content, if it is there.
        after: What it should hold.
        lines: The difference, as a person may see it.
    """

    path: Path
    before: str | None = field(repr=False)
    after: str = field(repr=False)
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bearers:
    """The tokens that OpenClaw holds: the gateway's, and one per agent.

    Args:
        variables: Each by the variable that it gets.
        new: Those that are not made yet, by their file in the home folder.
    """

    variables: Mapping[str, str] = field(repr=False)
    new: Mapping[Path, str] = field(repr=False)

    @classmethod
    def of(cls, home: Home, tenant: Tenant) -> Bearers:
        """Read the tokens there are, and think up those that are missing.

        Raises:
            ConfigurationError: One is unsafe.
        """
        files = {GATEWAY_TOKEN_VARIABLE: home.gateway_token}
        for agent in tenant.agents:
            variable = token_variable(agent.agent_id)
            files[variable] = home.agent_tokens / agent.agent_id
        new = {path: new_token() for path in files.values() if not path.exists()}
        values = {
            name: new.get(path) or read_token(path) for name, path in files.items()
        }
        return cls(values, new)

    def make(self) -> None:
        """Make those that are missing."""
        for path, token in self.new.items():
            create_token(path, token)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that would be written.

    Args:
        places: Where OpenClaw keeps what.
        bearers: The tokens it needs.
        configuration: What ``openclaw.json`` should hold, changed or not.
        changes: The files that differ.
        workspaces: The agents' files, changed or not, with their sizes.
    """

    places: Places
    bearers: Bearers
    configuration: str
    changes: tuple[FileChange, ...]
    workspaces: tuple[Workspace, ...]

    def apply(self) -> None:
        """Write everything.

        Raises:
            ConfigurationError: A file cannot be written; those before it were.
        """
        self.bearers.make()
        owner = private_state(self.state)
        for change in self.changes:
            write_private(self.state, change.path, change.after, owner)

    @property
    def state(self) -> Path:
        """OpenClaw's state folder."""
        return self.places.state


def make_plan(
    home: Home, tenant: Tenant, configuration: Configuration, state: Path
) -> Plan:
    """Work out what would be written; nothing is.

    Args:
        home: The home folder.
        tenant: The tenant's document.
        configuration: The home's configuration.
        state: OpenClaw's state folder, which need not exist.

    Raises:
        ConfigurationError: Something is missing or wrong; the text says what.
    """
    places = Places(state)
    check_variables(tuple(agent.agent_id for agent in tenant.agents))
    found = workspaces(home, tenant, places)
    bearers = Bearers.of(home, tenant)
    wanted = [
        _settings(home, tenant, configuration, places),
        _environment(bearers, places),
        *(_document(state, path, text) for w in found for path, text in w.files()),
    ]
    changed = tuple(
        change
        for change in wanted
        if change.before != change.after or not is_private(state, change.path)
    )
    return Plan(places, bearers, wanted[0].after, changed, found)


def _settings(
    home: Home, tenant: Tenant, configuration: Configuration, places: Places
) -> FileChange:
    path = places.configuration
    before = read_private(places.state, path)
    existing = _parsed(path, before)
    scopes = scopes_of(home, tenant)
    ours = settings(tenant, configuration, places, route_of(tenant), scopes)
    after = merging.merged(existing, ours)
    lines = tuple(_setting_lines(merging.changes(existing, after)))
    same = existing == after and before is not None
    text = before if same and before else json.dumps(after, indent=2) + "\n"
    return FileChange(path, before, text, lines)


def _parsed(path: Path, text: str | None) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        message = (
            f"{path} is not plain JSON: with comments or other JSON5 in it, writing it"
            " anew would lose them"
        )
        instead = "rewrite it as plain JSON, or move it away"
        raise ConfigurationError(message, alternative=instead) from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} holds no JSON object: move it away")
    return value


def _setting_lines(changes: list[merging.Change]) -> Iterator[str]:
    for change in changes:
        before = merging.shown(change, change.before)
        after = merging.shown(change, change.after)
        if change.before is None:
            yield f"+ {change.path} = {after}"
        elif change.after is None:
            yield f"- {change.path} = {before}"
        else:
            yield f"~ {change.path} = {after} (was {before})"


def _environment(bearers: Bearers, places: Places) -> FileChange:
    """The variables with tokens; those that a person added stay."""
    ours = bearers.variables
    before = read_private(places.state, places.environment)
    kept = [line for line in (before or "").splitlines() if not _is_ours(line)]
    text = "\n".join([*kept, *(f"{name}={value}" for name, value in ours.items())])
    after = f"{text}\n"
    old = set((before or "").splitlines())
    lines = [
        f"  {name} (not shown)" for name, v in ours.items() if f"{name}={v}" not in old
    ]
    return FileChange(places.environment, before, after, tuple(lines))


def _is_ours(line: str) -> bool:
    name = line.partition("=")[0].strip().removeprefix("export ").strip()
    return name == GATEWAY_TOKEN_VARIABLE or name.startswith("LETSBE_TOKEN_")


def _document(state: Path, path: Path, text: str) -> FileChange:
    before = read_private(state, path)
    lines = difflib.unified_diff(
        (before or "").splitlines(), text.splitlines(), lineterm="", n=0
    )
    # A new file is named by its first line alone; it can be read where it lies.
    shown = (
        tuple(lines)[2:] if before is not None else (f"+ {text.partition(chr(10))[0]}",)
    )
    return FileChange(path, before, text, shown)
