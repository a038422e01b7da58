"""From the arguments of a call to a verdict with a plan of what will run."""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.plugin import (
    CommandLine,
    CommandRefused,
    InvalidRequest,
    JudgedPipeline,
    Judgement,
    Match,
    PathRefused,
    RuleTables,
    Site,
    Tier,
    ToolFailed,
    Verdict,
    Where,
    find_program,
    line_from_argv,
    parse_line,
    steps_of,
)
from letsbe_executor_shell.arguments import ShellArguments
from letsbe_executor_shell.repositories import with_filters

TABLES = Path(__file__).with_name("tables")
"""The folder of rule tables."""


@dataclass(frozen=True, slots=True)
class Work:
    """What classification leaves for execution.

    Args:
        line: The line, read.
        judgement: What was found, and what is to run.
        programs: The absolute path of each program; ``None`` if it is not installed.
        where: The place it was judged for.
    """

    line: CommandLine
    judgement: Judgement
    programs: dict[str, str | None]
    where: Where

    @property
    def pipelines(self) -> tuple[JudgedPipeline, ...]:
        """What is to run."""
        return self.judgement.pipelines


def home_folder() -> str:
    """Return the home of the user that commands run as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/nonexistent"


class Judge:
    """Judges calls by the rule book, for one site.

    Args:
        rules: The rule tables.
        site: The allowed roots, forbidden paths and closed ports.
        enforced: Whether the kernel holds each command to its tier.
    """

    def __init__(self, rules: RuleTables, site: Site, *, enforced: bool = True) -> None:
        self._rules = rules
        self._enforced = enforced
        self._roots = tuple(os.path.realpath(root) for root in site.roots)
        self._where = Where(
            cwd=str(site.roots[0]) if site.roots else "/",
            home=home_folder(),
            roots=site.roots,
            forbidden=site.forbidden,
            closed_ports=site.closed_ports,
        )

    def judge(self, arguments: ShellArguments) -> Verdict:
        """Judge a call.

        Args:
            arguments: The call's arguments.

        Returns:
            The verdict; refused if the line is outside the grammar.

        Raises:
            InvalidRequest: Neither a command nor words are given.
            PathRefused: The folder is outside the roots.
        """
        where = self._place(arguments.cwd)
        try:
            line = _line(arguments)
        except CommandRefused as error:
            return Verdict(
                tier=Tier.RED,
                rule=error.rule,
                reason=f"{error.message} (at {_at(error.span)})",
                refused=True,
                alternative=error.alternative,
                hosts=None,
                plan={"command": arguments.command or list(arguments.argv or ())},
            )
        judgement = self._judgement(line, where)
        return self._verdict(line, judgement, where, arguments.command)

    def _judgement(self, line: CommandLine, where: Where) -> Judgement:
        judgement = self._rules.book.judge(line, where)
        return judgement if self._enforced else with_filters(judgement, where)

    def _place(self, cwd: str | None) -> Where:
        if cwd is None:
            return self._where
        if "\0" in cwd or not cwd:
            raise PathRefused("cwd is not a path: name a folder inside the roots")
        folder = os.path.normpath(os.path.join(self._where.cwd, cwd))  # noqa: PTH118 -- text
        real = os.path.realpath(folder)
        if self._roots and not any(
            real == root or real.startswith(root.rstrip("/") + "/")
            for root in self._roots
        ):
            raise PathRefused("cwd is outside the allowed roots")
        return Where(
            folder,
            self._where.home,
            self._where.roots,
            self._where.forbidden,
            self._where.closed_ports,
        )

    def recheck(self, work: Work, commands: Collection[int]) -> ToolFailed | None:
        """Judge a line again, now that some of its commands are about to start.

        Args:
            work: What the first judgement left.
            commands: The numbers of those commands.

        Returns:
            Why they must not start: they would be worse than what was allowed.
        """
        now = self._judgement(work.line, work.where)
        for before, found in zip(
            _worst(work.judgement, commands), _worst(now, commands), strict=True
        ):
            if found > before:
                message = (
                    "what a path of this line leads to has changed since the line was"
                    " judged, so it was not run: call again"
                )
                return ToolFailed(message)
        return None

    def _verdict(
        self,
        line: CommandLine,
        judgement: Judgement,
        where: Where,
        text: str | None,
    ) -> Verdict:
        deciding = judgement.deciding
        programs = {
            stage.words[0].text: find_program(stage.words[0].text)
            for pipeline in judgement.pipelines
            for stage in pipeline.stages
        }
        if closed := _closed_place(judgement, programs, where.forbidden):
            return Verdict(
                tier=Tier.CRITICAL_RED,
                rule="place.closed",
                reason=f"{closed} lies in a place that is closed to agents",
                refused=True,
                hosts=None,
                plan=_plan(judgement.pipelines, programs),
            )
        return Verdict(
            tier=judgement.tier,
            rule=deciding.rule,
            reason=f"{deciding.why} (command {deciding.command + 1})",
            external=judgement.external,
            refused=judgement.refused,
            alternative=deciding.alternative if deciding.tier else None,
            hosts=judgement.hosts,
            plan=_plan(judgement.pipelines, programs),
            work=Work(line, judgement, programs, where),
            trace=tuple(_row(match, text) for match in judgement.matches),
            paths=judgement.classes,
            steps=steps_of(judgement, where),
        )


def _worst(
    judgement: Judgement, commands: Collection[int]
) -> Iterator[tuple[bool, Tier]]:
    """Yield of each command whether it is refused, and its tier."""
    for number in commands:
        found = [match for match in judgement.matches if match.command == number]
        refused = any(match.refused for match in found)
        yield refused, max((match.tier for match in found), default=Tier.GREEN)


def _line(arguments: ShellArguments) -> CommandLine:
    if arguments.command is not None:
        return parse_line(arguments.command)
    if arguments.argv is None:
        raise InvalidRequest("give either command or argv")
    return line_from_argv(arguments.argv)


def _closed_place(
    judgement: Judgement, programs: dict[str, str | None], forbidden: Sequence[Path]
) -> str | None:
    """Return a word that leads, links followed, to where agents may not go.

    The programs always, such as ``openclaw``; and of a command that its rules do not
    bound (``node SCRIPT``) every word, whatever it means there.
    """
    closed = [os.path.realpath(place) for place in forbidden]
    places = [(name, path) for name, path in programs.items() if path]
    if judgement.tier >= Tier.RED:
        places += [
            (word, os.path.join(pipeline.cwd, word))  # noqa: PTH118 -- text
            for pipeline in judgement.pipelines
            for stage in pipeline.stages
            for word in stage.argv[1:]
            if "/" in word
        ]
    for word, path in places:
        real = os.path.realpath(path)
        if any(real == place or real.startswith(f"{place}/") for place in closed):
            return word
    return None


def _row(match: Match, text: str | None) -> dict[str, Any]:
    """Tell of a match; ``at`` is the piece of the line that it is about."""
    start, end = match.span
    return {
        "rule": match.rule,
        "tier": str(match.tier),
        "why": match.why,
        "external": match.external,
        "refused": match.refused,
        "alternative": match.alternative,
        "command": match.command + 1,
        "at": text[start:end] if text and 0 <= start < end else None,
    }


def _at(span: tuple[int, int]) -> str:
    return f"character {span[0] + 1}"


def _plan(
    pipelines: Sequence[JudgedPipeline], programs: dict[str, str | None]
) -> dict[str, Any]:
    """Say what will run, so that a person can judge it and a digest can bind it."""
    return {
        "pipelines": [
            {
                "join": pipeline.join,
                "cwd": pipeline.cwd,
                "stages": [
                    {
                        "argv": list(stage.argv),
                        "program": programs[stage.words[0].text],
                        "expand": [n for n, w in enumerate(stage.words) if w.glob],
                        "stdin": stage.stdin,
                        "stdout": str(stage.stdout),
                        "stderr": str(stage.stderr),
                        "environment": dict(stage.environment),
                    }
                    for stage in pipeline.stages
                ],
            }
            for pipeline in pipelines
        ],
        "line": " ".join(
            f"{pipeline.join} {_shown(pipeline)}".strip() for pipeline in pipelines
        ),
    }


def _shown(pipeline: JudgedPipeline) -> str:
    if not pipeline.stages:
        return f"cd {shlex.quote(pipeline.cwd)}"
    return " | ".join(
        " ".join(
            word.text if word.glob else shlex.quote(word.text) for word in stage.words
        )
        for stage in pipeline.stages
    )
