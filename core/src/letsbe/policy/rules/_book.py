"""The rule book: all tables of an executor, loaded, checked and asked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from letsbe.policy.commands import CommandLine, CommandRefused, Word, parse_line
from letsbe.policy.rules._command import Setting, judge_command
from letsbe.policy.rules._compile import compile_table
from letsbe.policy.rules._judged import JudgedCommand
from letsbe.policy.rules._line import Judgement, judge_line
from letsbe.policy.rules._table import Table, TableError
from letsbe.policy.rules._where import Where
from letsbe.policy.tiers import Tier

EXAMPLE_PLACE = Where(
    cwd="/srv/work",
    home="/home/agent",
    roots=(Path("/srv/work"),),
    forbidden=(Path("/var/lib/letsbe"),),
    closed_ports=frozenset({8100, 8200, 18789}),
)
"""Where the examples of rule tables are judged."""

_EXPECTATIONS = frozenset({*(str(tier) for tier in Tier)}) | {
    "not_green",
    "external",
    "refused",
}


class RuleBook:
    """Rule tables by program.

    Args:
        tables: The tables by each name their program has.
        problems: One line for each table that was left out.
    """

    def __init__(
        self, tables: Mapping[str, Table], problems: Iterable[str] = ()
    ) -> None:
        self._tables = dict(tables)
        self.problems = tuple(problems)

    @classmethod
    def load(cls, folders: Iterable[Path]) -> RuleBook:
        """Read every table of some folders and keep those whose examples hold.

        A table of a wrong form, two tables for one program, or an example that does
        not get its tier leave that program without a table, so it is RED; the others
        are not affected. :attr:`problems` says why.

        Args:
            folders: Folders with one ``PROGRAM.toml`` for each program.
        """
        tables, problems = _compiled(folders)
        book = cls(tables)
        for table in {id(table): table for table in tables.values()}.values():
            failures = list(book.failures([table.name]))
            if failures:
                problems.extend(failures)
                for name in (table.name, *table.aliases):
                    tables.pop(name, None)
        return cls(tables, problems)

    @classmethod
    def read(cls, folders: Iterable[Path]) -> RuleBook:
        """Read every table of some folders without judging the examples.

        Raises:
            TableError: A table's form is wrong, or two claim one program.
        """
        tables, problems = _compiled(folders)
        if problems:
            raise TableError("; ".join(problems))
        return cls(tables)

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that have a table, sorted."""
        return tuple(sorted(self._tables))

    def table(self, program: str) -> Table | None:
        """Return a program's table, if it has one."""
        return self._tables.get(program)

    def judge(self, line: CommandLine, where: Where) -> Judgement:
        """Judge a command line.

        Args:
            line: The line, as the grammar read it.
            where: The place it would run in.

        Returns:
            The tier, the rule that decided, and what is to run.
        """
        return judge_line(line, self._tables, where)

    def judge_words(self, words: Sequence[Word], where: Where) -> JudgedCommand:
        """Judge one command, for those who have more to say about its words.

        Args:
            words: The program and its words.
            where: The place it would run in.

        Returns:
            Every rule met, and the words as the program's table reads them.
        """
        return judge_command(words, Setting(self._tables, where))

    def failures(self, programs: Iterable[str] = ()) -> Iterator[str]:
        """Judge the examples of tables.

        Args:
            programs: The programs to check; all, if there is none.

        Yields:
            One line for each example that does not get what its table says.
        """
        chosen = list(programs) or self._tables
        for table in {id(t): t for t in map(self._tables.__getitem__, chosen)}.values():
            for expected, lines in table.examples.items():
                if expected not in _EXPECTATIONS:
                    yield f"{table.name}: unknown kind of example {expected!r}"
                    continue
                for text in lines:
                    got = self._meets(text, expected)
                    if got:
                        yield f"{table.name}: `{text}` is {got}, not {expected}"

    def _meets(self, text: str, expected: str) -> str | None:
        """Return what an example got instead; ``None`` if it got what it should."""
        try:
            judgement = self.judge(parse_line(text), EXAMPLE_PLACE)
        except CommandRefused as error:
            return None if expected in ("refused", "not_green") else error.rule
        met = {
            "refused": judgement.refused,
            "external": judgement.external,
            "not_green": judgement.tier > Tier.GREEN,
        }.get(expected, str(judgement.tier) == expected)
        return None if met else f"{judgement.tier} by {judgement.deciding.rule}"


def _compiled(folders: Iterable[Path]) -> tuple[dict[str, Table], list[str]]:
    tables: dict[str, Table] = {}
    problems: list[str] = []
    claimed: set[str] = set()
    for path in sorted(path for folder in folders for path in folder.glob("*.toml")):
        try:
            table = compile_table(path.stem, _document(path))
        except TableError as error:
            problems.append(error.message)
            continue
        for name in (path.stem, *table.aliases):
            if name in claimed:
                problems.append(f"two rule tables claim the program {name}")
                tables.pop(name, None)
            else:
                claimed.add(name)
                tables[name] = table
    return tables, problems


def _document(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        message = f"rule table {path.name} cannot be read"
        raise TableError(message) from None
    except tomllib.TOMLDecodeError as error:
        message = f"rule table {path.name} is not valid TOML: {error}"
        raise TableError(message) from None
