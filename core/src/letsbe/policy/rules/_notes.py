"""What is noted about a command while its words are gone through."""

from __future__ import annotations

import re
from collections.abc import Iterable

from letsbe.policy.commands import Word
from letsbe.policy.rules._arguments import Arguments
from letsbe.policy.rules._judged import JudgedCommand, Match
from letsbe.policy.rules._path_effects import classes_of
from letsbe.policy.rules._table import Condition, Escalation, Table
from letsbe.policy.rules._where import Effect, Where


class Notes:
    """Collects what is found about one command.

    Args:
        judged: Where it is collected.
        arguments: The command's words, read by its table.
        where: The place it would run in.
    """

    def __init__(
        self, judged: JudgedCommand, arguments: Arguments, where: Where
    ) -> None:
        self._judged = judged
        self._arguments = arguments
        self._where = where
        self._program = judged.words[0]
        self._path_places: set[int] = set()

    def take_in(self, inner: JudgedCommand) -> None:
        """Take over what was found about a command inside this one."""
        judged = self._judged
        judged.matches.extend(inner.matches)
        judged.environment.update(inner.environment)
        judged.classes.update(inner.classes)
        self.add_hosts(None if inner.hosts is None else tuple(inner.hosts))

    def add_hosts(self, hosts: tuple[str, ...] | None) -> None:
        """Note the hosts contacted; ``None`` makes them unknown for good."""
        if hosts is None or self._judged.hosts is None:
            self._judged.hosts = None
        else:
            self._judged.hosts.update(hosts)

    def note_path(self, word: Word) -> None:
        """Note a path operand with its classes; its globs are to be expanded."""
        self._path_places.add(word.start)
        classes = " ".join(sorted(classes_of(word, self._where)))
        for path in word.stands_for or (word.text,):
            self._judged.classes[path] = classes

    def holds(self, condition: Condition) -> bool:
        """Tell whether a table's condition holds for these words."""
        arguments = self._arguments
        if condition.flags and not arguments.has(condition.flags):
            return False
        if arguments.has(condition.without):
            return False
        if len(arguments.operands) < condition.operands:
            return False
        if condition.value and not _some(
            condition.value, arguments.values_of(condition.flags)
        ):
            return False
        if condition.operand and not _some(condition.operand, arguments.operands):
            return False
        return condition.path_class is None or any(
            condition.path_class in classes_of(word, self._where)
            for word in arguments.operands
        )

    def escalate(self, table: Table, rule: Escalation) -> None:
        """Note a ``[[when]]`` that holds."""
        hosts = None if rule.hosts_unknown else ()
        effect = Effect(
            rule.tier, rule.rule, rule.why, rule.external, rule.refused, hosts
        )
        self.found(table, effect, self._program)

    def found(self, table: Table, effect: Effect, word: Word) -> None:
        """Note an effect as a match of a table's rule."""
        self._judged.matches.append(
            Match(
                tier=effect.tier,
                rule=f"{table.name}.{effect.name}",
                why=effect.why,
                span=(word.start, word.end),
                alternative=table.alternative,
                external=effect.external,
                refused=effect.refused,
            )
        )
        self.add_hosts(effect.hosts)


def _some(pattern: re.Pattern[str], words: Iterable[Word]) -> bool:
    return any(pattern.fullmatch(word.text) for word in words)
