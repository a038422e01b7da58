"""What is known of each plugin that was found: its record, status and reason."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
"""A plugin's name: what its entry point is called."""

_SHOWN = 120


class Kind(enum.StrEnum):
    """What a plugin brings; each kind has its entry-point group and its hook."""

    EXECUTOR = "executor"
    TOOL = "tool"
    REDACTOR = "redactor"
    BILLING = "billing"
    NOTIFIER = "notifier"

    @property
    def group(self) -> str:
        """The entry-point group, such as ``letsbe.tools``."""
        return _GROUPS[self]

    @property
    def hook(self) -> str:
        """The registration hook that a plugin of this kind must implement."""
        return _REGISTRATION[self]


TENANT_KINDS = (Kind.EXECUTOR, Kind.TOOL, Kind.REDACTOR)
"""What runs on a tenant's server; the other kinds are the Hub's."""

_GROUPS = {
    Kind.EXECUTOR: "letsbe.executors",
    Kind.TOOL: "letsbe.tools",
    Kind.REDACTOR: "letsbe.redactors",
    Kind.BILLING: "letsbe.billing",
    Kind.NOTIFIER: "letsbe.notifiers",
}
_REGISTRATION = {
    Kind.EXECUTOR: "letsbe_executors",
    Kind.TOOL: "letsbe_tool_adapters",
    Kind.REDACTOR: "letsbe_redaction_layers",
    Kind.BILLING: "letsbe_billing_backends",
    Kind.NOTIFIER: "letsbe_notifiers",
}


class Status(enum.StrEnum):
    """Where a plugin stands."""

    SELECTED = "selected"
    """In the plugin set; nothing but its metadata has been looked at."""
    ACTIVE = "active"
    """Loaded, and all it registered is in use."""
    NOT_SELECTED = "not_selected"
    """Installed, but not in the plugin set; nothing of it was imported."""
    DUPLICATE = "duplicate"
    """It shares a name with another plugin; both are refused."""
    INCOMPATIBLE = "incompatible"
    """Written for another version of the plugin API."""
    LOAD_ERROR = "load_error"
    """Not installed, failed to import, or registered what it must not."""
    CONFIG_ERROR = "config_error"
    """Its settings are wrong."""
    UNHEALTHY = "unhealthy"
    """Loaded, but it does not answer, or says that it cannot work."""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin, as ``letsbe plugins list`` shows it.

    Args:
        kind: What it brings.
        name: Its entry point's name.
        distribution: What it was installed as, ``None`` if it is not installed.
        version: The distribution's version.
        origin: Where the distribution came from, without credentials.
        status: Where it stands.
        reason: Why, and what to do; of an active one what it says of itself when it is
            asked. Never an exception's text.
        api_version: The plugin API it was written for, once it is known.
    """

    kind: Kind
    name: str
    distribution: str | None
    version: str | None
    origin: str | None
    status: Status
    reason: str = ""
    api_version: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        """The kind and name, such as ``executor/shell``."""
        return f"{self.kind}/{self.name}"

    @property
    def source(self) -> str:
        """The distribution and version, for a sentence that names the plugin."""
        if self.distribution is None:
            return "not installed"
        return f"{self.distribution} {self.version or '(no version)'}"

    @property
    def failed(self) -> bool:
        """Whether it is in the plugin set and yet not of use."""
        good = (Status.SELECTED, Status.ACTIVE, Status.NOT_SELECTED)
        return self.status not in good

    def turned(self, status: Status, reason: str) -> PluginRecord:
        """Return the record with another status and reason."""
        return replace(self, status=status, reason=reason)

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON, every field present."""
        version = self.api_version
        return {
            "kind": self.kind.value,
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "origin": self.origin,
            "api_version": None if version is None else list(version),
            "status": self.status.value,
            "reason": self.reason,
        }


def by_name(record: PluginRecord) -> tuple[str, str, str]:
    """Sort records: by kind, name, then distribution."""
    return record.kind.value, record.name, record.distribution or ""


def shown(text: str, limit: int = _SHOWN) -> str:
    """Make foreign text fit to be shown on one line.

    Args:
        text: A name or message from a plugin or its metadata. It may hold line
            breaks or terminal escapes.
        limit: The most characters.

    Returns:
        The text with each unprintable character as ``?``, cut at the limit.
    """
    line = "".join(c if c.isprintable() else "?" for c in text)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def type_name(thing: object) -> str:
    """Name the type of an object or exception, which is all that is shown of it."""
    name = type(thing).__name__
    return shown(name, 64) if name.isidentifier() else "an unnamed type"
