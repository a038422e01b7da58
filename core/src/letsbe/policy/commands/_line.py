"""The parser: pipelines of stages, joined by ``&&``, ``||`` and ``;``."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from letsbe.policy.commands._errors import CommandRefused
from letsbe.policy.commands._words import (
    REFERENCE,
    Operator,
    Word,
    check_characters,
    tokens,
)

LENGTH_LIMIT = 4000
"""The most characters of a line; a longer one is refused, never cut."""
COMMAND_LIMIT = 50
"""The most commands of a line."""

Join = Literal["", "&&", "||", ";"]
_JOINS: dict[str, Join] = {"&&": "&&", "||": "||"}

_DUPLICATES = re.compile(r"[0-9]*>&[0-9]+")
_BOTH = frozenset({"&>", "&>>", ">&"})
_OUTPUTS = frozenset({">", "1>", ">>", "1>>", ">|", "1>|"})
_ERRORS = frozenset({"2>", "2>>", "2>|"})

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_KEYWORDS = frozenset(
    {
        "!",
        "[[",
        "]]",
        "case",
        "coproc",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "fi",
        "for",
        "function",
        "if",
        "in",
        "select",
        "then",
        "until",
        "while",
    }
)


class Stream(enum.StrEnum):
    """Where a stage's output or error output goes."""

    OUTPUT = "output"
    ERROR = "error"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Stage:
    """One program with its words.

    Args:
        words: The program and its arguments; at least one.
        stdin: The file of ``<file``, if there is one.
        stdout: Where its output goes: on (to the pipe or the answer) or discarded.
        stderr: Where its error output goes.
    """

    words: tuple[Word, ...]
    stdin: Word | None = None
    stdout: Stream = Stream.OUTPUT
    stderr: Stream = Stream.ERROR

    @property
    def argv(self) -> tuple[str, ...]:
        """The words' texts."""
        return tuple(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages connected by pipes.

    Args:
        stages: At least one.
        join: The operator before it; empty for the first.
    """

    stages: tuple[Stage, ...]
    join: Join = ""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A whole line.

    Args:
        pipelines: At least one, in their order.
    """

    pipelines: tuple[Pipeline, ...]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages of all pipelines."""
        return tuple(stage for line in self.pipelines for stage in line.stages)


def line_from_argv(argv: Sequence[str]) -> CommandLine:
    """Take words that need no reading: one program with its arguments.

    Args:
        argv: The words. Spans are the words' numbers.

    Returns:
        A line of one stage.

    Raises:
        CommandRefused: There is no word, a limit is passed, or a word holds NUL or
            characters that cannot be seen.
    """
    if not argv or not argv[0]:
        raise _empty((0, 0))
    if sum(map(len, argv)) > LENGTH_LIMIT:
        raise _too_long(LENGTH_LIMIT)
    for word in argv:
        check_characters(word)
    words = tuple(Word(text, n, n + 1) for n, text in enumerate(argv))
    _check_program(words[0])
    return CommandLine((Pipeline((Stage(words),)),))


def parse_line(text: str) -> CommandLine:
    """Read a command line.

    Args:
        text: The line, at most :data:`LENGTH_LIMIT` characters.

    Returns:
        What it says.

    Raises:
        CommandRefused: It is outside the grammar or beyond a limit.
    """
    if len(text) > LENGTH_LIMIT:
        raise _too_long(LENGTH_LIMIT)
    check_characters(text)
    reader = _LineReader(text)
    for token in tokens(text):
        reader.take(token)
    return reader.finish()


class _LineReader:
    """Puts tokens together; one method per kind of token."""

    def __init__(self, text: str) -> None:
        self._end = len(text)
        self._pipelines: list[Pipeline] = []
        self._stages: list[Stage] = []
        self._words: list[Word] = []
        self._stage = Stage(())
        self._join: Join = ""
        self._redirection: Operator | None = None
        self._count = 0

    def take(self, token: Word | Operator) -> None:
        if isinstance(token, Word):
            if self._redirection:
                self._redirect(self._redirection, token)
                self._redirection = None
            else:
                self._words.append(token)
        elif self._redirection:
            raise _bad_redirection(self._redirection)
        elif token.text == "\n" and not self._words:
            self._blank_line(token)
        elif _DUPLICATES.fullmatch(token.text):
            self._duplicate(token)
        elif "<" in token.text or ">" in token.text:
            self._redirection = token
        elif token.text == "|&":
            self._stage = replace(self._stage, stderr=self._stage.stdout)
            self._end_stage(token)
        elif token.text == "|":
            self._end_stage(token)
        else:
            self._end_pipeline(token)

    def _blank_line(self, token: Operator) -> None:
        """Pass over a line break where no command has begun: bash reads on."""
        if self._stage != Stage(()):
            raise _empty((token.start, token.end))

    def finish(self) -> CommandLine:
        if self._redirection:
            raise _bad_redirection(self._redirection)
        closing = Operator("", self._end, self._end)
        # As in bash, one ; may end the line.
        begun = self._words or self._stages or self._stage != Stage(())
        if begun or self._join != ";":
            self._end_pipeline(closing)
        return CommandLine(tuple(self._pipelines))

    def _end_stage(self, operator: Operator) -> None:
        if not self._words:
            raise _empty((operator.start, operator.end))
        _check_program(self._words[0])
        self._count += 1
        if self._count > COMMAND_LIMIT:
            raise CommandRefused(
                "grammar.too_many_commands",
                f"a line may hold {COMMAND_LIMIT} commands",
                (operator.start, operator.end),
                "split it into several calls",
            )
        self._stages.append(replace(self._stage, words=tuple(self._words)))
        self._words = []
        self._stage = Stage(())

    def _end_pipeline(self, operator: Operator) -> None:
        self._end_stage(operator)
        self._pipelines.append(Pipeline(tuple(self._stages), self._join))
        self._stages = []
        self._join = _JOINS.get(operator.text, ";")

    def _redirect(self, operator: Operator, target: Word) -> None:
        if operator.text == "<":
            if target.glob or self._stage.stdin:
                raise _bad_redirection(operator)
            self._stage = replace(self._stage, stdin=target)
            return
        if target.text != "/dev/null" or operator.text not in (
            _BOTH | _OUTPUTS | _ERRORS
        ):
            raise CommandRefused(
                "grammar.redirection",
                "output can be redirected to /dev/null only",
                (operator.start, target.end),
                "write files with file_write; the answer holds output and error "
                "output apart",
            )
        if operator.text not in _ERRORS:
            self._stage = replace(self._stage, stdout=Stream.DISCARDED)
        if operator.text not in _OUTPUTS:
            self._stage = replace(self._stage, stderr=Stream.DISCARDED)

    def _duplicate(self, operator: Operator) -> None:
        """Point one stream where the other goes at this moment, as bash does."""
        if operator.text == "2>&1":
            self._stage = replace(self._stage, stderr=self._stage.stdout)
        elif operator.text in (">&2", "1>&2"):
            self._stage = replace(self._stage, stdout=self._stage.stderr)
        else:
            raise _bad_redirection(operator)


def _check_program(word: Word) -> None:
    span = (word.start, word.end)
    if word.text in _KEYWORDS:
        raise CommandRefused(
            "grammar.keyword",
            "this word belongs to the shell's own language",
            span,
            "run the commands one by one; there is no shell that has loops",
        )
    if word.glob or word.tilde:
        raise CommandRefused(
            "grammar.program",
            "the program's name holds a wildcard",
            span,
            "write the program's name",
        )
    if _ASSIGNMENT.match(word.text):
        raise CommandRefused(
            "grammar.assignment",
            "a variable is set before the program",
            span,
            "use `env NAME=value program ...`, or env_refs for secrets",
        )
    if REFERENCE.search(word.text):
        raise CommandRefused(
            "grammar.program",
            "a secret cannot name the program",
            span,
            "write the program's name",
        )


def _empty(span: tuple[int, int]) -> CommandRefused:
    return CommandRefused(
        "grammar.empty",
        "a command is missing here",
        span,
        "write a program and its arguments",
    )


def _too_long(limit: int) -> CommandRefused:
    return CommandRefused(
        "grammar.too_long",
        f"a command line may hold {limit} characters",
        (limit, limit),
        "split it into several calls, or write long text with file_write",
    )


def _bad_redirection(operator: Operator) -> CommandRefused:
    return CommandRefused(
        "grammar.redirection",
        "this redirection is not understood",
        (operator.start, operator.end),
        "use <file, >/dev/null, 2>/dev/null or 2>&1; write files with file_write",
    )
