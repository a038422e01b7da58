"""The option tables say what the installed docker says of itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from letsbe_executor_docker.programs import docker_book

FLAG = re.compile(r"^ +(?:(-\w), )? *(--[\w-]+)(?: (\S+))?(?:  |$)")
"""A line of ``--help``: the short form, the long form, the kind of the value."""
COMMAND = re.compile(r"^  ([a-z][\w-]*)\*? ")
APART = {
    "buildx",
    "compose",
    "scout",
    "sbom",
    "app",
    "ai",
    "mcp",
    "model",
    "completion",
}
"""Docker's plugins, of which any may be installed, and what takes a shell's name."""


def help_of(*words: str) -> list[str]:
    ended = subprocess.run(
        ["docker", *words, "--help"],
        env={**os.environ, "DOCKER_HOST": "unix:///nonexistent"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return ended.stdout.splitlines()


def commands(lines: list[str]) -> Iterator[str]:
    listed = False
    for line in lines:
        if not line.startswith(" "):
            listed = line.endswith("Commands:")
        elif listed and (found := COMMAND.match(line)):
            yield found[1]


def all_commands() -> list[tuple[str, ...]]:
    if not shutil.which("docker"):
        return []
    found: list[tuple[str, ...]] = []
    for name in commands(help_of()):
        if name in APART:
            continue
        inner = [(name, sub) for sub in commands(help_of(name))]
        found += inner or [(name,)]
    return found


@pytest.mark.skipif(not shutil.which("docker"), reason="docker is not installed")
def test_every_option_takes_what_docker_says() -> None:
    wrong, seen = [], 0
    looked_at = all_commands()
    for words in looked_at:
        table = docker_book().table("docker")
        for word in words:
            table = table.subs.get(word) if table else None
        if table is None:
            wrong.append(f"docker {' '.join(words)} is not in the table")
            continue
        for line in help_of(*words):
            found = FLAG.match(line)
            for name in (found[1], found[2]) if found else ():
                if not name or name == "--help":
                    continue
                seen += 1
                flag = table.flags.get(name)
                if flag is None:
                    wrong.append(f"docker {' '.join(words)} {name} is not in the table")
                elif bool(flag.values) != bool(found and found[3]):
                    wrong.append(f"docker {' '.join(words)} {name} and its value")
    assert wrong == []
    assert len(looked_at) > 80
    assert seen > 500
