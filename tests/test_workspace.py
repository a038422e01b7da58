"""The rules of the workspace: its members, their metadata, the form of their code."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import letsbe

ROOT = Path(__file__).parents[1]
KINDS = {  # folder of plugins/ -> (prefix of its distributions, entry-point group)
    "billing": ("letsbe-billing", "letsbe.billing"),
    "executors": ("letsbe-executor", "letsbe.executors"),
    "notifiers": ("letsbe-notifier", "letsbe.notifiers"),
    "redactors": ("letsbe-redactor", "letsbe.redactors"),
    "tools": ("letsbe-tool", "letsbe.tools"),
}
LIBRARIES = {  # what the product is made with
    "click",
    "cryptography",
    "httpx",
    "importlib-metadata",
    "pluggy",
    "pyahocorasick",
    "pytest",
    "starlette",
    "stripe",
    "tinydb",
}
MODULE_LINES = 400
FUNCTION_LINES = 60
FORBIDDEN = re.compile(
    # how and where something was written is no part of it
    r"claude|chatgpt|copilot|codex|co-authored-by"
    r"|(?<![\w.}*-])/(work|farm|Users)/|/tmp/team|/root/\.pyenv"
    r"|pypi\.org|pythonhosted\.org",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Member:
    """A distribution of the workspace."""

    folder: Path

    @property
    def path(self) -> str:
        return self.folder.relative_to(ROOT).as_posix()

    @property
    def settings(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "pyproject.toml").read_text())

    @property
    def project(self) -> dict[str, Any]:
        project: dict[str, Any] = self.settings["project"]
        return project

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def module(self) -> str:
        return "letsbe" if self.name == "letsbe-core" else self.name.replace("-", "_")

    @property
    def requirements(self) -> list[Requirement]:
        groups = self.settings.get("dependency-groups", {})
        built_with = self.settings.get("build-system", {}).get("requires", [])
        texts = [*self.project.get("dependencies", []), *built_with]
        for group in groups.values():
            texts += group
        return [Requirement(text) for text in texts]


def found_members() -> list[Member]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    globs = settings["tool"]["uv"]["workspace"]["members"]
    files = (file for glob in globs for file in ROOT.glob(f"{glob}/pyproject.toml"))
    return sorted((Member(file.parent) for file in files), key=lambda m: m.path)


MEMBERS = found_members()
PLUGINS = [member for member in MEMBERS if member.path.startswith("plugins/")]
each_member = pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda m: m.name)


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return [path for path in paths if path.is_file()]


def source_files() -> Iterator[Path]:
    for member in MEMBERS:
        yield from sorted((member.folder / "src").rglob("*.py"))


def test_every_project_file_is_a_member() -> None:
    files = {path for path in tracked_files() if path.name == "pyproject.toml"}
    known = {member.folder / "pyproject.toml" for member in MEMBERS}
    assert files == known | {ROOT / "pyproject.toml"}


@each_member
def test_a_member_has_its_parts(member: Member) -> None:
    module = member.folder / "src" / member.module
    assert (module / "py.typed").is_file()
    assert (module / "__init__.py").is_file()
    assert list(member.folder.glob("tests/**/test_*.py"))
    assert [p.name for p in (member.folder / "src").iterdir()] == [member.module]
    readme = (member.folder / "README.md").read_text()
    assert readme.startswith(f"# {member.name}\n")
    assert member.settings["tool"]["uv"]["build-backend"] == {
        "module-name": member.module
    }


@each_member
def test_the_readme_names_every_member(member: Member) -> None:
    link = f"[`{member.name}`]({member.path}/README.md)"
    assert link in (ROOT / "README.md").read_text()


@each_member
def test_a_member_says_what_it_is(member: Member) -> None:
    assert member.project["version"] == letsbe.__version__
    assert member.project["description"]
    assert member.project["readme"] == "README.md"
    assert member.project["requires-python"] == ">=3.11"


@each_member
def test_a_member_carries_its_licence(member: Member) -> None:
    assert member.project["license"] == "Apache-2.0"
    assert member.project["license-files"] == ["LICENSE"]
    assert (member.folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("member", [Member(ROOT), *MEMBERS], ids=lambda m: m.name)
def test_every_dependency_has_a_floor(member: Member) -> None:
    without = [
        str(requirement)
        for requirement in member.requirements
        if not any(s.operator in {">=", "==", "~="} for s in requirement.specifier)
    ]
    assert without == []


@each_member
def test_the_lock_knows_what_a_member_requires(member: Member) -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    (locked,) = (p for p in lock["package"] if p["name"] == member.name)
    extras = member.project.get("optional-dependencies", {}).values()
    declared = [*member.project.get("dependencies", []), *chain(*extras)]
    assert {entry["name"] for entry in locked["metadata"].get("requires-dist", [])} == {
        canonicalize_name(Requirement(text).name) for text in declared
    }


@each_plugin
def test_a_plugin_is_named_by_its_path(plugin: Member) -> None:
    _, kind, name = plugin.path.split("/")
    prefix, group = KINDS[kind]
    assert plugin.name == f"{prefix}-{name}"
    groups = plugin.project["entry-points"]
    assert groups == {group: {name: plugin.module}}


@each_plugin
def test_a_plugin_fits_one_minor_version_of_the_core(plugin: Member) -> None:
    version = Version(letsbe.__version__)
    minor = version.minor
    assert version.major == 0, "from 1.0 on, plugins fit one major version"
    assert f"letsbe-core>=0.{minor},<0.{minor + 1}" in plugin.project["dependencies"]
    assert plugin.settings["tool"]["uv"]["sources"]["letsbe-core"] == {
        "workspace": True
    }


def test_the_workspace_has_the_version_of_its_members() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["version"] == letsbe.__version__
    assert settings["tool"]["towncrier"]["version"] == letsbe.__version__


def test_types_are_checked_in_every_member() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sources = {f"{member.path}/src" for member in MEMBERS}
    assert set(settings["tool"]["mypy"]["mypy_path"]) == sources


def test_the_libraries_that_were_chosen_are_used() -> None:
    declared = {
        requirement.name
        for member in [Member(ROOT), *MEMBERS]
        for requirement in member.requirements
    }
    assert declared >= LIBRARIES


def test_modules_and_functions_fit_in_the_eye() -> None:
    long = []
    for path in source_files():
        text = path.read_text()
        lines = text.count("\n")
        if lines > MODULE_LINES:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}: {node.name}, {size} lines")
    assert long == []


def test_files_say_nothing_of_how_they_were_written() -> None:
    found = []
    for path in tracked_files():
        if path in {Path(__file__), ROOT / "uv.lock"}:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {m[0]}" for m in FORBIDDEN.finditer(text)]
    assert found == []
