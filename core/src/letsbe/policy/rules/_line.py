"""The judgement of a whole line: its commands, its folders, its pipes."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from letsbe.policy.commands import CommandLine, Pipeline, Stage, Stream, Word
from letsbe.policy.paths import PathClass, normal_path, path_class
from letsbe.policy.rules._command import UNTOLD, Setting, judge_command
from letsbe.policy.rules._judged import JudgedCommand, Match
from letsbe.policy.rules._path_effects import path_effects, whole_tree
from letsbe.policy.rules._table import Table
from letsbe.policy.rules._where import Where
from letsbe.policy.tiers import Tier


@dataclass(frozen=True, slots=True)
class JudgedStage:
    """One program to start, as it was judged.

    Args:
        words: The program and its words; a word's ``glob`` says to expand it.
        stdin: The absolute path of its input; ``None`` for the pipe or nothing.
        stdout: Where its output goes.
        stderr: Where its error output goes.
        environment: Variables that harden it.
    """

    words: tuple[Word, ...]
    stdin: str | None
    stdout: Stream
    stderr: Stream
    environment: Mapping[str, str]

    @property
    def argv(self) -> tuple[str, ...]:
        """The words' texts."""
        return tuple(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class JudgedPipeline:
    """Programs connected by pipes, as they were judged.

    Args:
        join: The operator before it: nothing, ``&&``, ``||`` or ``;``.
        cwd: The folder they start in.
        stages: The programs; none for ``cd``, which only has to be possible.
    """

    join: str
    cwd: str
    stages: tuple[JudgedStage, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that was found about a line.

    Args:
        matches: Every rule met, in the order of the line.
        deciding: The match that decided: refused first, then the strictest.
        hosts: The hosts contacted, sorted; ``None`` if they cannot be known.
        pipelines: What is to run.
        classes: The paths among the operands with their classes.
        commands: Each command with its words as its table reads them, by the number
            that matches have; ``None`` for ``cd``.
    """

    matches: tuple[Match, ...]
    deciding: Match
    hosts: tuple[str, ...] | None
    pipelines: tuple[JudgedPipeline, ...]
    classes: Mapping[str, str]
    commands: tuple[JudgedCommand | None, ...] = ()

    @property
    def tier(self) -> Tier:
        """The strictest tier of all commands."""
        return max(match.tier for match in self.matches)

    @property
    def external(self) -> bool:
        """Whether some command reaches the outside."""
        return any(match.external for match in self.matches)

    @property
    def refused(self) -> bool:
        """Whether some command is not run, whoever approves."""
        return any(match.refused for match in self.matches)


def judge_line(
    line: CommandLine, tables: Mapping[str, Table], where: Where
) -> Judgement:
    """Judge a line.

    Args:
        line: The line, read.
        tables: The rule tables by program.
        where: The place it would run in.

    Returns:
        Everything found. The tier is the maximum over all commands.
    """
    return _LineJudge(tables, where).run(line)


class _LineJudge:
    def __init__(self, tables: Mapping[str, Table], where: Where) -> None:
        self._tables = tables
        self._where = where
        self._matches: list[Match] = []
        self._hosts: set[str] | None = set()
        self._classes: dict[str, str] = {}
        self._commands: list[JudgedCommand | None] = []
        self._count = 0

    def run(self, line: CommandLine) -> Judgement:
        pipelines = []
        for number, pipeline in enumerate(line.pipelines):
            if pipeline.stages[0].words[0].text == "cd":
                after = line.pipelines[number + 1 : number + 2]
                self._change_folder(pipeline, after)
                judged: tuple[JudgedStage, ...] = ()
                self._count += len(pipeline.stages)
                self._commands.extend([None] * len(pipeline.stages))
            else:
                judged = self._stages(pipeline.stages)
            pipelines.append(JudgedPipeline(pipeline.join, self._where.cwd, judged))
        deciding = max(self._matches, key=lambda m: (m.refused, m.tier))
        return Judgement(
            tuple(self._matches),
            deciding,
            None if self._hosts is None else tuple(sorted(self._hosts)),
            tuple(pipelines),
            self._classes,
            tuple(self._commands),
        )

    def _stages(self, stages: Sequence[Stage]) -> tuple[JudgedStage, ...]:
        judged: list[JudgedStage] = []
        commands: list[JudgedCommand] = []
        for stage in stages:
            setting = Setting(self._tables, self._where, _fed_by(commands))
            command = judge_command(stage.words, setting)
            commands.append(command)
            self._take(command, self._input(stage))
            judged.append(
                JudgedStage(
                    tuple(command.words),
                    self._input_path(stage),
                    stage.stdout,
                    stage.stderr,
                    command.environment,
                )
            )
        return tuple(judged)

    def _take(self, command: JudgedCommand, found: list[Match]) -> None:
        matches = [*command.matches, *found]
        self._matches.extend(replace(m, command=self._count) for m in matches)
        self._count += 1
        self._commands.append(command)
        self._classes.update(command.classes)
        if command.hosts is None or self._hosts is None:
            self._hosts = None
        else:
            self._hosts |= command.hosts

    def _input(self, stage: Stage) -> list[Match]:
        word = stage.stdin
        if word is None:
            return []
        path = replace(word, text=self._input_path(stage) or "", tilde=False)
        return [
            Match(
                e.tier,
                f"input.{e.name}",
                e.why,
                (word.start, word.end),
                refused=e.refused,
            )
            for e in path_effects("read", path, self._where, recursive=False)
        ]

    def _input_path(self, stage: Stage) -> str | None:
        return self._path(stage.stdin) if stage.stdin else None

    def _path(self, word: Word) -> str:
        text = self._where.home + word.text[1:] if word.tilde else word.text
        return normal_path(text, self._where.cwd)

    def _change_folder(self, pipeline: Pipeline, after: Sequence[Pipeline]) -> None:
        """Follow ``cd FOLDER``; the executor ends the line if it is not possible."""
        words = pipeline.stages[0].words
        span = (words[0].start, words[-1].end)
        followed = (
            len(pipeline.stages) == 1
            and len(words) <= 2
            and not any(next_.join == "||" for next_ in after)
            and pipeline.join != "||"
            and not (words[1:] and _is_unclear(words[1]))
        )
        if not followed:
            why = "this form of cd cannot be followed"
            match = Match(
                Tier.RED,
                "cd",
                why,
                span,
                "write `cd FOLDER && ...` with a plain path, or set cwd",
                refused=True,
            )
            self._matches.append(replace(match, command=self._count))
            return
        cwd = self._path(words[1]) if words[1:] else self._where.home
        kind = path_class(
            cwd, cwd="/", roots=self._where.roots, forbidden=self._where.forbidden
        )
        tier = Tier.RED if kind is PathClass.SECRET else Tier.GREEN
        why = "goes to a folder that holds secrets" if tier else "goes to a folder"
        self._matches.append(Match(tier, "cd", why, span, command=self._count))
        self._where = replace(self._where, cwd=cwd)


def _is_unclear(word: Word) -> bool:
    return word.glob or word.text[:1] == "-" or "SECRET_REF(" in word.text


def _fed_by(commands: Sequence[JudgedCommand]) -> tuple[str, ...]:
    """Return the paths that the output of a pipe names; untold if it may be others."""
    for command in reversed(commands):
        table, arguments = command.table, command.arguments
        if table is None or arguments is None:
            return UNTOLD
        inner = arguments.table
        # The first operand may be what is searched for: grep, rg.
        skipped = inner.base.operands[0] not in ("read", "list", "revision")
        first = 1 if skipped and not arguments.has(inner.shift) else 0
        files = arguments.operands[first:]
        if inner.emits or arguments.has(inner.emits_with):
            if any(match.tier > Tier.GREEN for match in command.matches):
                return UNTOLD
            starts = [word.text for word in files] or ["."]
            names = [word.text for word in arguments.values_of(inner.names)]
            below = [posixpath.join(start, name) for start in starts for name in names]
            return (*starts, *below) if below else tuple(map(whole_tree, starts))
        # A filter passes its input on when it reads no file of its own.
        if not inner.filter or files:
            return UNTOLD
    return UNTOLD
