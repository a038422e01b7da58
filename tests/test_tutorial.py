"""The tutorial's commands, run one after the other as an author would, offline.

Everything comes from wheels of this workspace and of the libraries that they need. What
an author sends to the world (``uv publish``) is the one command that is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from letsbe.testing import serve_fake
from tests.wheelhouse import repack

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
LEFT_OUT = {"uv publish": "it sends the plugin to an index"}
TOKEN = "canary-tutorial-Hq7Rt2Wm"
ADDRESS = "https://desk.example.com"
HOUR = 3600.0


async def notes(request: Request) -> JSONResponse:
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return JSONResponse({"error": "who are you?"}, 401)
    return JSONResponse({"notes": [{"id": "1", "text": "Hello"}], "next_page": None})


async def health(_: Request) -> JSONResponse:
    return JSONResponse({"version": "1.0"})


APP = Starlette(routes=[Route("/api/notes", notes), Route("/health", health)])


def commands() -> list[tuple[str, str]]:
    """Return each command of the tutorial, and what it is shown to print."""
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [
        (command, output)
        for block in blocks
        for command, output in re.findall(
            r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE
        )
    ]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheelhouse")
    for member in ("core", "plugins/redactors/patterns"):
        build = ["uv", "build", "--quiet", "--wheel", "-o", str(folder)]
        subprocess.run(
            [*build, str(ROOT / member)], check=True, cwd=ROOT, env=with_uv(os.environ)
        )
    repack(["letsbe-core[testing]", "letsbe-redactor-patterns", "pytest"], folder)
    return folder


def with_uv(environment: os._Environ[str]) -> dict[str, str]:
    found = shutil.which("uv")
    folder = Path(found).parent if found else ROOT / ".uv/bin"
    return {**environment, "PATH": f"{folder}:{environment['PATH']}"}


def test_the_tutorial_leads_to_a_plugin_that_works(
    wheels: Path, tmp_path: Path
) -> None:
    base = Path(sys.base_prefix) / "bin"  # not this workspace's own environment
    environment = {
        "PATH": f"{base}:{with_uv(os.environ)['PATH']}",
        "HOME": str(tmp_path / "home"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_FIND_LINKS": str(wheels),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "TOKEN": TOKEN,
    }
    with serve_fake(APP) as server:
        chosen = [
            (command.replace(ADDRESS, server.url), output)
            for command, output in commands()
            if command not in LEFT_OUT
        ]
        printed = run(chosen, tmp_path, environment)
    for command, output in chosen:
        if output:
            shown = re.escape(output.strip()).replace(re.escape("..."), ".*")
            told = printed[command].strip()
            assert re.fullmatch(shown, told, re.DOTALL), f"$ {command}\n{told}"
    assert TOKEN not in "".join(printed.values())


def run(
    chosen: list[tuple[str, str]], folder: Path, environment: dict[str, str]
) -> dict[str, str]:
    """Run commands in one shell, which stops at the first that fails."""
    lines = []
    for number, (command, _) in enumerate(chosen):
        lines += [f"echo '@@ {number}'", command]
    (folder / "work").mkdir()
    ran = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        cwd=folder / "work",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=HOUR,
        check=False,
    )
    parts = re.split(r"^@@ (\d+)\n", ran.stdout, flags=re.MULTILINE)[1:]
    assert ran.returncode == 0, f"{chosen[int(parts[-2])][0]}\n{ran.stdout}"
    return {
        chosen[int(number)][0]: text
        for number, text in zip(parts[::2], parts[1::2], strict=True)
    }
