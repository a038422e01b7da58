"""The tool registry, made from the provisioner's environment files.

Addresses and settings go to the registry, credentials to the vault, bound to the tool
and its host; every other value that a name marks as a secret goes there too, so that
the redaction knows it. The registry gets names. Doing it twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from letsbe.errors import ConfigurationError, InvalidRequest, LetsBeError
from letsbe.plugin import Adapter, Credential
from letsbe.plugin._adapters.routes import RAW
from letsbe.policy.network.urls import Origin
from letsbe.storage.tool_registry import Tool, ToolRegistry, parse_tool
from letsbe.tools.environment_files import read_environment
from letsbe.vault.vault import Vault

_SECRET = re.compile(
    r"(PASS(WORD|PHRASE|WD)?|SECRET|TOKEN|KEY|CREDENTIALS?|DSN)(_|$)", re.IGNORECASE
)
_NO_SECRET = re.compile(r"(PUBLIC_KEY|KEY_ID|_FILE|_PATH)$", re.IGNORECASE)
_NOT_IN_NAME = re.compile(r"[^a-z0-9]+")
_SHORTEST = (
    6  # a shorter value would be taken out of every text that happens to hold it
)
_ADDRESS = ("URL", "BASE_URL", "API_URL")
_CERTIFICATES = ("CA_FILE", "CERTIFICATES")


@dataclass(frozen=True, slots=True)
class Generated:
    """What became of one file.

    Args:
        file: The file's name.
        tool: The tool's entry, if it has one now.
        registered: The names of the secrets that the vault holds for it.
        missing: The credentials and settings that its adapter needs and the file lacks.
        problem: Why there is no entry.
    """

    file: str
    tool: Tool | None = None
    registered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str | None = None


def generate(
    folder: Path,
    adapters: Mapping[str, Adapter],
    registry: ToolRegistry,
    vault: Vault,
) -> list[Generated]:
    """Read every ``*.env`` of a folder into the registry and the vault.

    Args:
        folder: The provisioner's folder.
        adapters: What the active adapters declare, by their plugin's name.
        registry: Gets an entry for each tool; others in it stay.
        vault: Gets the secrets.

    Returns:
        What became of each file; one that is wrong stops no other.

    Raises:
        ConfigurationError: There is no such folder.
        StorageError: The registry or the vault cannot be written.
    """
    if not folder.is_dir():
        message = f"{folder} is no folder: name the one with the tools' .env files"
        raise ConfigurationError(message)
    found = []
    for path in sorted(folder.glob("*.env")):
        try:
            found.append(_generate(path, adapters, registry, vault))
        except (ConfigurationError, InvalidRequest) as error:
            found.append(Generated(path.name, problem=error.message))
    return found


def _generate(
    path: Path, adapters: Mapping[str, Adapter], registry: ToolRegistry, vault: Vault
) -> Generated:
    variables = read_environment(path)
    name = _name(path.stem)
    plugin = _adapter_of(name, variables, adapters)
    adapter = adapters.get(plugin)
    known = adapter or Adapter(name=name, summary="", operations=(), routes=())
    address = _first(variables, _address_names(name, known))
    if address is None:
        message = f"{path} has no address: set {name.upper()}_URL"
        raise ConfigurationError(message)
    host = Origin.of_base_url(address).host
    secrets, registered = _secrets(name, known, variables, vault, host)
    settings = {
        s.name: value
        for s in known.settings
        if (value := _first(variables, (*s.env, f"{name}_{s.name}".upper())))
    }
    tool = parse_tool(
        {
            "name": name,
            "base_url": address,
            "adapter": plugin,
            "secrets": secrets,
            "settings": settings,
            "certificates": _first(
                variables, [f"{name.upper()}_{c}" for c in _CERTIFICATES]
            ),
        }
    )
    registry.put(tool)
    missing = [
        c.name for c in known.credentials if c.required and c.name not in secrets
    ]
    missing += [
        s.name for s in known.settings if s.default is None and s.name not in settings
    ]
    return Generated(path.name, tool, tuple(sorted(registered)), tuple(missing))


def _secrets(
    tool: str,
    adapter: Adapter,
    variables: Mapping[str, str],
    vault: Vault,
    host: str,
) -> tuple[dict[str, str], set[str]]:
    """Put a file's secrets into the vault; name each credential's."""
    credentials: dict[str, str] = {}
    registered = set()
    taken = set()
    for credential in adapter.credentials:
        names = (*credential.env, f"{tool}_{credential.name}".upper())
        variable = next((n for n in names if variables.get(n)), None)
        if variable is None:
            continue
        secret = f"{tool}_{credential.name}"
        scopes = adapter_scopes(adapter, tool, credential)
        _keep(vault, secret, variables[variable], scopes, host)
        credentials[credential.name] = secret
        registered.add(secret)
        taken.add(variable)
    for variable, value in variables.items():
        sensitive = _SECRET.search(variable) and not _NO_SECRET.search(variable)
        if sensitive and variable not in taken and len(value) >= _SHORTEST:
            secret = f"{tool}_{_name(variable, tool)}"[:64]
            _keep(vault, secret, value, (f"{tool}.*",), host)
            registered.add(secret)
    return credentials, registered


def adapter_scopes(adapter: Adapter, tool: str, credential: Credential) -> list[str]:
    """Say which operations may use a credential.

    Returns:
        All of the tool's, if they need it unless they say otherwise; else those that
        ask for it, and the raw request.
    """
    if credential.required:
        return [f"{tool}.*"]
    using = [o.name for o in adapter.operations if credential.name in adapter.needed(o)]
    return sorted(f"{tool}.{name}" for name in {*using, RAW})


def _keep(vault: Vault, name: str, value: str, tools: Sequence[str], host: str) -> None:
    """Store a secret, unless it is there with the same value and scopes."""
    wanted = tuple(sorted(tools)), (host,)
    try:
        record = vault.get(name)
        same = vault.reveal(name).reveal() == value
        if same and (tuple(sorted(record.tools)), record.hosts) == wanted:
            return
    except LetsBeError:
        pass
    vault.provide(name, value, tools=wanted[0], hosts=wanted[1])


def _adapter_of(
    name: str, variables: Mapping[str, str], adapters: Mapping[str, Adapter]
) -> str:
    """Find the adapter: named in the file, or by the beginning of the file's name."""
    named = variables.get("LETSBE_ADAPTER")
    if named:
        return named
    fitting = [a for a in adapters if name == a or name.startswith(f"{a}_")]
    return max(fitting, key=len, default=name)


def _address_names(tool: str, adapter: Adapter) -> list[str]:
    own = [f"{tool.upper()}_{ending}" for ending in _ADDRESS]
    return [*own, *adapter.address_env, *_ADDRESS]


def _first(variables: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((variables[n] for n in names if variables.get(n)), None)


def _name(text: str, without: str = "") -> str:
    """Make a name of a file's or a variable's."""
    name = _NOT_IN_NAME.sub("_", text.lower()).strip("_")
    return name.removeprefix(f"{without}_") if without else name
