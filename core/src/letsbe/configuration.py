"""The configuration that a person edits, checked when it is read.

One TOML file in the home folder. What people and the Hub change while the product
runs (agents, plugin set, tools) is kept in documents of its own.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from letsbe.errors import ConfigurationError, FieldError
from letsbe.home import Home

Port = Annotated[int, Field(ge=0, le=65535)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class FileSettings(_Table):
    """Which files agents may touch."""

    roots: tuple[Path, ...] = ()
    """The folders that may be read from and written to."""
    forbidden: tuple[Path, ...] = ()
    """Folders and files closed to agents even inside a root. The home folder and the
    agent runtime's own state always are."""


class WrapperSettings(_Table):
    """The Safety Wrapper's address and limits."""

    host: str = "127.0.0.1"
    """The address to listen on. Anything but loopback needs a TLS proxy in front."""
    port: Port = 8200
    """The port; 0 takes a free one."""
    body_limit: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    """The most bytes of a request's body."""
    output_limit: Annotated[int, Field(ge=1024)] = 256 * 1024
    """The most bytes of output that one call may return."""
    concurrent_calls: Annotated[int, Field(ge=1)] = 16
    """How many calls may execute at once."""
    waiting_calls: Annotated[int, Field(ge=0)] = 256
    """How many more may wait for their turn; beyond that the answer is ``busy``."""
    call_timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """Seconds until a call is ended, unless it asks for less."""
    native_operations: tuple[str, ...] = ()
    """Operations that agents are offered as tools of their own: names, or ``prefix.*``.
    All others are called by ``use_tool``, so that prompts stay small."""
    approval_hours: Annotated[float, Field(gt=0, le=720)] = 24.0
    """Hours until a pending approval expires."""


class UpstreamSettings(_Table):
    """One provider that the Secrets Proxy forwards to."""

    base_url: str
    """Where requests go: ``https://api.openai.com``, with a path if it has one. Plain
    ``http`` only to this machine or a private network."""
    prefix: str | None = None
    """The path under which the proxy offers it; ``/`` and its name if left out."""
    api: (
        Literal["openai-completions", "openai-responses", "anthropic-messages"] | None
    ) = None
    """Which API it speaks; says how the key is sent if ``send_key_as`` does not."""
    secret: str | None = None
    """The name of the key in the vault; without it no key is sent."""
    send_key_as: (
        Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] | None
    ) = None
    """``bearer``, or the header that carries the key alone, such as ``x-api-key``."""
    generation_data: bool | None = None
    """Whether ``generation`` below ``base_url`` tells what a request cost, as
    OpenRouter's does; left out: if it is OpenRouter."""


UpstreamName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class ProxySettings(_Table):
    """The Secrets Proxy's address, limits and upstreams."""

    host: str = "127.0.0.1"
    """The address to listen on. Whoever reaches it may use the providers' keys."""
    port: Port = 8100
    """The port; 0 takes a free one."""
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,30}$")] | None = None
    """The account of its own that it runs under, in a service of its own; left out: the
    one that runs ``letsbe up``, which starts it."""
    body_limit: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    """The most bytes of a request's body, unpacked."""
    connect_timeout: Annotated[float, Field(gt=0, le=600)] = 10.0
    """Seconds until a connection to an upstream must stand."""
    read_timeout: Annotated[float, Field(gt=0, le=86400)] = 600.0
    """Seconds that an upstream may be silent."""
    write_timeout: Annotated[float, Field(gt=0, le=86400)] = 60.0
    """Seconds that either side may take to pass on a piece of a request."""
    upstreams: dict[UpstreamName, UpstreamSettings] = Field(default_factory=dict)
    """The providers, by name; nothing else is forwarded to."""


class PluginSettings(_Table):
    """Limits on plugins, and the settings of each."""

    hook_timeout: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Seconds that a plugin's hook may take before its silence counts as a failure."""
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """One table per plugin, by the plugin's name, checked by the plugin."""


class Configuration(_Table):
    """Everything in ``letsbe.toml``."""

    files: FileSettings = FileSettings()
    wrapper: WrapperSettings = WrapperSettings()
    proxy: ProxySettings = ProxySettings()
    plugins: PluginSettings = PluginSettings()

    def at_ports(self, wrapper: int | None, proxy: int | None) -> Configuration:
        """Return the same configuration with other ports, where one is given."""
        changed: dict[str, Any] = {}
        if wrapper is not None:
            changed["wrapper"] = self.wrapper.model_copy(update={"port": wrapper})
        if proxy is not None:
            changed["proxy"] = self.proxy.model_copy(update={"port": proxy})
        return self.model_copy(update=changed)


def load_configuration(home: Home) -> Configuration:
    """Read and check a home's configuration.

    Args:
        home: The home folder.

    Returns:
        The configuration, defaults filled in.

    Raises:
        ConfigurationError: The file is missing, not TOML, or has a field that is
            unknown or wrong; the error names each.
    """
    path = home.configuration
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"{path} does not exist: run `letsbe init --home {home.folder}`"
        raise ConfigurationError(message) from None
    except (OSError, UnicodeDecodeError):
        message = f"{path} cannot be read as UTF-8 text"
        raise ConfigurationError(message) from None
    try:
        return Configuration.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = f"{path} is not valid TOML: {error}"
        raise ConfigurationError(message) from None
    except ValidationError as error:
        details = tuple(
            FieldError(".".join(map(str, item["loc"])), item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        )
        named = "; ".join(f"{d.field}: {d.message}" for d in details)
        message = f"{path} has fields that are wrong: {named}"
        raise ConfigurationError(message, details=details) from None
