"""The Hub's configuration: ``hub.toml``, checked when it is read.

A setting that is a secret may stand elsewhere: ``{ "$file" = "PATH" }`` is the text of
a file that others cannot read, ``{ "$env" = "NAME" }`` a variable of the environment.
Whatever comes from there is registered, so that redactors take it out of every log.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from letsbe.errors import ConfigurationError
from letsbe.vault.secret import Secret
from letsbe.wrapper.requests import field_errors
from letsbe_hub.billing.rates import BillingSettings
from letsbe_hub.home import HubHome

MOST_BYTES = 64 * 1024


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class ServerSettings(_Table):
    """The address and limits."""

    host: str = "127.0.0.1"
    """The address to listen on. Anything but loopback needs a TLS proxy in front."""
    port: Annotated[int, Field(ge=0, le=65535)] = 3847
    """The port; 0 takes a free one."""
    names: tuple[str, ...] = ()
    """The host names by which the Hub is called, besides loopback ones."""
    body_limit: Annotated[int, Field(ge=1024)] = 1024 * 1024
    """The most bytes of a request's body."""


class DatabaseSettings(_Table):
    """Where everything is kept."""

    url: str | None = None
    """``sqlite:///PATH`` or ``postgresql://...``; else ``hub.db`` in the home."""


class BusSettings(_Table):
    """How nodes tell each other."""

    url: str = "local"
    """``local`` or ``nats://HOST:PORT``."""


class TenantSettings(_Table):
    """How tenants' servers are kept in touch with."""

    heartbeat_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds between two heartbeats."""
    usage_seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    """Seconds between two pushes of usage."""
    wait_seconds: Annotated[float, Field(gt=0, le=50)] = 25.0
    """Seconds that a server may wait for news at once."""
    most_waiting: Annotated[int, Field(ge=0, le=100_000)] = 1000
    """Servers that a node lets wait at once, at some 19 KB each. More are told to ask
    later, and hear of news by their heartbeats."""
    late_after: Annotated[float, Field(ge=1, le=100)] = 2.0
    """Heartbeats that may be missed before a server is late."""
    disconnected_after: Annotated[float, Field(ge=1, le=1000)] = 5.0
    """Heartbeats that may be missed before it is disconnected."""
    registration_minutes: Annotated[float, Field(gt=0, le=43200)] = 1440.0
    """Minutes that a registration token is good for."""


class AccountSettings(_Table):
    """How people prove who they are."""

    staff_second_factor: bool = True
    """Whether staff may do nothing before they have a second factor."""
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The key that second factors are sealed with, 64 hexadecimal digits, the same on
    every node; else ``people.key`` in the home."""


class NoticeSettings(_Table):
    """How people are told."""

    portal: Annotated[str, Field(pattern=r"^https?://\S+$")] = "http://127.0.0.1:3847"
    """The address of the pages that notices lead to: the Hub's own, as people reach
    it."""


class PluginSettings(_Table):
    """Limits on plugins, and the settings of each."""

    hook_timeout: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Seconds that a plugin's hook may take before its silence counts as a failure."""
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """One table per plugin, by the plugin's name, checked by the plugin."""


class Settings(_Table):
    """Everything in ``hub.toml``."""

    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    bus: BusSettings = BusSettings()
    tenants: TenantSettings = TenantSettings()
    billing: BillingSettings = BillingSettings()
    accounts: AccountSettings = AccountSettings()
    notices: NoticeSettings = NoticeSettings()
    plugins: PluginSettings = PluginSettings()


@dataclass(frozen=True)
class ConfiguredSecrets:
    """The secrets that settings refer to, as redactors are given them.

    Args:
        secrets: Each by its place in the configuration.
    """

    secrets: tuple[Secret, ...] = ()

    @property
    def version(self) -> int:
        """Always the same: the configuration is read once."""
        return 1

    def current(self) -> tuple[Secret, ...]:
        """Return every value to take out."""
        return self.secrets


def load_settings(home: HubHome) -> tuple[Settings, ConfiguredSecrets]:
    """Read and check a home's configuration.

    Args:
        home: The home folder.

    Returns:
        The settings, defaults filled in, and the secrets that they refer to.

    Raises:
        ConfigurationError: The file is missing, not TOML, has a field that is unknown
            or wrong, or refers to a secret that is not there.
    """
    path = home.configuration
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{path} does not exist: restore it, or choose another --home"
        raise ConfigurationError(message) from None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{path} cannot be read as UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from None
    found: list[Secret] = []
    resolved = _resolved(written, "", found)
    try:
        return Settings.model_validate(resolved), ConfiguredSecrets(tuple(found))
    except ValidationError as error:
        details = field_errors(error)
        named = "; ".join(f"{d.field}: {d.message}" for d in details)
        message = f"{path} has fields that are wrong: {named}"
        raise ConfigurationError(message, details=details) from None


def _resolved(value: Any, place: str, found: list[Secret]) -> Any:  # noqa: ANN401 - any TOML
    if isinstance(value, list):
        return [_resolved(item, place, found) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) in ({"$file"}, {"$env"}):
        text = _referred(value, place)
        name = place.replace(".", "_").lower()
        found.append(Secret(name, text))
        return text
    return {
        key: _resolved(item, f"{place}.{key}" if place else key, found)
        for key, item in value.items()
    }


def _referred(reference: Mapping[str, Any], place: str) -> str:
    name = reference.get("$env")
    if name is not None:
        text = os.environ.get(str(name), "")
        if not text:
            message = f"{place} refers to a variable of the environment that is not set"
            raise ConfigurationError(message)
        return text
    path = Path(str(reference["$file"]))
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        message = f"{place} refers to a file that cannot be read as text"
        raise ConfigurationError(message) from None
    if stat.S_IMODE(mode) & 0o077:
        message = f"{path} is open to other users: run `chmod 600 {path}`"
        raise ConfigurationError(message)
    if not text:
        raise ConfigurationError(f"{place} refers to a file that is empty")
    return text
