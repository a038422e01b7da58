"""A plugin that ``letsbe plugins new`` makes passes the kit and is active.

One of each kind in a temporary folder: its wheel is built, core and wheel are installed
in a fresh environment from files alone, its tests run, and a home loads it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from letsbe.cli.plugins_new import KINDS, LINK, TEMPLATES

ROOT = Path(__file__).parents[1]
LIMIT = 120.0
"""Seconds from nothing to tests that pass, environment included."""


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(Path.home()), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".uv/bin/uv")
    assert Path(found).exists(), "uv is not there: run ./run once"
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the core's wheel, and the redactor that a home needs."""
    folder = tmp_path_factory.mktemp("wheels")
    for member in ("core", "plugins/redactors/entropy"):
        run(uv(), "build", "--quiet", "--wheel", "-o", folder, ROOT / member, cwd=ROOT)
    return folder


def other_packages(folder: Path) -> Path:
    """Let an environment see what is installed here, but for this workspace's own."""
    here = Path(json.__file__).parents[1]
    site = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    packages = folder / "packages"
    packages.mkdir()
    for path in site.iterdir():
        mine = path.name.startswith(("letsbe", "__editable__", "_letsbe"))
        if not mine and path.suffix != ".pth" and path.name != "__pycache__":
            (packages / path.name).symlink_to(path)
    assert here.exists()
    return packages


def fresh_environment(folder: Path, *wheels: Path) -> Path:
    """Make an environment of the wheels, with the libraries that are here."""
    env = folder / "env"
    run(uv(), "venv", "--quiet", "--python", sys.executable, env, cwd=folder)
    python = env / "bin" / "python"
    offline = ("--offline", "--no-index", "--no-deps", "--python", python)
    run(uv(), "pip", "install", "--quiet", *offline, *wheels, cwd=folder)
    (site,) = env.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(f"{other_packages(folder)}\n")
    return python


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_the_kit_and_is_active(
    kind: str, wheels: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    name = "acme_desk"
    letsbe = (sys.executable, "-m", "letsbe")
    run(*letsbe, "plugins", "new", kind, name, "--into", tmp_path, cwd=tmp_path)
    made = tmp_path / f"letsbe-{kind}-acme-desk"
    text = "".join(p.read_text() for p in made.rglob("*") if p.is_file())
    assert "sample" not in text.lower().replace("samples", "")
    run(uv(), "build", "--quiet", "--wheel", "-o", tmp_path / "dist", made, cwd=made)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    python = fresh_environment(tmp_path, *wheels.glob("*.whl"), wheel)
    told = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=made)
    assert " passed" in told
    took = time.monotonic() - began
    assert took < LIMIT, f"{took:.0f} s"
    check_active(python, kind, name, tmp_path)


def check_active(python: Path, kind: str, name: str, folder: Path) -> None:
    home = ("--home", str(folder / "home"))
    run(python, "-m", "letsbe", "init", *home, cwd=folder)
    chosen = folder / "home/plugins.json"
    plugins = json.loads(chosen.read_text())
    if name not in {row["name"] for row in plugins["plugins"].values()}:
        plugins["plugins"]["99"] = {"kind": kind, "name": name}
    chosen.write_text(json.dumps(plugins))
    if kind in {"billing", "notifier"}:  # it must be told where its file or folder is
        place = folder / ("boxes" if kind == "notifier" else "lines")
        if kind == "notifier":
            place.mkdir()
        with (folder / "home/letsbe.toml").open("a") as file:
            file.write(f'\n[plugins.settings.{name}]\npath = "{place}"\n')
    command = [str(python), "-m", "letsbe", "plugins", "check", "--json", *home]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    records = {r["name"]: r for r in json.loads(ran.stdout)}
    assert records[name]["status"] == "active", records[name]


def test_what_ships_with_the_core_is_the_templates() -> None:
    for kind in KINDS:
        source = ROOT / "plugin_template" / kind
        ignored = {"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
        expected = {
            str(path.relative_to(source))
            for path in source.rglob("*")
            if path.is_file() and not ignored & set(path.parts)
        }
        shipped = {
            str(path.relative_to(TEMPLATES / kind)).removesuffix(LINK): path.resolve()
            for path in (TEMPLATES / kind).rglob(f"*{LINK}")
        }
        assert set(shipped) == expected
        for name, path in shipped.items():
            assert path == (source / name).resolve()


@pytest.mark.parametrize("name", ["Sample", "sample", "9x", "a-b", "a" * 33, "x/y", ""])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "letsbe", "plugins", "new", "tool", name]
    ran = subprocess.run(
        [*command, "--into", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "NAME must be" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "letsbe", "plugins", "new", "tool", "acme"]
    command += ["--into", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "is there already" in ran.stderr
