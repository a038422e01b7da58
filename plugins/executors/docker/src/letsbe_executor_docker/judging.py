"""From the arguments of a call to a verdict with a plan of what will run."""

from __future__ import annotations

import os
import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from letsbe.plugin import (
    CommandLine,
    CommandRefused,
    Effect,
    JudgedCommand,
    JudgedPipeline,
    JudgedStage,
    Judgement,
    Match,
    PathClass,
    PathRefused,
    RuleBook,
    RuleTables,
    Site,
    Stream,
    Tier,
    Verdict,
    Where,
    Word,
    clean_environment,
    find_program,
    line_from_argv,
    parse_line,
    path_class,
    path_effects,
    steps_of,
)
from letsbe_executor_docker.arguments import DockerArguments
from letsbe_executor_docker.compose import Project
from letsbe_executor_docker.inner import InnerJudge
from letsbe_executor_docker.mounts import Mounts
from letsbe_executor_docker.programs import DOCKER, available, docker_book
from letsbe_executor_docker.projects import ProjectJudge
from letsbe_executor_docker.settings import DockerSettings
from letsbe_executor_docker.subcommands import Found, Setting, findings
from letsbe_executor_docker.words import Words

_STEERS_DOCKER = ("DOCKER_", "COMPOSE_", "BUILDX_", "BUILDKIT_", "LD_")
"""Beginnings of variables that no call may set for docker itself."""


@dataclass(frozen=True, slots=True)
class Work:
    """What classification leaves for execution and preview.

    Args:
        judgement: What was found, and what is to run.
        programs: The absolute path of each program; ``None`` if it is not installed.
        where: The place it was judged for.
        commands: The docker commands among it.
        projects: The compose projects whose files were judged.
    """

    judgement: Judgement
    programs: dict[str, str | None]
    where: Where
    commands: tuple[Words, ...]
    projects: tuple[Project, ...]

    @property
    def pipelines(self) -> tuple[JudgedPipeline, ...]:
        """What is to run."""
        return self.judgement.pipelines


class Judge:
    """Judges calls by the rule tables and by what their values mean.

    Args:
        rules: The rule tables of all executors, for inner commands and filters.
        site: The allowed roots, forbidden paths and closed ports.
        settings: What the operator says about Docker.
    """

    def __init__(self, rules: RuleTables, site: Site, settings: DockerSettings) -> None:
        self.book = docker_book()
        self._rules = rules
        self._settings = settings
        self._environment = clean_environment()
        places = (*site.roots, *settings.stacks)
        self._places = tuple(os.path.realpath(place) for place in places)
        self._where = Where(
            cwd=str(places[0]) if places else "/",
            home=self._environment["HOME"],
            roots=site.roots,
            forbidden=site.forbidden,
            closed_ports=site.closed_ports,
        )

    def judge(self, arguments: DockerArguments) -> Verdict:
        """Judge a call.

        Returns:
            The verdict; refused if the line is outside the grammar.

        Raises:
            PathRefused: The folder is outside the roots.
        """
        where = self._place(arguments.cwd)
        text = arguments.command
        try:
            line = _line(arguments, self.book)
        except CommandRefused as error:
            return Verdict(
                tier=Tier.RED,
                rule=error.rule,
                reason=f"{error.message} (at character {error.span[0] + 1})",
                refused=True,
                alternative=error.alternative,
                hosts=None,
                plan={"command": text or list(arguments.argv or ())},
            )
        hidden = frozenset(
            {*arguments.env_refs, *map(_variable, arguments.secret_refs)}
        )
        judged = _LineJudge(self, where, hidden)
        judged.run(line)
        return self._verdict(judged, text)

    def setting(self, where: Where) -> Setting:
        """Return what the rules of subcommands need for a place."""
        return Setting(
            where,
            Mounts(self._settings.mounts, where),
            InnerJudge(self._rules, where),
        )

    @property
    def filters(self) -> RuleBook:
        """The rule book for the programs behind a pipe."""
        return self._rules.book

    def projects(self, setting: Setting, hidden: frozenset[str]) -> ProjectJudge:
        """Return the judge of compose files for a place."""
        return ProjectJudge(setting, self._settings.stacks, self._environment, hidden)

    def _place(self, cwd: str | None) -> Where:
        if cwd is None:
            return self._where
        if "\0" in cwd or not cwd:
            raise PathRefused("cwd is not a path: name a folder inside the roots")
        folder = posixpath.normpath(posixpath.join(self._where.cwd, cwd))
        real = os.path.realpath(folder)
        if self._places and not any(
            real == place or real.startswith(place.rstrip("/") + "/")
            for place in self._places
        ):
            raise PathRefused("cwd is outside the allowed roots")
        return replace(self._where, cwd=folder)

    def _verdict(self, judged: _LineJudge, text: str | None) -> Verdict:
        judgement = judged.judgement()
        deciding = judgement.deciding
        programs = {
            stage.words[0].text: find_program(stage.words[0].text)
            for pipeline in judgement.pipelines
            for stage in pipeline.stages
        }
        work = Work(
            judgement,
            programs,
            judged.where,
            tuple(judged.docker_commands),
            tuple(judged.projects),
        )
        return Verdict(
            tier=judgement.tier,
            rule=deciding.rule,
            reason=f"{deciding.why} (command {deciding.command + 1})",
            external=judgement.external,
            refused=judgement.refused,
            alternative=deciding.alternative if deciding.tier else None,
            hosts=judgement.hosts,
            plan=_plan(work, self._settings.host),
            work=work,
            trace=tuple(_row(match, text) for match in judgement.matches),
            paths=judgement.classes,
            # What a compose file declares is no part of a class, so it gets none.
            steps=None if work.projects else steps_of(judgement, judged.where),
        )


class _LineJudge:
    """Goes through one line's commands, in their order."""

    def __init__(self, judge: Judge, where: Where, hidden: frozenset[str]) -> None:
        self.where = where
        self.docker_commands: list[Words] = []
        self.projects: list[Project] = []
        self._judge = judge
        self._hidden = hidden
        self._matches: list[Match] = []
        self._hosts: set[str] | None = set()
        self._classes: dict[str, str] = {}
        self._commands: list[JudgedCommand | None] = []
        self._pipelines: list[JudgedPipeline] = []

    def run(self, line: CommandLine) -> None:
        """Judge all of a line."""
        self._variables()
        for number, pipeline in enumerate(line.pipelines):
            stages: tuple[JudgedStage, ...] = ()
            if pipeline.stages[0].words[0].text == "cd":
                after = line.pipelines[number + 1 : number + 2]
                follows = any(next_.join == "||" for next_ in after)
                alone = len(pipeline.stages) == 1 and pipeline.join != "||"
                words = pipeline.stages[0].words
                self._change_folder(words, followed=alone and not follows)
            else:
                stages = tuple(
                    self._stage(stage.words, stage.stdin, stage.stdout, stage.stderr)
                    for stage in pipeline.stages
                )
            self._pipelines.append(
                JudgedPipeline(pipeline.join, self.where.cwd, stages)
            )

    def judgement(self) -> Judgement:
        """Return everything found."""
        return Judgement(
            matches=tuple(self._matches),
            deciding=max(self._matches, key=lambda m: (m.refused, m.tier)),
            hosts=None if self._hosts is None else tuple(sorted(self._hosts)),
            pipelines=tuple(self._pipelines),
            classes=self._classes,
            commands=tuple(self._commands),
        )

    def _variables(self) -> None:
        for name in sorted(self._hidden):
            if name.startswith(_STEERS_DOCKER) or name in ("PATH", "HOME"):
                why = f"the variable {name} steers docker itself"
                self._note(
                    Match(Tier.RED, "docker.variable", why, (0, 0), refused=True)
                )

    def _stage(
        self, words: Sequence[Word], stdin: Word | None, out: Stream, errors: Stream
    ) -> JudgedStage:
        name = words[0].text
        program = posixpath.basename(name) if find_program(name) == name else name
        if program in DOCKER:
            done = self._docker([replace(words[0], text=program), *words[1:]])
        else:
            done = self._filter(words)
        path = self._input(stdin) if stdin else None
        return JudgedStage(tuple(done.words), path, out, errors, dict(done.environment))

    def _filter(self, words: Sequence[Word]) -> JudgedCommand:
        """Judge a program that is not docker: it may only read."""
        judged = self._judge.filters.judge_words(words, self.where)
        self._take(judged)
        if any(match.tier > Tier.GREEN for match in judged.matches):
            why = "this action runs docker, and besides it only what reads"
            span = (words[0].start, words[-1].end)
            alternative = "run other programs with the action shell"
            self._note(Match(Tier.RED, "docker.other_program", why, span, alternative))
        self._commands.append(judged)
        return judged

    def _docker(self, words: list[Word]) -> JudgedCommand:
        judged = self._judge.book.judge_words(words, self.where)
        if judged.arguments is None:  # its table was left out; the health check says so
            self._take(judged)
            self._commands.append(judged)
            return judged
        command = Words(judged)
        if command.asks_for_help:
            span = (words[0].start, words[-1].end)
            judged.matches = [Match(Tier.GREEN, "docker.help", "prints help", span)]
            judged.hosts = set()
        else:
            self._look_closer(judged, command)
            self.docker_commands.append(command)
        self._take(judged)
        self._commands.append(judged)
        # A pattern means nothing to docker, so none of its words is one.
        judged.words = [replace(word, glob=False) for word in judged.words]
        judged.words = available(judged.words, command)
        return judged

    def _look_closer(self, judged: JudgedCommand, command: Words) -> None:
        """Add what the rule tables leave open to a judgement."""
        setting = self._judge.setting(self.where)
        alternative = judged.matches[0].alternative
        found: list[tuple[Found, Word | None]] = list(findings(command, setting))
        projects = self._judge.projects(setting, self._hidden)
        found += ((item, None) for item in projects.findings(command))
        self.projects += projects.read
        span = (judged.words[0].start, judged.words[-1].end)
        for item, word in found:
            if isinstance(item, Match):
                judged.matches.append(item)
                external, hosts = item.external, None
            else:
                at = (word.start, word.end) if word else span
                judged.matches.append(_match(command.name, item, at, alternative))
                external, hosts = bool(item.external), item.hosts
            if external and judged.hosts is not None:
                judged.hosts = None if hosts is None else judged.hosts | {*hosts}

    def _input(self, word: Word) -> str:
        text = self.where.home + word.text[1:] if word.tilde else word.text
        path = posixpath.normpath(posixpath.join(self.where.cwd, text))
        target = replace(word, text=path, tilde=False)
        for effect in path_effects("read", target, self.where, recursive=False):
            self._note(_match("input", effect, (word.start, word.end), None), back=1)
        return path

    def _take(self, judged: JudgedCommand) -> None:
        for match in judged.matches:
            self._note(match)
        self._classes.update(judged.classes)
        if judged.hosts is None or self._hosts is None:
            self._hosts = None
        else:
            self._hosts |= judged.hosts

    def _note(self, match: Match, *, back: int = 0) -> None:
        number = max(0, len(self._commands) - back)
        self._matches.append(replace(match, command=number))

    def _change_folder(self, words: Sequence[Word], *, followed: bool) -> None:
        span = (words[0].start, words[-1].end)
        target = words[1] if len(words) == 2 else None
        if not followed or not target or _is_unclear(target):
            why = "this form of cd cannot be followed"
            alternative = "write `cd FOLDER && ...` with a plain path, or set cwd"
            match = Match(Tier.RED, "cd", why, span, alternative, refused=True)
        else:
            text = self.where.home + target.text[1:] if target.tilde else target.text
            cwd = posixpath.normpath(posixpath.join(self.where.cwd, text))
            self.where = replace(self.where, cwd="/" + cwd.lstrip("/"))
            kind = path_class(
                cwd, cwd="/", roots=self.where.roots, forbidden=self.where.forbidden
            )
            tier = Tier.RED if kind is PathClass.SECRET else Tier.GREEN
            match = Match(tier, "cd", "goes to a folder", span)
        self._note(match)
        self._commands.append(None)


def _line(arguments: DockerArguments, book: RuleBook) -> CommandLine:
    """Read the call's words; the name ``docker`` may be left out of the first."""
    if arguments.command is not None:
        line = parse_line(arguments.command)
    else:
        line = line_from_argv(arguments.argv or ())
    docker = book.table("docker")
    first, *_ = line.stages
    word = first.words[0]
    if docker is None or (word.text not in docker.subs and word.text[0] != "-"):
        return line
    name = replace(word, text="docker", end=word.start, glob=False)
    stage = replace(first, words=(name, *first.words))
    pipeline, *others = line.pipelines
    pipeline = replace(pipeline, stages=(stage, *pipeline.stages[1:]))
    return replace(line, pipelines=(pipeline, *others))


def _match(
    rule: str, effect: Effect, span: tuple[int, int], alternative: str | None
) -> Match:
    return Match(
        tier=effect.tier,
        rule=f"{rule}.{effect.name}",
        why=effect.why,
        span=span,
        alternative=alternative,
        external=effect.external,
        refused=effect.refused,
    )


def _variable(secret: str) -> str:
    """Return the variable that a secret of ``secret_refs`` gets."""
    return re.sub(r"[^A-Za-z0-9]", "_", secret).upper()


def _is_unclear(word: Word) -> bool:
    return word.glob or word.text[:1] == "-" or "SECRET_REF(" in word.text


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


def _plan(work: Work, host: str) -> dict[str, Any]:
    """Say what will run, so that a person can judge it and a digest can bind it."""
    return {
        "docker_host": host,
        "pipelines": [
            {
                "join": pipeline.join,
                "cwd": pipeline.cwd,
                "stages": [
                    {
                        "argv": list(stage.argv),
                        "program": work.programs[stage.words[0].text],
                        "stdin": stage.stdin,
                        "stdout": str(stage.stdout),
                        "stderr": str(stage.stderr),
                        "environment": dict(stage.environment),
                    }
                    for stage in pipeline.stages
                ],
            }
            for pipeline in work.pipelines
        ],
        "line": " ".join(
            f"{pipeline.join} {_shown(pipeline)}".strip() for pipeline in work.pipelines
        ),
        **({"compose": [p.as_json() for p in work.projects]} if work.projects else {}),
        # What a file declares may change with its variables, whose values stay out.
        "rules": sorted({match.rule for match in work.judgement.matches}),
    }


def _shown(pipeline: JudgedPipeline) -> str:
    if not pipeline.stages:
        return f"cd {shlex.quote(pipeline.cwd)}"
    return " | ".join(shlex.join(stage.argv) for stage in pipeline.stages)
