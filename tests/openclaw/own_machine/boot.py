"""Makes the machine, and starts it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.openclaw.own_machine import places
from tests.openclaw.runtime import Runtime

SYSTEMD = Path("/lib/systemd/systemd")
SECONDS = 300
NAMESPACES = ["--pid", "--fork", "--mount", "--net", "--ipc", "--uts", "--cgroup"]
TRIED = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/u" "$1/w" "$1/r" "$1/c"
mount -t cgroup2 cgroup2 "$1/c"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/u,workdir=$1/w" "$1/r"
"""
"""What a machine needs to be allowed."""
REPOSITORY = Path(__file__).parents[3]


class CannotBoot(Exception):
    """This machine cannot hold another one; the text says why."""


def check() -> None:
    """See whether a machine can be made here.

    Raises:
        CannotBoot: It cannot.
    """
    if platform.system() != "Linux" or os.geteuid() != 0:
        raise CannotBoot("a machine of its own needs Linux and root")
    for program in ("unshare", "nft", "ip", "setpriv", "systemd-sysusers"):
        if shutil.which(program) is None:
            raise CannotBoot(f"{program} is not installed")
    if not SYSTEMD.exists():
        raise CannotBoot("systemd is not installed")
    tried = ["unshare", *NAMESPACES, "--kill-child", "sh", "-c", TRIED, "sh"]
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [*tried, folder], capture_output=True, text=True, check=False
        )
    if ended.returncode != 0:
        raise CannotBoot(f"it may not be mounted here: {ended.stderr.strip()[-200:]}")


def boot(folder: Path, runtime: Runtime) -> dict[str, Any]:
    """Run the machine to its end.

    Args:
        folder: An empty folder for the layer, its log and what it found.
        runtime: The installed OpenClaw.

    Returns:
        What its driver found.
    """
    out = folder / "out"
    out.mkdir()
    words = [sys.executable, "-m", "tests.openclaw.own_machine.inside"]
    words += [str(folder), str(runtime.folder), str(REPOSITORY)]
    with (folder / "log").open("wb") as log:
        subprocess.run(
            ["unshare", *NAMESPACES, "--kill-child", *words],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            timeout=SECONDS,
            check=False,
        )
    found = out / places.FOUND.name
    assert found.exists(), _logs(folder)
    told: dict[str, Any] = json.loads(found.read_text())
    return told


def _logs(folder: Path) -> str:
    texts = [path.read_text(errors="replace") for path in sorted(folder.rglob("*log"))]
    return "\n".join(text[-6000:] for text in texts)
