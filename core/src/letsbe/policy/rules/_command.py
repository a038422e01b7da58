"""The judgement of one command: a program with its words."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from letsbe.policy.commands import CommandRefused, Word, parse_line
from letsbe.policy.rules._arguments import Given, read_arguments
from letsbe.policy.rules._builtins import shell_word, without_shell
from letsbe.policy.rules._judged import JudgedCommand, Match, program_name
from letsbe.policy.rules._notes import Notes
from letsbe.policy.rules._path_effects import PATH_KINDS, whole_tree, without_tree
from letsbe.policy.rules._table import (
    TIER_GROUPS,
    Base,
    Flag,
    Table,
)
from letsbe.policy.rules._values import (
    assignment_effects,
    is_assignment,
    value_effects,
)
from letsbe.policy.rules._where import Effect, Where
from letsbe.policy.tiers import Tier

NESTING_LIMIT = 8
"""How many commands may stand inside one another (``timeout nice xargs ...``)."""

UNTOLD = ("\0",)
"""Stands for paths that cannot be told; no class of path is worse."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the judgement of a command is given besides its words.

    Args:
        tables: The rule tables by program.
        where: The place it would run in.
        fed_by: The paths that its standard input may name, for programs that make
            words of it.
        depth: How many commands it stands inside.
    """

    tables: Mapping[str, Table]
    where: Where
    fed_by: tuple[str, ...] = UNTOLD
    depth: int = 0

    def inner(self) -> Setting:
        """Return the setting of a command inside this one."""
        return replace(self, depth=self.depth + 1)


def judge_command(words: Sequence[Word], setting: Setting) -> JudgedCommand:
    """Judge a command.

    Args:
        words: The program and its words.
        setting: What else it depends on.

    Returns:
        Everything found.
    """
    said = words if setting.depth else without_shell(words)
    words = [_at_home(word, setting.where) for word in said]
    program = words[0]
    name = program_name(program.text)
    table = setting.tables.get(name) if name else None
    judged = JudgedCommand(list(words), table=table)
    if table is None or setting.depth > NESTING_LIMIT:
        judged.matches.append(_unknown(program, setting.depth))
        judged.hosts = None
        return judged
    return _Judge(judged, table, setting).run()


def _at_home(word: Word, where: Where) -> Word:
    if not word.tilde:
        return word
    return replace(word, text=where.home + word.text[1:], tilde=False)


def _unknown(program: Word, depth: int) -> Match:
    span = (program.start, program.end)
    if depth > NESTING_LIMIT:
        rule, why = "nesting", "commands stand too deep inside one another"
    elif "/" in program.text:
        rule, why = "program_path", "a program outside the system's folders is unknown"
    else:
        rule, why = "unknown_program", "there is no rule table for this program"
    alternative = "use a program that has a rule table, or ask a person to approve"
    why, alternative = shell_word(program.text) or (why, alternative)
    return Match(Tier.RED, rule, why, span, alternative)


class _Judge(Notes):
    """Goes through one command's words, in their order."""

    def __init__(self, judged: JudgedCommand, table: Table, setting: Setting) -> None:
        super().__init__(judged, read_arguments(judged.words, table), setting.where)
        self._setting = setting
        self._inner: list[Word] = []
        self._inner_count = 0

    def run(self) -> JudgedCommand:
        judged, arguments = self._judged, self._arguments
        judged.arguments = arguments
        table = arguments.table
        base = self._base(table)
        recursive = table.always_recursive or arguments.has(table.recursive)
        self._own(table, base)
        for owner, given in arguments.flags:
            self._flag(owner, given)
        self._operands(table, base, recursive=recursive)
        if recursive and "read" in base.operands:
            # What `grep -r --include=NAME` reads counts as if it had been named.
            for word in arguments.values_of(table.names):
                self._value(table, "read", word)
        for level in arguments.tables:
            for rule in level.escalations:
                if self.holds(rule.condition):
                    self.escalate(level, rule)
        if judged.hosts == set() and any(match.external for match in judged.matches):
            judged.hosts = None
        judged.environment.update(arguments.tables[0].environment)
        judged.words = self._hardened()
        return judged

    def _base(self, table: Table) -> Base:
        for condition, base in table.modes:
            if self.holds(condition):
                return base
        return table.base

    def _own(self, table: Table, base: Base) -> None:
        """Note the tier that the program, or its subcommand, has by itself."""
        arguments = self._arguments
        if arguments.unknown_sub:
            why = "this subcommand is not in the rule table"
            effect = Effect(Tier.RED, "unknown_subcommand", why, hosts=None)
            self.found(table, effect, arguments.unknown_sub)
            return
        tier = base.tier
        if base.bare is not None and not arguments.operands:
            tier = max(tier, base.bare)
        end = self._judged.words[arguments.sub_places[-1] - 1].end
        self._judged.matches.append(
            Match(
                tier=tier,
                rule=table.name,
                why=base.why,
                span=(self._program.start, end),
                alternative=table.alternative,
                external=base.external or tier is Tier.YELLOW_EXTERNAL,
                refused=base.refused,
            )
        )

    def _flag(self, table: Table, given: Given) -> None:
        flag = given.flag
        if flag is None:
            if not table.harmless_unlisted:
                why = "this flag is not in the rule table"
                self.found(table, Effect(Tier.RED, "unknown_flag", why), given.word)
        elif flag.until_semicolon:
            self._command_of_flag(table, flag, given)
        elif flag.group == "command" and given.values:
            self._line_of_flag(table, given)
        elif given.values:
            if flag.group in PATH_KINDS:
                self.note_path(given.values[0])
            self._value(table, flag.group, given.values[0], flag)
        elif flag.group in _SAYS_ITSELF:
            self._value(table, flag.group, given.word, flag)

    def _value(
        self,
        table: Table,
        kind: str,
        word: Word,
        flag: Flag | None = None,
        *,
        recursive: bool = False,
    ) -> None:
        """Note what one word does, under the flag's name if it is a flag's value."""
        for effect in value_effects(kind, word, self._where, recursive=recursive):
            name, why = effect.name, effect.why
            if flag:
                why = f"{flag.name} {why}"
                if name == kind and kind in TIER_GROUPS:
                    name = flag.name.lstrip("-") or flag.name
            better = (flag and table.because.get(flag.name)) or table.because.get(name)
            self.found(table, replace(effect, name=name, why=better or why), word)

    def _command_of_flag(self, table: Table, flag: Flag, given: Given) -> None:
        """Judge the command of ``find -exec``; ``{}`` stands for what is found."""
        if not given.values or flag.group != "command":
            effect = Effect(Tier.RED, "exec", f"{flag.name} runs a program")
            self.found(table, effect, given.word)
            return
        paths = self._found_paths(table)
        words = [_placeholder(word, "{}", paths) for word in given.values]
        inner = judge_command(words, self._setting.inner())
        if [word.text for word in inner.words] != [word.text for word in words]:
            # What hardens this program is not added inside another one.
            why = f"{flag.name} runs a program that is not hardened here"
            self.found(table, Effect(Tier.YELLOW, "exec", why), given.word)
        self.take_in(inner)

    def _line_of_flag(self, table: Table, given: Given) -> None:
        """Judge the line that a flag such as ``-c`` hands to a shell."""
        place = (given.word.start, given.word.end)
        try:
            stages = parse_line(given.values[0].text).stages
        except CommandRefused as error:
            self.found(table, Effect(Tier.RED, "command", error.message), given.word)
            return
        for stage in stages:
            inner = judge_command(stage.words, self._setting.inner())
            inner.matches = [replace(match, span=place) for match in inner.matches]
            self.take_in(inner)

    def _found_paths(self, table: Table) -> tuple[str, ...]:
        starts = [word.text for word in self._arguments.operands] or ["."]
        names = [word.text for word in self._arguments.values_of(table.names)]
        below = [posixpath.join(start, name) for start in starts for name in names]
        # Without a name to pick by, everything below may be meant.
        return (*starts, *below) if below else tuple(map(whole_tree, starts))

    def _operands(self, table: Table, base: Base, *, recursive: bool) -> None:
        operands = list(self._arguments.operands)
        if base.most is not None and len(operands) > base.most:
            why = "there are more operands than the rule table knows"
            self.found(table, Effect(Tier.RED, "operand", why), operands[base.most])
        while base.operands[0] == "assignment" and operands:
            if not is_assignment(operands[0]):
                break
            for effect in assignment_effects(operands[0]):
                self.found(table, effect, operands[0])
            operands.pop(0)
        skipped = 1 if self._arguments.has(table.shift) else 0
        for place, word in enumerate(operands):
            kind = self._kind(table, base, place + skipped, len(operands) + skipped)
            if kind in ("command", "assignment"):
                self._wrapped(table, operands[place:])
                return
            if kind in PATH_KINDS or kind in ("remote", "remote_write"):
                self.note_path(word)
            self._value(table, kind, word, recursive=recursive)

    def _kind(self, table: Table, base: Base, place: int, count: int) -> str:
        is_last = place == count - 1 and count > 1
        if base.last and is_last and not self._arguments.has(table.unless):
            return base.last
        return base.operands[min(place, len(base.operands) - 1)]

    def _wrapped(self, table: Table, words: list[Word]) -> None:
        """Judge the command inside a wrapper; the wrapper's own tier is a floor."""
        self._inner_count = len(words)
        if table.appends is None:
            inner = judge_command(words, self._setting.inner())
        else:
            inner = self._fed(table.appends, words)
            if inner.table and not _input_is_operands(inner):
                why = "the input can add flags to a program that has risky ones"
                effect = Effect(inner.table.worst_flag, "flags", why)
                self.found(table, effect, words[0])
        self._inner = [word for word in inner.words if word.text != "\0"]
        self.take_in(inner)

    def _fed(self, marks: frozenset[str], words: list[Word]) -> JudgedCommand:
        """Judge a command together with the words that a wrapper adds to it.

        Where the program's table allows it, ``--`` goes before them, so that no word
        of the input can become a flag.
        """
        paths, setting = self._setting.fed_by, self._setting.inner()
        if self._arguments.has(marks):
            given = self._arguments.values_of(marks)
            mark = (given[0].text if given else "") or "{}"
            place = next((n for n, w in enumerate(words) if mark in w.text), len(words))
            fed = [_placeholder(word, mark, paths) for word in words]
        else:
            place = len(words)
            fed = [*words, Word("\0", -1, -1, stands_for=paths)]
        table = self._setting.tables.get(program_name(words[0].text) or "")
        later_flags = any(word.text.startswith("-") for word in words[place:])
        if table and table.terminated and place and not later_flags:
            ended = [*fed[:place], Word("--"), *fed[place:]]
            inner = judge_command(ended, setting)
            if _input_is_operands(inner):
                return inner
        return judge_command(fed, setting)

    def _hardened(self) -> list[Word]:
        """Return the words to run, with what the tables add after each name."""
        arguments, words = self._arguments, self._judged.words
        own = words[: len(words) - self._inner_count]
        levels = dict(zip(arguments.sub_places, arguments.tables, strict=True))
        result: list[Word] = []
        for number, word in enumerate(own, start=1):
            literal = word.glob and word.start not in self._path_places
            result.append(replace(word, glob=False) if literal else word)
            if number in levels:
                result.extend(Word(text) for text in levels[number].inject)
        return result + self._inner


_SAYS_ITSELF = frozenset(TIER_GROUPS) | {"exec", "send", "upload", "command"}


def _input_is_operands(inner: JudgedCommand) -> bool:
    """Tell whether no word added at the end can be taken for a flag."""
    arguments = inner.arguments
    if arguments is None:
        return False
    if arguments.table.style == "posix":
        return any(word.text not in ("", "\0") for word in arguments.operands)
    taken = [*arguments.operands]
    taken.extend(value for _, given in arguments.flags for value in given.values)
    ended = any(word.text == "--" for word in inner.words)
    return ended and not any(word.text == "--" for word in taken)


def _placeholder(word: Word, mark: str, paths: Iterable[str]) -> Word:
    if mark not in word.text:
        return word
    if word.text == mark:
        return replace(word, stands_for=tuple(paths))
    stands_for = tuple(word.text.replace(mark, without_tree(path)) for path in paths)
    return replace(word, stands_for=stands_for)
