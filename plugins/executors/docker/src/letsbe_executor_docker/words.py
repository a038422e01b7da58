"""A docker command as its rule table read it, asked by flag."""

from __future__ import annotations

from collections.abc import Iterator

from letsbe.plugin import JudgedCommand, Word


class Words:
    """The flags and operands of one docker command.

    Args:
        judged: The command, judged by the rule tables.
    """

    def __init__(self, judged: JudgedCommand) -> None:
        arguments = judged.arguments
        if arguments is None:
            raise ValueError("not a command with a rule table")
        self._arguments = arguments
        self.name: str = arguments.table.name
        """The subcommand: ``docker.run``, ``docker-compose.up``."""
        self.operands: list[Word] = arguments.operands

    def values(self, *names: str) -> list[Word]:
        """Return the values of some flags of the subcommand, in their order."""
        return [
            value for _, name, values in self.given() if name in names
            for value in values
        ]  # fmt: skip

    def has(self, *names: str) -> bool:
        """Tell whether the subcommand has one of some flags."""
        return any(name in names for _, name, _ in self.given())

    def given(self) -> Iterator[tuple[Word, str, tuple[Word, ...]]]:
        """Yield the subcommand's flags: the word, the name, the values."""
        for table, given in self._arguments.flags:
            if given.flag and table is self._arguments.table:
                yield given.word, given.flag.name, given.values

    def globals(self, program: str) -> Iterator[tuple[Word, str, tuple[Word, ...]]]:
        """Yield the flags before the subcommand of docker or of compose."""
        for table, given in self._arguments.flags:
            if given.flag and table.name == program:
                yield given.word, given.flag.name, given.values

    @property
    def compose_at(self) -> int | None:
        """How many words come before those of compose; ``None`` if it is not asked."""
        for place, table in zip(
            self._arguments.sub_places, self._arguments.tables, strict=True
        ):
            if table.name == "docker-compose":
                return place
        return None

    @property
    def asks_for_help(self) -> bool:
        """Whether all that happens is that help is printed."""
        flags = [given.flag for _, given in self._arguments.flags]
        if None in flags or self._arguments.unknown_sub:
            return False
        return any(
            flag.name in ("--help", "-h") and not flag.values for flag in flags if flag
        )
