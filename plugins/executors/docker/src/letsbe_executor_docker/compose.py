"""Compose files: which ones a command would use, and what stands in them."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from letsbe_executor_docker.variables import UNKNOWN, Variables, env_lines

_NAMES = (
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
"""What compose looks for if no file is named, in the folder and in those above it."""
SIZE_LIMIT = 256 * 1024
"""The most bytes of a compose file that is read."""
NODE_LIMIT = 20_000
"""The most values in one file once its aliases are followed."""
FILE_LIMIT = 16
"""The most files of one project."""


class NotUnderstood(Exception):
    """A compose file cannot be judged.

    Args:
        why: What is wrong, without any of its content.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """A compose file with its variables filled in.

    Args:
        path: Its absolute path.
        document: What it says.
        bases: The folders that its relative paths may start from.
    """

    path: str
    document: Mapping[str, Any] = field(repr=False)
    bases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """The files of a compose project.

    Args:
        files: Those that are there, in their order.
        digests: SHA-256 of each file that was looked for, compose files and others;
            ``None`` where there is none.
    """

    files: tuple[ComposeFile, ...]
    digests: Mapping[str, str | None]

    def as_json(self) -> dict[str, Any]:
        """Return which files it has, with their digests, and its services."""
        services = [
            name
            for file in self.files
            if isinstance(file.document.get("services"), dict)
            for name in file.document["services"]
        ]
        return {
            "files": {file.path: self.digests[file.path] for file in self.files},
            "services": sorted(set(services)),
        }

    def is_unchanged(self) -> bool:
        """Tell whether the files still are what they were."""
        try:
            return all(_digest(_read(p)) == d for p, d in self.digests.items())
        except NotUnderstood:
            return False


def read_project(
    named: Sequence[str],
    *,
    cwd: str,
    folder: str | None,
    env_files: Sequence[str],
    environment: Mapping[str, str],
    hidden: frozenset[str],
) -> Project:
    """Read the files that a compose command would use.

    Args:
        named: The files named with ``-f``.
        cwd: The folder the command starts in.
        folder: The project's folder, if it is named.
        env_files: The files named with ``--env-file``.
        environment: The variables that compose gets and whose values are known.
        hidden: The names of those whose values are not.

    Returns:
        The files. One that is not there is left out: compose stops there too.

    Raises:
        NotUnderstood: A file cannot be read, is too large or of an unknown form.
    """
    return _Reader(cwd, environment, hidden).read(named, folder, env_files)


class _Reader:
    def __init__(
        self, cwd: str, environment: Mapping[str, str], hidden: frozenset[str]
    ) -> None:
        self._cwd = cwd
        self._environment = environment
        self._hidden = hidden
        self._digests: dict[str, str | None] = {}
        self._files: list[ComposeFile] = []

    def read(
        self, named: Sequence[str], folder: str | None, env_files: Sequence[str]
    ) -> Project:
        start = self._path(self._cwd, folder) if folder else self._cwd
        chosen = [self._path(self._cwd, name) for name in named]
        places = [start, self._cwd, *(posixpath.dirname(p) for p in chosen[:1])]
        variables = self._variables(
            places, [self._path(self._cwd, e) for e in env_files]
        )
        if not chosen and "COMPOSE_FILE" in variables:
            chosen = [
                self._path(start, name) for name in variables["COMPOSE_FILE"].split(":")
            ]
        if not chosen:
            chosen = list(self._default(start))
        base = start if folder or not chosen else posixpath.dirname(chosen[0])
        for path in chosen:
            self._take(path, (base,), {**variables, **self._environment})
        return Project(tuple(self._files), dict(self._digests))

    def _path(self, folder: str, name: str) -> str:
        if UNKNOWN in name or "$" in name or not name or name == "-":
            raise NotUnderstood("the name of a compose file cannot be told")
        if "://" in name or re.match(r"[^/]+@[^/]+:", name):
            raise NotUnderstood("a compose file of another machine cannot be judged")
        if name.startswith("~/"):
            name = self._environment.get("HOME", "/") + name[1:]
        return posixpath.normpath(posixpath.join(folder, name))

    def _default(self, folder: str) -> Iterator[str]:
        while True:
            there = [f"{folder.rstrip('/')}/{name}" for name in _NAMES]
            found = [path for path in there if self._bytes(path) is not None]
            if found or folder == "/":
                yield from found
                return
            folder = posixpath.dirname(folder)

    def _bytes(self, path: str) -> bytes | None:
        data = _read(path)
        self._digests[path] = _digest(data)
        return data

    def _variables(self, places: Sequence[str], named: Sequence[str]) -> dict[str, str]:
        variables: dict[str, str] = {}
        for path in dict.fromkeys(
            named or [f"{place.rstrip('/')}/.env" for place in places]
        ):
            data = self._bytes(path)
            for name, value in env_lines(data or b""):
                known = variables.setdefault(name, value)
                if known != value:
                    variables[name] = UNKNOWN
        return variables

    def _take(
        self, path: str, bases: tuple[str, ...], variables: Mapping[str, str] | None
    ) -> None:
        if any(file.path == path and file.bases == bases for file in self._files):
            return
        if len(self._files) >= FILE_LIMIT:
            raise NotUnderstood("there are too many compose files")
        data = self._bytes(path)
        if data is None:
            return
        document = _fill(_parse(data), Variables(variables, self._hidden))
        if not isinstance(document, dict):
            raise NotUnderstood("a compose file is no table")
        own = posixpath.dirname(path)
        self._files.append(ComposeFile(path, document, bases))
        for other, folder in _others(document):
            for base in (*bases, own):
                target = self._path(base, other)
                home = self._path(base, folder) if folder else posixpath.dirname(target)
                # Its variables come from files of its own: none of them is known here.
                self._take(target, tuple(dict.fromkeys((*bases, home))), None)


def _others(document: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the other files that a file brings in, each with its project's folder."""
    for item in _listed(document.get("include")):
        if isinstance(item, dict):
            folder = item.get("project_directory")
            for path in _listed(item.get("path")):
                yield str(path), str(folder) if folder else None
        else:
            yield str(item), None
    services = document.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        extends = service.get("extends") if isinstance(service, dict) else None
        if isinstance(extends, dict) and extends.get("file"):
            yield str(extends["file"]), None


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - whatever YAML gives
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read(path: str) -> bytes | None:
    """Read a file; ``None`` if there is none.

    Raises:
        NotUnderstood: It is there and cannot be read, or is no file, or too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        raise NotUnderstood(f"{path} cannot be read") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotUnderstood(f"{path} is not a file")
        data = file.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise NotUnderstood(f"{path} is too large")
    return data


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


@lru_cache(maxsize=32)
def _parse(data: bytes) -> Any:  # noqa: ANN401 - whatever YAML gives
    """Parse YAML; the same bytes are parsed once."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(data, Loader=loader)  # noqa: S506 - a safe loader, in C
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        raise NotUnderstood("a compose file is not plain YAML") from None


def _fill(document: Any, variables: Variables) -> Any:  # noqa: ANN401 - YAML
    count = 0

    def walk(value: Any, depth: int) -> Any:  # noqa: ANN401 - YAML
        nonlocal count
        count += 1
        if count > NODE_LIMIT or depth > 50:
            raise NotUnderstood("a compose file is too large or nested too deep")
        if isinstance(value, str):
            return variables.fill(value)
        if isinstance(value, dict):
            return {str(key): walk(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, depth + 1) for item in value]
        return value

    return walk(document, 0)
