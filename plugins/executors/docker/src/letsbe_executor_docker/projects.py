"""Judging what the compose files of a command declare."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from letsbe.plugin import Effect, Match, Tier
from letsbe_executor_docker.compose import (
    ComposeFile,
    NotUnderstood,
    Project,
    read_project,
)
from letsbe_executor_docker.services import file_findings
from letsbe_executor_docker.subcommands import Found, Setting
from letsbe_executor_docker.words import Words

_MAKES = frozenset({"up", "create", "run", "watch", "scale", "build"})
"""Subcommands of compose that make containers or images of what the files say."""
_TOUCHES = frozenset({"start", "stop", "restart", "down"})
"""Those that obey the files in little: a provider's program runs for them too."""


class ProjectJudge:
    """Judges compose files for one command line.

    Args:
        setting: The place, and the judges of mounts and of commands.
        stacks: Folders whose compose files the operator answers for.
        environment: The variables that compose gets and whose values are known.
        hidden: The names of the others.
    """

    def __init__(
        self,
        setting: Setting,
        stacks: Sequence[Path],
        environment: Mapping[str, str],
        hidden: frozenset[str],
    ) -> None:
        self._setting = setting
        self._stacks = [os.path.realpath(stack) for stack in stacks]
        self._environment = environment
        self._hidden = hidden
        self.read: list[Project] = []
        """The projects whose files were read."""

    def findings(self, command: Words) -> Iterator[Found]:
        """Judge the files that a command would use, if it would."""
        program, _, subcommand = command.name.rpartition(".")
        is_stack = command.name == "docker.stack.deploy"
        is_compose = program == "docker-compose"
        if not is_stack and not (is_compose and subcommand in _MAKES | _TOUCHES):
            return
        try:
            project = self._stack(command) if is_stack else self._project(command)
        except NotUnderstood as error:
            yield Effect(Tier.RED, "compose_file", error.why)
            return
        self.read.append(project)
        makes = is_stack or subcommand in _MAKES
        builds = is_compose and not command.has("--no-build")
        for file in project.files:
            if self._is_trusted(file):
                continue
            for name, found in file_findings(file, self._setting, builds=builds):
                if makes or _name(found) == "provider":
                    yield replace(found, why=f"{name} in the compose file {found.why}")

    def _project(self, command: Words) -> Project:
        given = list(command.globals("docker-compose"))

        def values(*names: str) -> list[str]:
            return [v.text for _, name, words in given if name in names for v in words]

        folders = values("--project-directory", "--workdir")
        return read_project(
            values("-f", "--file"),
            cwd=self._setting.where.cwd,
            folder=folders[-1] if folders else None,
            env_files=values("--env-file"),
            environment=self._environment,
            hidden=self._hidden,
        )

    def _stack(self, command: Words) -> Project:
        named = [word.text for word in command.values("-c", "--compose-file")]
        if not named:
            raise NotUnderstood("no compose file is named")
        return read_project(
            [path for text in named for path in text.split(",")],
            cwd=self._setting.where.cwd,
            folder=None,
            env_files=["/dev/null/none"],  # docker itself reads no .env
            environment=self._environment,
            hidden=self._hidden,
        )

    def _is_trusted(self, file: ComposeFile) -> bool:
        real = os.path.realpath(file.path)
        return any(real.startswith(stack.rstrip("/") + "/") for stack in self._stacks)


def _name(found: Found) -> str:
    return found.rule if isinstance(found, Match) else found.name
