"""Who may import what: plugins the public surface, everyone only what they declare."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core"
HUB = ROOT / "hub"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/*/pyproject.toml"))
RUFF = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID"]
RUFF += ["--output-format", "concise"]
PUBLIC = {"plugin", "testing"}

each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
each_member = pytest.mark.parametrize(
    "member", [CORE, HUB, *PLUGINS], ids=lambda path: path.name
)


def imports(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, full name) of every import, those inside functions too."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                yield from ((path, f"{module}.{alias.name}") for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


def own_module(member: Path) -> str:
    return next(path.name for path in (member / "src").iterdir() if path.is_dir())


def requirements(member: Path) -> tuple[str, list[str]]:
    """Return a distribution's name and the names of those it needs."""
    project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {})
    texts = [*project["dependencies"], *chain.from_iterable(extras.values())]
    return project["name"], [Requirement(text).name for text in texts]


def providers() -> dict[str, set[str]]:
    """Map each importable name to the distributions that may provide it."""
    found = {
        name: {canonical(distribution) for distribution in distributions}
        for name, distributions in packages_distributions().items()
    }
    for member in (
        CORE,
        HUB,
        *PLUGINS,
    ):  # an editable install does not list its modules
        found[own_module(member)] = {requirements(member)[0]}
    return found


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@each_plugin
def test_a_plugin_imports_only_the_public_surface(plugin: Path) -> None:
    allowed = {"src": ("letsbe.plugin",), "tests": ("letsbe.plugin", "letsbe.testing")}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for part, packages in allowed.items()
        for path, name in imports(plugin / part)
        if within(name, "letsbe") and (not within(name, *packages) or "._" in name)
    ]
    assert wrong == []


@each_plugin
def test_plugins_do_not_import_each_other(plugin: Path) -> None:
    others = {own_module(other) for other in PLUGINS} - {own_module(plugin)}
    assert [n for _, n in imports(plugin) if within(n, *others)] == []


def test_the_core_imports_neither_a_plugin_nor_the_hub() -> None:
    modules = {own_module(member) for member in (HUB, *PLUGINS)}
    assert [n for _, n in imports(CORE) if within(n, *modules)] == []


def test_the_hub_imports_no_plugin() -> None:
    modules = {own_module(plugin) for plugin in PLUGINS}
    assert [n for _, n in imports(HUB) if within(n, *modules)] == []


@each_member
def test_a_member_imports_only_what_it_declares(member: Path) -> None:
    # So the core imports no plugin's library, and each library has its one place.
    name, needed = requirements(member)
    declared = {name, *map(canonical, needed)}
    provided = providers()
    undeclared = {
        f"{path.relative_to(ROOT)}: {imported}"
        for path, imported in imports(member / "src")
        if (top := imported.split(".")[0]) not in sys.stdlib_module_names
        and not declared & provided.get(top, set())
    }
    assert undeclared == set()


def test_one_module_reads_the_provenance_of_distributions() -> None:
    # importlib_metadata is there for Distribution.origin alone.
    using = {
        path.relative_to(ROOT).as_posix()
        for folder in (CORE / "src", HUB, *PLUGINS)
        for path, name in imports(folder)
        if within(name, "importlib_metadata")
    }
    assert len(using) == 1
    assert using < {p.relative_to(ROOT).as_posix() for p in CORE.rglob("src/**/*.py")}


def test_ruff_knows_every_part_that_plugins_may_not_import() -> None:
    settings = tomllib.loads((ROOT / "plugins/ruff.toml").read_text())
    banned = settings["lint"]["flake8-tidy-imports"]["banned-api"]
    parts = {
        path.stem
        for path in (CORE / "src/letsbe").iterdir()
        if (path.suffix == ".py" and not path.stem.startswith("__"))
        or (path / "__init__.py").exists()
    }
    assert set(banned) == {f"letsbe.{p}" for p in parts - PUBLIC}


@pytest.mark.parametrize(
    ("folder", "code", "rules"),
    [
        ("plugins/executors/x/src/x", "import letsbe.vault.secret", ["TID251"]),
        ("plugins/tools/x/src/x", "from letsbe import vault", ["TID251"]),
        ("plugins/tools/x/tests", "from letsbe.errors import Refused", ["TID251"]),
        ("plugins/redactors/x/src/x", "from .layer import Layer", ["TID252"]),
        ("plugins/tools/x/src/x", "from letsbe.plugin import Refused", []),
        ("plugins/tools/x/tests", "from letsbe.testing import make_call", []),
        ("core/src/letsbe/wrapper", "from letsbe.errors import Refused", []),
    ],
)
def test_ruff_holds_plugins_to_the_public_surface(
    folder: str, code: str, rules: list[str]
) -> None:
    ran = subprocess.run(
        [*RUFF, "--stdin-filename", f"{folder}/x.py", "-"],
        input=f"{code}\n",
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.findall(r": (TID\d+) ", ran.stdout) == rules
    assert ran.returncode == (1 if rules else 0), ran.stderr
