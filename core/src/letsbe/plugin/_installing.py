"""A tenant's distributions, pinned with their hashes and installed exactly so.

The set is a TOML file that a person or the provisioner writes; beside it stands the
lock, a requirements file with hashes that uv and pip read alike. What the lock does not
name is taken out of the environment, so the same lock always gives the same one.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from letsbe.discovery.plugin_set import PluginSet, Selection
from letsbe.discovery.records import Kind
from letsbe.errors import ConfigurationError, FieldError

_Distribution = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z")
]
_Version = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z.*+!<>=~, -]{0,100}\z")
]
_HEAD = "# letsbe-set: "
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)", re.MULTILINE)
_LISTING = """
import json
from importlib.metadata import distributions
print(json.dumps([
    {"name": d.name, "version": d.version,
     "points": [[p.group, p.name] for p in d.entry_points
                if p.group.startswith("letsbe.")]}
    for d in distributions()]))
"""


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, strict=True
    )


class ChosenPlugin(_Table):
    """One plugin of a set."""

    kind: Annotated[Kind, Field(strict=False)]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}\z")]
    distribution: _Distribution
    version: _Version = ""
    required: bool = False


class ChosenSet(_Table):
    """A tenant's set: the core, and plugins."""

    core: _Version = ""
    plugins: list[ChosenPlugin]

    def selections(self) -> PluginSet:
        """Return the plugin set that a home keeps."""
        return PluginSet(
            tuple(
                Selection(p.kind, p.name, p.distribution, p.required)
                for p in sorted(self.plugins, key=lambda p: (p.kind, p.name))
            )
        )


@dataclass(frozen=True, slots=True)
class Sources:
    """Where distributions come from.

    Args:
        find_links: Folders or pages with wheels.
        no_index: Whether nothing else is asked.
    """

    find_links: tuple[str, ...] = ()
    no_index: bool = False
    options: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Spell the options, which uv and pip share."""
        spelt = [word for link in self.find_links for word in ("--find-links", link)]
        object.__setattr__(self, "options", spelt + ["--no-index"] * self.no_index)


def read_set(path: Path) -> ChosenSet:
    """Read a set.

    Raises:
        ConfigurationError: It is missing or wrong; the error names the fields.
    """
    try:
        chosen = ChosenSet.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError):
        message = f"{path} cannot be read as UTF-8 text"
        raise ConfigurationError(message) from None
    except tomllib.TOMLDecodeError as error:
        message = f"{path} is not valid TOML: {error}"
        raise ConfigurationError(message) from None
    except ValidationError as error:
        details = tuple(
            FieldError(".".join(map(str, item["loc"])), item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        )
        named = "; ".join(f"{d.field}: {d.message}" for d in details)
        message = f"{path} is not a set of plugins: {named}"
        raise ConfigurationError(message, details=details) from None
    keys = [(p.kind, p.name) for p in chosen.plugins]
    twice = sorted(
        {f"{kind}/{name}" for kind, name in keys if keys.count((kind, name)) > 1}
    )
    if twice:
        message = f"{path} chooses these more than once: {', '.join(twice)}"
        raise ConfigurationError(message)
    return chosen


def lock_of(path: Path) -> Path:
    """Return where a set's lock is."""
    return path.with_suffix(".lock")


def resolve_set(path: Path, python: str, sources: Sources) -> list[tuple[str, str]]:
    """Choose a version of everything a set needs, and write the lock.

    Args:
        path: The set.
        python: The interpreter that it is for.
        sources: Where distributions come from.

    Returns:
        The names and versions.

    Raises:
        ConfigurationError: No versions fit together; the error says why, as the
            resolver does.
    """
    chosen = read_set(path)
    wanted = sorted({f"{p.distribution}{p.version}" for p in chosen.plugins})
    requirements = "\n".join([f"letsbe-core{chosen.core}", *wanted]) + "\n"
    uv = shutil.which("uv")
    pins = (
        _uv_compile(uv, requirements, python, sources)
        if uv
        else _pip_report(requirements, python, sources)
    )
    lock_of(path).write_text(f"{_HEAD}{_digest(path)}\n{pins}", encoding="utf-8")
    return _PIN.findall(pins)


def install_set(path: Path, python: str, sources: Sources) -> list[tuple[str, str]]:
    """Make an environment what a set's lock says, and check it.

    Args:
        path: The set.
        python: The environment's interpreter.
        sources: Where distributions come from.

    Returns:
        The names and versions that are installed.

    Raises:
        ConfigurationError: There is no lock, it is of another set, it cannot be
            installed, or what was installed does not offer a plugin of the set.
    """
    chosen, lock = read_set(path), lock_of(path)
    first = ""
    if lock.exists():
        first = lock.read_text(encoding="utf-8").partition("\n")[0]
    if first != f"{_HEAD}{_digest(path)}":
        message = (
            f"{lock} is missing or of another set: run "
            f"`letsbe plugins resolve --set {path}`"
        )
        raise ConfigurationError(message)
    pins = _PIN.findall(lock.read_text(encoding="utf-8"))
    uv = shutil.which("uv")
    if uv:
        options = ["--python", python, "--require-hashes", *sources.options]
        _run([uv, "pip", "sync", "--quiet", *options, str(lock)])
    else:
        _pip_sync(python, lock, pins, sources)
    _check_installed(chosen, pins, python)
    return pins


def _uv_compile(uv: str, requirements: str, python: str, sources: Sources) -> str:
    options = ["--quiet", "--generate-hashes", "--no-header", "--no-annotate"]
    options += ["--no-emit-index-url", "--no-emit-find-links", "--python", python]
    return _run([uv, "pip", "compile", *options, *sources.options, "-"], requirements)


def _pip_report(requirements: str, python: str, sources: Sources) -> str:
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    options = ["install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    told = _run([*pip, *options, *sources.options, *requirements.splitlines()])
    lines = []
    for item in json.loads(told)["install"]:
        about, archive = item["metadata"], item["download_info"]["archive_info"]
        digest = archive["hashes"]["sha256"]
        lines.append(f"{about['name']}=={about['version']} --hash=sha256:{digest}\n")
    return "".join(sorted(lines, key=str.lower))


def _pip_sync(
    python: str, lock: Path, pins: Sequence[tuple[str, str]], sources: Sources
) -> None:
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["install", "--require-hashes", "--no-deps", *sources.options]
    _run([*pip, *options, "-r", str(lock)])
    kept = {_canonical(name) for name, _ in pins} | {"pip", "setuptools", "wheel"}
    extra = [d["name"] for d in _listed(python) if _canonical(d["name"]) not in kept]
    if extra:
        _run([*pip, "uninstall", "--yes", *extra])


def _check_installed(
    chosen: ChosenSet, pins: Sequence[tuple[str, str]], python: str
) -> None:
    """Check that what is installed is what was pinned, and offers what was chosen."""
    found = {_canonical(d["name"]): d for d in _listed(python)}
    for name, version in pins:
        there = found.get(_canonical(name), {}).get("version")
        if there != version:
            message = (
                f"{name} {version} was to be installed; there is {there or 'none'}"
            )
            raise ConfigurationError(message)
    for plugin in chosen.plugins:
        points = found.get(_canonical(plugin.distribution), {}).get("points", [])
        if [plugin.kind.group, plugin.name] not in points:
            message = f"{plugin.distribution} offers no {plugin.kind} {plugin.name}"
            raise ConfigurationError(message)


def _listed(python: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_run([python, "-I", "-c", _LISTING]))
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _run(command: Sequence[str], given: str = "") -> str:
    try:
        ran = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False
        )
    except OSError:
        message = f"{command[0]} cannot be started"
        raise ConfigurationError(message) from None
    if ran.returncode != 0:
        last = "\n".join(ran.stderr.strip().splitlines()[-8:])
        program = Path(command[0]).name
        message = f"{program} could not do it; it says:\n{last}"
        raise ConfigurationError(message)
    return ran.stdout


def this_python() -> str:
    """Return the interpreter that runs this."""
    return sys.executable
