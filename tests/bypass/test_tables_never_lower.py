"""No spelling of a command gets a lower tier than the plain one, for every flag.

The lines are made from the rule tables themselves: each program, each subcommand, each
flag that does more than look. Then the line is said in other ways: quoted, abbreviated,
in a cluster, attached, behind other programs, in chains and pipes.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from letsbe.policy.commands import parse_line
from letsbe.policy.rules import EXAMPLE_PLACE, RuleBook, Table
from letsbe.policy.tiers import Tier
from letsbe_executor_shell.judging import TABLES

WRAPPERS = (
    "timeout 5 {}",
    "nice -n 5 {}",
    "nohup {}",
    "env LANG=C {}",
    "stdbuf -oL {}",
    "time {}",
    "ionice -c3 {}",
    "setsid {}",
    "sudo {}",
    "chronic {}",
    "env -i nice timeout 5 {}",
    "find . -maxdepth 0 -exec {} ;",
    "xargs {}",
    "command {}",
    "/usr/bin/env {}",
)
CHAINS = (
    "ls && {}",
    "{} | cat",
    "true; {}",
    "{} || true",
    "ls | {}",
    "ls\n{}",
    "{} # x",
)


@dataclass(frozen=True)
class Said:
    """One command of a table: a program with a subcommand and a flag."""

    table: Table
    start: tuple[str, ...]
    flag: str
    takes_value: bool

    @property
    def words(self) -> list[str]:
        """The plain spelling."""
        value = ["value"] if self.takes_value else []
        return [*self.start, self.flag, *value, "operand"]


def said_with(table: Table, start: tuple[str, ...]) -> Iterator[Said]:
    for flag in table.flags.values():
        odd = flag.until_semicolon or flag.attached or flag.values > 1
        looks = flag.group in ("plain", "list", "read")
        if flag.name.startswith("-") and not (odd or looks):
            yield Said(table, start, flag.name, bool(flag.values))
    done = set()
    for name, sub in table.subs.items():
        if id(sub) not in done:
            done.add(id(sub))
            yield from said_with(sub, (*start, name))


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return RuleBook.read([TABLES])


@pytest.fixture(scope="module")
def said(book: RuleBook) -> list[Said]:
    tables = {id(book.table(name)): name for name in book.programs}
    found: list[Said] = []
    for name in tables.values():
        table = book.table(name)
        assert table
        found.extend(said_with(table, (name,)))
    return found


@pytest.fixture(scope="module")
def tier(book: RuleBook) -> Callable[[str], Tier]:
    def judge(line: str) -> Tier:
        return book.judge(parse_line(line), EXAMPLE_PLACE).tier

    return judge


def quoted(word: str, pick: random.Random) -> str:
    """Spell a word with quotes and backslashes that mean nothing."""
    cut = pick.randrange(len(word) + 1)
    ways = (
        f"'{word}'",
        f'"{word}"',
        f"{word[:cut]}''{word[cut:]}",
        f"'{word[:cut]}'\"{word[cut:]}\"",
        "".join(f"\\{character}" for character in word),
        f'{word[:cut]}"{word[cut:]}"',
    )
    return pick.choice(ways)


def abbreviations(one: Said) -> Iterator[list[str]]:
    """Say a long flag shorter, with `=` and without."""
    longer = [name for name in one.table.long_flags if name != one.flag]
    if one.table.style == "single" or one.table.exact or not one.flag.startswith("--"):
        return
    for length in range(4, len(one.flag)):
        short = one.flag[:length]
        if not any(name.startswith(short) for name in longer):
            yield [*one.start, short, *one.words[len(one.start) + 1 :]]
            return


def attached(one: Said) -> Iterator[list[str]]:
    if not one.takes_value:
        return
    if one.flag.startswith("--"):
        yield [*one.start, f"{one.flag}=value", "operand"]
    elif len(one.flag) == 2 and one.table.style in ("gnu", "posix"):
        yield [*one.start, f"{one.flag}value", "operand"]


def clusters(one: Said) -> Iterator[list[str]]:
    """Put harmless letters before a short flag; none that makes another mode."""
    table = one.table
    if len(one.flag) != 2 or table.style not in ("gnu", "posix"):
        return
    modes = {name for condition, _ in table.modes for name in condition.flags}
    modes |= {name for condition, _ in table.modes for name in condition.without}
    modes |= {name for rule in table.escalations for name in rule.condition.without}
    for flag in table.flags.values():
        simple = not flag.values and not flag.attached and len(flag.name) == 2
        if flag.group == "plain" and simple and flag.name not in modes:
            together = f"{flag.name}{one.flag[1]}"
            if together not in table.flags and flag.name[1].isalpha():
                yield [*one.start, together, *one.words[len(one.start) + 1 :]]
                return


def test_there_are_enough_to_try(said: list[Said]) -> None:
    assert len(said) > 2500


def test_quoting_changes_nothing(said: list[Said], tier: Callable[[str], Tier]) -> None:
    pick = random.Random(3)
    for one in said:
        plain = " ".join(one.words)
        line = " ".join(quoted(word, pick) for word in one.words)
        assert tier(line) == tier(plain), line


@pytest.mark.parametrize("way", [abbreviations, attached])
def test_other_spellings_of_a_flag_lower_nothing(
    way: Callable[[Said], Iterator[list[str]]],
    said: list[Said],
    tier: Callable[[str], Tier],
) -> None:
    tried = 0
    for one in said:
        for words in way(one):
            assert tier(" ".join(words)) >= tier(" ".join(one.words)), words
            tried += 1
    assert tried > 500


def test_a_cluster_is_no_less(said: list[Said], tier: Callable[[str], Tier]) -> None:
    tried = 0
    for one in said:
        for words in clusters(one):
            assert tier(" ".join(words)) >= tier(" ".join(one.words)), words
            tried += 1
    assert tried > 300


@pytest.mark.slow
def test_wrappers_and_chains_lower_nothing(
    said: list[Said], tier: Callable[[str], Tier]
) -> None:
    pick = random.Random(5)
    for one in said:
        plain = " ".join(one.words)
        for form in (*pick.sample(WRAPPERS, 3), *pick.sample(CHAINS, 2)):
            line = form.format(plain).replace(" ;", r" \;", form.startswith("find"))
            assert tier(line) >= tier(plain), line


def test_a_program_by_its_path_is_the_same(
    book: RuleBook, tier: Callable[[str], Tier]
) -> None:
    for name, folder in product(book.programs, ("/usr/bin", "/bin")):
        if name != "[":
            assert tier(f"{folder}/{name} x") == tier(f"{name} x"), name
            assert tier(f"./{name} x") is Tier.RED, name


def test_every_table_is_a_file_and_in_use(book: RuleBook) -> None:
    loaded = RuleBook.load([TABLES])
    assert not loaded.problems
    assert {path.stem for path in Path(TABLES).glob("*.toml")} <= set(book.programs)
