"""The tests of ``find``, as far as they can be applied while counting."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

from letsbe.plugin import JudgedCommand

Test = Callable[[str, int, os.stat_result], bool]

_ACTIONS = frozenset(
    {
        *("-delete", "-depth", "-d", "-xdev", "-mount", "-print", "-print0", "-ls"),
        *("-H", "-P", "-and", "-a", "-noleaf", "-nowarn", "-warn"),
    }
)
_OPERATORS = frozenset({"!", "(", ")", ",", "-not", "-o", "-or", "-prune", "-L"})
_TYPES = {"f": stat.S_ISREG, "d": stat.S_ISDIR, "l": stat.S_ISLNK}
_AGE = re.compile(r"([+-]?)(\d+)")


@dataclass(frozen=True, slots=True)
class Search:
    """Which entries a ``find`` means.

    Args:
        tests: All of them have to hold.
        unclear: Why more is counted than is meant, if so.
    """

    tests: tuple[Test, ...]
    unclear: str | None = None

    def fits(self, path: str, depth: int, status: os.stat_result) -> bool:
        """Tell whether an entry is meant."""
        return all(test(path, depth, status) for test in self.tests)


def search_of(command: JudgedCommand) -> Search:
    """Read the tests of a ``find``.

    Those of a form that is not known here are left out, so that the count is too high
    rather than too low, and said so.
    """
    assert command.arguments is not None
    if not _OPERATORS.isdisjoint(word.text for word in command.words):
        return Search((), "the conditions of find; so this is all below, at most")
    tests: list[Test] = []
    left_out: list[str] = []
    for _, given in command.arguments.flags:
        name = given.flag.name if given.flag else given.word.text
        if name in _ACTIONS:
            continue
        test = _test(name, given.values[0].text if given.values else "")
        if test is None:
            left_out.append(name)
        else:
            tests.append(test)
    if not left_out:
        return Search(tuple(tests))
    names = ", ".join(left_out)
    return Search(tuple(tests), f"what find's {names} leaves out; so this is the most")


def _test(name: str, value: str) -> Test | None:
    """Return one test; ``None`` if it cannot be applied."""
    if name == "-name":
        return lambda path, _d, _s: fnmatch.fnmatchcase(_base(path), value)
    if name == "-iname":
        low = value.lower()
        return lambda path, _d, _s: fnmatch.fnmatchcase(_base(path).lower(), low)
    if name == "-type" and value in _TYPES:
        return lambda _p, _d, status: _TYPES[value](status.st_mode)
    if name == "-maxdepth" and value.isdecimal():
        return lambda _p, depth, _s: depth <= int(value)
    if name == "-mindepth" and value.isdecimal():
        return lambda _p, depth, _s: depth >= int(value)
    if name in ("-mtime", "-mmin") and (age := _AGE.fullmatch(value)):
        return _older(age[1], int(age[2]), 86_400 if name == "-mtime" else 60)
    return None


def _older(sign: str, number: int, unit: int) -> Test:
    """Compare the age in whole units, as ``find`` does."""
    now = time.time()

    def test(_path: str, _depth: int, status: os.stat_result) -> bool:
        age = int((now - status.st_mtime) // unit)
        if sign == "+":
            return age > number
        return age < number if sign == "-" else age == number

    return test


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
