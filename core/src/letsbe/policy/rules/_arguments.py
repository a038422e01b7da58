"""Reading a program's words by its table: flags with their values, and operands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from letsbe.policy.commands import Word
from letsbe.policy.rules._table import Flag, Table

_NUMERIC = re.compile(r"-[0-9]+")


@dataclass(frozen=True, slots=True)
class Given:
    """A flag as it was given.

    Args:
        flag: The table's flag; ``None`` if the table has none of that name.
        word: The word it stands in.
        values: Its values; a value attached to the flag keeps the word's place.
    """

    flag: Flag | None
    word: Word
    values: tuple[Word, ...] = ()


@dataclass(slots=True)
class Arguments:
    """A program's words, read.

    Args:
        tables: The program's table, then those of its subcommands, outermost first.
        flags: The flags with the table that was being read when each was met.
        operands: What is neither flag nor value nor subcommand.
        sub_places: How many words come up to and with each table's own name.
        unknown_sub: A word that should have been a subcommand and is none.
    """

    tables: list[Table]
    flags: list[tuple[Table, Given]] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)
    sub_places: list[int] = field(default_factory=lambda: [1])
    unknown_sub: Word | None = None

    @property
    def table(self) -> Table:
        """The innermost table: the subcommand's, if there is one."""
        return self.tables[-1]

    def has(self, names: frozenset[str]) -> bool:
        """Tell whether one of some flags was given."""
        return any(given.flag and given.flag.name in names for _, given in self.flags)

    def values_of(self, names: frozenset[str]) -> list[Word]:
        """Return the values of some flags; none for a flag given without value."""
        return [
            value
            for _, given in self.flags
            if given.flag and given.flag.name in names
            for value in given.values
        ]


def read_arguments(words: Sequence[Word], table: Table) -> Arguments:
    """Read a program's words.

    Args:
        words: The program and its words.
        table: The program's table.

    Returns:
        Flags, operands and the subcommands met.
    """
    return _Reader(words, table).read()


class _Reader:
    def __init__(self, words: Sequence[Word], table: Table) -> None:
        self._words = words
        self._place = 1
        self._result = Arguments([table])
        self._only_operands = False

    def read(self) -> Arguments:
        result = self._result
        if result.table.bundle is not None and len(self._words) > 1:
            self._bundle(result.table.bundle)
        while self._place < len(self._words):
            word = self._words[self._place]
            self._place += 1
            if self._only_operands or not self._is_flag(word):
                self._operand(word)
            elif word.text == "--" and "--" not in result.table.flags:
                self._only_operands = True
            else:
                self._flag(word)
            if result.unknown_sub:
                break
        return result

    def _is_flag(self, word: Word) -> bool:
        table = self._result.table
        if table.style == "keys":
            return "=" in word.text
        text = word.text
        return (len(text) > 1 and text[0] == "-") or text in table.flags

    def _operand(self, word: Word) -> None:
        result, table = self._result, self._result.table
        if table.subs and not result.operands:
            sub = _sub(table, word.text)
            if sub:
                result.tables.append(sub)
                result.sub_places.append(self._place)
                return
            if not table.rest_is_operands:
                result.unknown_sub = word
                return
        if word.text in table.ignore:
            return
        result.operands.append(word)
        if table.style == "posix":
            self._only_operands = True

    def _flag(self, word: Word) -> None:
        table, text = self._result.table, word.text
        if table.style == "keys":
            key, _, value = text.partition("=")
            self._add(word, table.flags.get(key), value)
        elif text.startswith("--"):
            self._long(word)
        elif table.style == "single":
            self._single(word)
        else:
            self._cluster(word)

    def _long(self, word: Word) -> None:
        name, equals, value = word.text.partition("=")
        flag = self._lookup(name)
        if flag is None and self._result.table.style == "single":
            flag = self._lookup(name[1:])
        self._add(word, flag, value if equals else None)

    def _single(self, word: Word) -> None:
        flag = self._lookup(word.text)
        if flag:
            self._add(word, flag, None)
            return
        name, equals, value = word.text.partition("=")
        flag = self._lookup(name)
        if flag and not (flag.values or flag.attached):
            flag = None  # `-all=` of exiftool is another one than `-all`
        self._add(word, flag, value if equals else None)

    def _cluster(self, word: Word) -> None:
        text = word.text
        whole = self._lookup(text) if len(text) > 2 else None
        if whole:  # listed as it is: `-NAME` of a program that also has clusters
            self._add(word, whole, None)
            return
        if self._result.table.numeric and _NUMERIC.fullmatch(text):
            self._result.flags.append(
                (self._result.table, Given(Flag(text, "plain"), word))
            )
            return
        for place in range(1, len(text)):
            if self._result.table.numeric and text[place].isdigit():
                continue
            flag = self._lookup("-" + text[place])
            rest = text[place + 1 :]
            if self._result.table.exact and len(rest) > 1:
                rest = rest.removeprefix("=")
            if flag and (flag.values or flag.attached):
                self._add(word, flag, rest or None)
                return
            self._add(word, flag, None)

    def _bundle(self, letters: Mapping[str, Flag]) -> None:
        word = self._words[1]
        if word.text.startswith("-"):
            return
        self._place = 2
        for letter in word.text:
            self._add(word, letters.get(letter), None)

    def _lookup(self, name: str) -> Flag | None:
        """Find a flag here, or in outer tables whose flags are known anywhere."""
        inner, *outer = reversed(self._result.tables)
        tables = [inner, *(table for table in outer if table.anywhere)]
        for table in tables:
            if name in table.flags:
                return table.flags[name]
        if inner.exact or not name.startswith("--") or len(name) < 4:
            return None
        found = {
            table.flags[flag]
            for table in tables
            for flag in table.long_flags
            if flag.startswith(name)
        }
        return found.pop() if len(found) == 1 else None

    def _add(self, word: Word, flag: Flag | None, attached: str | None) -> None:
        values: list[Word] = []
        if attached is not None:
            if self._result.table.exact and flag and _turns_off(flag, attached):
                flag = None  # a later one counts, so this is not followed
            values.append(replace(word, text=attached, glob=False, tilde=False))
        if flag and flag.until_semicolon:
            values = self._until_semicolon()
        elif flag:
            missing = flag.values - len(values)
            taken = self._words[self._place : self._place + max(0, missing)]
            self._place += len(taken)
            values.extend(taken)
        self._result.flags.append(
            (self._result.table, Given(flag, word, tuple(values)))
        )

    def _until_semicolon(self) -> list[Word]:
        values: list[Word] = []
        while self._place < len(self._words):
            word = self._words[self._place]
            self._place += 1
            if word.text == ";" or (
                word.text == "+" and values[-1:] and values[-1].text == "{}"
            ):
                break
            values.append(word)
        return values


def _turns_off(flag: Flag, attached: str) -> bool:
    """Tell whether ``--flag=false`` takes back what the flag says."""
    takes_value = flag.values or flag.attached or flag.until_semicolon
    return not takes_value and attached not in ("1", "t", "T", "true", "TRUE", "True")


def _sub(table: Table, name: str) -> Table | None:
    exact = table.subs.get(name)
    if exact or not table.prefix:
        return exact
    found = {sub.name: sub for key, sub in table.subs.items() if key.startswith(name)}
    return found.popitem()[1] if len(found) == 1 else None
