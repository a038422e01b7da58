"""Servers that tests run for real, installed once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

CACHE_VARIABLE = "LETSBE_TEST_CACHE"
"""The environment variable that says where installations are kept."""


def cache_folder() -> Path:
    """Return where installations are kept: ``$LETSBE_TEST_CACHE``, or in the home."""
    named = os.environ.get(CACHE_VARIABLE)
    folder = Path(named) if named else Path.home() / ".cache" / "letsbe-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cached_install(name: str, build: Callable[[Path], None]) -> Path:
    """Install something once; every later test, in any process, finds it there.

    Args:
        name: What and which version: ``ghost-6.65.0``.
        build: Installs it into an empty folder, at its final place.

    Returns:
        The folder.

    Raises:
        subprocess.CalledProcessError: The installation failed; nothing is kept.
    """
    folder = cache_folder() / name
    finished = folder / "complete"
    with FileLock(folder.with_name(f"{name}.lock")):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            finished.touch()
    return folder


def node_environment(version: int) -> dict[str, str]:
    """Return an environment whose ``node`` is of a major version, without the host's.

    Args:
        version: Such as 22. It is installed by npm, which must be there.

    Returns:
        The variables: this process's, with ``PATH`` and where native modules find the
        headers they are compiled with.
    """
    folder = cached_install(f"node-{version}", lambda place: _node(place, version))
    modules = folder / "node_modules"
    (headers,) = modules.glob("**/node-linux-*/include/node/node.h")
    return {
        **os.environ,
        "PATH": f"{modules / '.bin'}:{os.environ['PATH']}",
        "npm_config_nodedir": str(headers.parents[2]),
    }


def _node(folder: Path, version: int) -> None:
    install = ("npm", "install", "--no-audit", "--no-fund")
    for command in (("npm", "init", "-y"), (*install, f"node@{version}")):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
