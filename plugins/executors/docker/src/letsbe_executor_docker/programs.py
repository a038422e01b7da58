"""The rule tables of docker and compose, and which program runs compose here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from letsbe.plugin import RuleBook, Word, find_program
from letsbe_executor_docker.words import Words

DOCKER = frozenset({"docker", "docker-compose"})
"""The programs that this executor judges by its own tables."""
TABLES = Path(__file__).with_name("tables")
"""The folder of these tables."""

_PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)


@lru_cache(maxsize=1)
def docker_book() -> RuleBook:
    """Return the rule book of docker and compose, with ``docker compose`` in it."""
    book = RuleBook.load([TABLES])
    docker, compose = book.table("docker"), book.table("docker-compose")
    if docker is None or compose is None:
        return book
    joined = replace(docker, subs={**docker.subs, "compose": compose})
    return RuleBook({"docker": joined, "docker-compose": compose}, book.problems)


def available(words: Sequence[Word], command: Words) -> list[Word]:
    """Return the words for the compose that is installed.

    Version 2 is a plugin of docker, version 1 a program of its own; Debian 12 has
    version 1 alone. Both take the same words.

    Args:
        words: The words as they were judged.
        command: The same, read.
    """
    place = command.compose_at
    if place is None or _has_plugin() == (place > 1):
        return list(words)
    if place == 1:
        docker = replace(words[0], text="docker")
        return [docker, replace(words[0], text="compose"), *words[1:]]
    if place > 2 or not find_program("docker-compose"):
        return list(words)
    return [replace(words[0], text="docker-compose"), *words[2:]]


def _has_plugin() -> bool:
    return any(os.access(f"{f}/docker-compose", os.X_OK) for f in _PLUGIN_FOLDERS)
