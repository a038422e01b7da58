"""A tenant's set is pinned and installed exactly so, by uv and by pip, offline.

The wheels are this workspace's own and those of every library that they need.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wheelhouse import changed, repack

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
MEMBERS = ("core", "plugins/redactors/entropy", "plugins/executors/file")
NAMES = ("letsbe-core", "letsbe-redactor-entropy", "letsbe-executor-file")
SET = """\
core = "{core}"
[[plugins]]
kind = "redactor"
name = "entropy"
distribution = "letsbe-redactor-entropy"
[[plugins]]
kind = "executor"
name = "{name}"
distribution = "letsbe-executor-file"
version = ">=0.1"
"""
LISTING = (
    "import json; from importlib.metadata import distributions as d;"
    "print(json.dumps({x.name.lower().replace('_', '-'): x.version for x in d()}))"
)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheelhouse")
    uv = shutil.which("uv") or str(ROOT / ".uv/bin/uv")
    for member in MEMBERS:
        build = [uv, "build", "--quiet", "--wheel", "-o", str(folder)]
        subprocess.run([*build, str(ROOT / member)], check=True, cwd=ROOT)
    repack(NAMES, folder)
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else."""
    folder = tmp_path_factory.mktemp("bare") / "env"
    venv.create(folder, with_pip=True, symlinks=True)
    return folder


@dataclass(frozen=True)
class Tenant:
    """A set, an environment and where its wheels come from."""

    folder: Path
    path: str

    @property
    def python(self) -> Path:
        return self.folder / "env/bin/python"

    @property
    def wheels(self) -> Path:
        return self.folder / "wheels"

    @property
    def lock(self) -> Path:
        return self.folder / "tenant.lock"

    def choose(self, core: str = ">=0.1,<0.2", name: str = "file") -> None:
        (self.folder / "tenant.toml").write_text(SET.format(core=core, name=name))

    def letsbe(self, command: str) -> subprocess.CompletedProcess[str]:
        options = ["--set", str(self.folder / "tenant.toml"), "--no-index"]
        options += ["--python", str(self.python), "--find-links", str(self.wheels)]
        cache = str(self.folder / "cache")
        return subprocess.run(
            [sys.executable, "-m", "letsbe", "plugins", command, *options],
            env={"PATH": self.path, "HOME": cache, "UV_CACHE_DIR": cache},
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self) -> dict[str, str]:
        ran = [str(self.python), "-I", "-c", LISTING]
        found: dict[str, str] = json.loads(subprocess.check_output(ran))
        return {n: v for n, v in found.items() if n not in {"pip", "setuptools"}}

    def pip(self, *arguments: str) -> None:
        pip = [str(self.python), "-m", "pip", "--quiet", *arguments]
        subprocess.run(pip, check=True, capture_output=True)


@pytest.fixture(params=["uv", "pip"])
def tenant(
    request: pytest.FixtureRequest, wheels: Path, bare: Path, tmp_path: Path
) -> Tenant:
    shutil.copytree(bare, tmp_path / "env", symlinks=True)
    shutil.copytree(wheels, tmp_path / "wheels", copy_function=os.link)  # quicker
    tools = tmp_path / "tools"
    tools.mkdir()
    if request.param == "uv":
        uv = shutil.which("uv") or str(ROOT / ".uv/bin/uv")
        (tools / "uv").symlink_to(uv)
    tenant = Tenant(tmp_path, f"{tools}:/usr/bin:/bin")
    tenant.choose()
    return tenant


def test_a_set_is_pinned_and_installed_exactly_so(tenant: Tenant) -> None:
    early = tenant.letsbe("install")
    assert "letsbe plugins resolve" in early.stderr
    file = next(tenant.wheels.glob("letsbe_executor_file-*.whl"))
    changed(file, "0.9.0", ">=9")  # newer, and for another core

    resolved = tenant.letsbe("resolve")
    assert resolved.returncode == 0, resolved.stderr
    lock = tenant.lock.read_text()
    assert "letsbe-executor-file==0.1.0" in lock
    assert lock.count("--hash=sha256:") >= lock.count("==")

    installed = tenant.letsbe("install")
    assert installed.returncode == 0, installed.stderr
    there = tenant.installed()
    assert set(NAMES) < set(there)
    assert set(there) == {
        line.partition("==")[0].lower().replace("_", "-")
        for line in lock.splitlines()
        if "==" in line
    }
    command = [str(tenant.python), "-m", "letsbe", "plugins", "list", "--json"]
    home = tenant.folder / "home"
    subprocess.run([*command[:3], "init", "--home", str(home)], check=True)
    listed = subprocess.run(
        [*command, "--home", str(home)], capture_output=True, text=True, check=True
    )
    found = {record["name"] for record in json.loads(listed.stdout)}
    assert {"entropy", "file"} <= found

    other = changed(next(tenant.wheels.glob("letsbe_redactor_*.whl")), "0.1.1", ">=0.1")
    tenant.pip("install", "--no-index", "--no-deps", str(other))
    other.unlink()
    stray = tenant.folder / "stray"
    stray.mkdir()
    repack(["iniconfig"], stray)
    tenant.pip("install", "--no-index", *map(str, stray.iterdir()))
    assert tenant.installed() != there
    assert tenant.letsbe("install").returncode == 0
    assert tenant.installed() == there
    assert tenant.letsbe("resolve").returncode == 0
    assert tenant.lock.read_text() == lock, "not the same twice"

    tenant.choose(name="other")
    assert tenant.letsbe("resolve").returncode == 0
    refused = tenant.letsbe("install")
    assert refused.returncode == 1
    assert "letsbe-executor-file offers no executor other" in refused.stderr


def test_what_cannot_be_installed_whole_is_not_begun(tenant: Tenant) -> None:
    assert tenant.letsbe("resolve").returncode == 0
    (wheel,) = tenant.wheels.glob("letsbe_executor_file-*.whl")
    honest = wheel.read_bytes()
    wheel.unlink()
    missing = tenant.letsbe("install")
    assert missing.returncode == 1
    assert "letsbe-executor-file" in missing.stderr
    assert tenant.installed() == {}

    wheel.write_bytes(honest)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("letsbe_executor_file/more.py", "print('not what was pinned')")
    shutil.rmtree(tenant.folder / "cache", ignore_errors=True)
    forged = tenant.letsbe("install")
    assert forged.returncode == 1
    assert "hash" in forged.stderr.lower()
    assert tenant.installed() == {}


@pytest.mark.parametrize("core", [">=9", "==0.0.1"])
def test_a_core_that_is_not_to_be_had_is_named(tenant: Tenant, core: str) -> None:
    tenant.choose(core)
    refused = tenant.letsbe("resolve")
    assert refused.returncode == 1
    assert "letsbe-core" in refused.stderr
    assert not tenant.lock.exists()


def test_a_plugin_for_another_core_is_named(tenant: Tenant) -> None:
    (wheel,) = tenant.wheels.glob("letsbe_executor_file-*.whl")
    changed(wheel, "0.9.0", ">=9")
    wheel.unlink()
    refused = tenant.letsbe("resolve")
    assert refused.returncode == 1
    assert "letsbe-executor-file" in refused.stderr
    assert not tenant.lock.exists()


def test_versions_may_have_blanks(tenant: Tenant) -> None:
    tenant.choose(">=0.1, <0.2")
    resolved = tenant.letsbe("resolve")
    assert resolved.returncode == 0, resolved.stderr
