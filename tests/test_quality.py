"""``quality.toml`` claims nothing that does not hold, and the documents show it."""

from __future__ import annotations

import importlib
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from letsbe.testing import make_site

ROOT = Path(__file__).parents[1]
TABLE: dict[str, dict[str, bool]] = tomllib.loads((ROOT / "quality.toml").read_text())
PLUGINS = {
    f"{path.parents[1].name}/{path.parent.name}": path.parent
    for path in sorted(ROOT.glob("plugins/*/*/pyproject.toml"))
}
ERRORS = r"raises\(\s*\(?\s*(Tool[A-Z]\w+|Refused|PathRefused|InvalidRequest|Rejected"
ERRORS += r"|TryLater|AddressGone|ConfigurationError|kind|LetsBeError|ValidationError)"


def operations(folder: Path, workspace: Path) -> list[str]:
    """Ask a plugin what it can do; nothing of a kind that has no operations."""
    (module,) = (path.parent.name for path in folder.glob("src/*/__init__.py"))
    loaded: Any = importlib.import_module(module)
    site = make_site(workspace)
    if hasattr(loaded, "letsbe_tool_adapters"):
        (adapter,) = loaded.letsbe_tool_adapters(site=site)
        return [action.name.partition(".")[2] for action in adapter.operations]
    if hasattr(loaded, "letsbe_executors"):
        (executor,) = loaded.letsbe_executors(site=site)
        return [action.name for action in executor.actions]
    return []


def undocumented(folder: Path, workspace: Path) -> list[str]:
    """Name the operations that a plugin's README leaves out; `list_*` names many."""
    named = re.findall(r"`([a-z_*]+)`", (folder / "README.md").read_text())
    return [
        name
        for name in operations(folder, workspace)
        if not any(fnmatch(name, pattern) for pattern in named)
    ]


def facts(folder: Path, workspace: Path) -> dict[str, bool]:
    """Look at a plugin's files for what each row of the table claims."""
    modules = [path.read_text() for path in folder.glob("tests/**/*.py")]
    tests, readme = "\n".join(modules), (folder / "README.md").read_text()
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return {
        "contract": re.search(r"class Test\w+\([\w, ]*Contract\)", tests) is not None,
        "operations": bool(operations(folder, workspace))
        and not undocumented(folder, workspace),
        "errors": re.search(ERRORS, tests) is not None,
        "offline": any(
            "def test_" in text and "mark.slow" not in text for text in modules
        ),
        "real_server": "cached_install" in tests,
        "vendor_schema": re.search("VendorDocument|vendor_document", tests) is not None,
        "readme_runs": re.search("```(console|python)", readme) is not None,
        "lowest_versions": all(
            re.search("[>=]=|@", need) for need in project["dependencies"]
        ),
    }


@pytest.mark.parametrize("name", PLUGINS)
def test_a_claim_holds(name: str, tmp_path: Path) -> None:
    claims, found = TABLE[name], facts(PLUGINS[name], tmp_path)
    assert set(claims) == set(found)
    assert {row for row, claim in claims.items() if claim and not found[row]} == set()


@pytest.mark.parametrize("name", [n for n in PLUGINS if n.startswith("tools/")])
def test_each_operation_of_a_tool_is_in_its_readme(name: str, tmp_path: Path) -> None:
    assert undocumented(PLUGINS[name], tmp_path) == []


def test_every_plugin_has_its_rows() -> None:
    assert set(TABLE) == set(PLUGINS)


def test_the_documents_show_the_table() -> None:
    shown = (ROOT / "docs" / "quality.md").read_text()
    rows = next(iter(TABLE.values()))
    assert f"| plugin | {' | '.join(r.replace('_', ' ') for r in rows)} |" in shown
    for name, claims in TABLE.items():
        marks = " | ".join("yes" if claim else "" for claim in claims.values())
        assert f"| {name} | {marks} |" in shown, name
