"""The judgement of a line: docker commands, and what may stand beside them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from letsbe.plugin import (
    CommandLine,
    Effect,
    JudgedCommand,
    JudgedPipeline,
    JudgedStage,
    Judgement,
    Match,
    PathClass,
    RuleBook,
    RuleTables,
    Stream,
    Tier,
    Where,
    Word,
    find_program,
    path_class,
    path_effects,
)
from letsbe_executor_docker.compose import Project
from letsbe_executor_docker.inner import InnerJudge
from letsbe_executor_docker.mounts import Mounts
from letsbe_executor_docker.programs import DOCKER, available
from letsbe_executor_docker.projects import ProjectJudge
from letsbe_executor_docker.settings import DockerSettings
from letsbe_executor_docker.subcommands import Found, Setting, findings
from letsbe_executor_docker.words import Words

_STEERS_DOCKER = ("DOCKER_", "COMPOSE_", "BUILDX_", "BUILDKIT_", "LD_")
"""Beginnings of variables that no call may set for docker itself."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The rules that lines are judged by.

    Args:
        book: The rule tables of docker and compose.
        rules: Those of all executors, for inner commands and filters.
        settings: What the operator says about Docker.
        environment: The variables that docker gets of us.
    """

    book: RuleBook
    rules: RuleTables
    settings: DockerSettings
    environment: Mapping[str, str] = field(repr=False)

    def setting(self, where: Where) -> Setting:
        """Return what the rules of subcommands need for a place."""
        mounts = Mounts(self.settings.mounts, where)
        return Setting(where, mounts, InnerJudge(self.rules, where))

    def projects(self, setting: Setting, hidden: frozenset[str]) -> ProjectJudge:
        """Return the judge of compose files for a place."""
        return ProjectJudge(setting, self.settings.stacks, self.environment, hidden)


class LineJudge:
    """Goes through one line's commands, in their order.

    Args:
        ground: The rules.
        where: The place it would run in.
        hidden: The names of the call's variables, which hold secrets.
    """

    def __init__(self, ground: Ground, where: Where, hidden: frozenset[str]) -> None:
        self.where = where
        self.docker_commands: list[Words] = []
        self.projects: list[Project] = []
        self._ground = ground
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
        judged = self._ground.rules.book.judge_words(words, self.where)
        self._take(judged)
        if any(match.tier > Tier.GREEN for match in judged.matches):
            why = "this action runs docker, and besides it only what reads"
            span = (words[0].start, words[-1].end)
            alternative = "run other programs with the action shell"
            self._note(Match(Tier.RED, "docker.other_program", why, span, alternative))
        self._commands.append(judged)
        return judged

    def _docker(self, words: list[Word]) -> JudgedCommand:
        judged = self._ground.book.judge_words(words, self.where)
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
        setting = self._ground.setting(self.where)
        alternative = judged.matches[0].alternative
        found: list[tuple[Found, Word | None]] = list(findings(command, setting))
        projects = self._ground.projects(setting, self._hidden)
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


def _is_unclear(word: Word) -> bool:
    return word.glob or word.text[:1] == "-" or "SECRET_REF(" in word.text
