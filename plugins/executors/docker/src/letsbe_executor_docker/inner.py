"""The command inside a container, judged by the rule tables of all executors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from letsbe.plugin import (
    CommandLine,
    CommandRefused,
    Effect,
    Match,
    RuleTables,
    Tier,
    Where,
    Word,
    line_from_argv,
    parse_line,
)

_STEERING = re.compile(
    r"LD_.*|PATH|ENV|BASH_ENV|BASH_FUNC.*|IFS|SHELLOPTS|PS4|PROMPT_COMMAND|GCONV_PATH"
    r"|PYTHON.*|PERL.*|RUBY.*|NODE_.*|GIT_.*|SSH_.*|LESS.*|PAGER|MANPAGER|EDITOR|VISUAL"
    r"|JAVA_TOOL_OPTIONS|_?JAVA_OPTIONS|JDK_.*|CLASSPATH|PHP.*|LUA_.*|XDG_.*|HOME"
    r"|TAR_OPTIONS|GZIP|GREP_OPTIONS|RSYNC_.*|CURL_HOME|.*_PROXY|OPENSSL_CONF|PSQLRC"
)
"""Variables that make a program run or obey something else."""


class InnerJudge:
    """Judges words that run in a container.

    What ``/etc`` holds there is not what the host's holds, but the classes of paths
    stay the same: programs, configuration, secrets.

    Args:
        rules: The rule tables of all executors.
        where: The host's place, for the ports that are closed to agents.
    """

    def __init__(self, rules: RuleTables, where: Where) -> None:
        self._rules = rules
        self._where = replace(where, cwd="/", home="/root", roots=(), forbidden=())

    def words(self, words: Sequence[Word]) -> list[Match]:
        """Judge a program and its words."""
        span = (words[0].start, words[-1].end)
        try:
            line = line_from_argv([word.text for word in words])
        except CommandRefused as error:
            return [_refused(error, span)]
        return self._judged(line, span)

    def line(self, text: str, span: tuple[int, int]) -> list[Match]:
        """Judge a line that a shell in the container will read."""
        try:
            line = parse_line(text)
        except CommandRefused as error:
            return [_refused(error, span)]
        return self._judged(line, span)

    def _judged(self, line: CommandLine, span: tuple[int, int]) -> list[Match]:
        judgement = self._rules.book.judge(line, self._where)
        return [
            replace(match, why=f"{match.why}, in the container", span=span)
            for match in judgement.matches
        ]

    def variables(self, values: Sequence[Word]) -> Iterator[Effect]:
        """Judge the variables that an inner command is given."""
        for value in values:
            name = value.text.partition("=")[0]
            if _STEERING.fullmatch(name.upper()):
                why = f"sets {name}, a variable that may change what programs do"
                yield Effect(Tier.RED, "variable", why)


def _refused(error: CommandRefused, span: tuple[int, int]) -> Match:
    why = f"the command in the container is not understood: {error.message}"
    return Match(Tier.RED, error.rule, why, span, error.alternative)
