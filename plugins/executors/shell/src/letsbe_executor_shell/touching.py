"""Which files a judged line would take or change, as far as its words tell."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace

from letsbe.plugin import JudgedCommand, Judgement, PathRefused, Where, Word, expand
from letsbe_executor_shell.finding import Search, search_of

KINDS = ("remove", "modify", "write")
"""What is done to a file: destroyed, changed in place, written (and so replaced)."""

_COPIES = frozenset({"cp", "mv", "install", "ln"})


@dataclass(frozen=True, slots=True)
class Touch:
    """Files that one command would take or change.

    Args:
        kind: One of :data:`KINDS`.
        paths: Where they are, absolute.
        recursive: Whether all below a folder is meant.
        search: Which entries below count, for ``find -delete``.
        problem: Why the paths are not all there are, if so.
    """

    kind: str
    paths: tuple[str, ...]
    recursive: bool
    search: Search | None = None
    problem: str | None = None


def touches(judgement: Judgement, number: int, where: Where) -> list[Touch]:
    """Return what one command of a line touches.

    Args:
        judgement: What was found about the line.
        number: Which command.
        where: The place that this command runs in.
    """
    command = judgement.commands[number]
    if command is None or command.arguments is None:
        return []
    if command.arguments.tables[0].name == "find":
        return _found(command, where)
    kinds = {
        match.span[0]: kind
        for match in judgement.matches
        if match.command == number
        for kind in KINDS
        if match.rule.endswith(f".{kind}")
    }
    table = command.arguments.table
    recursive = table.always_recursive or command.arguments.has(table.recursive)
    found = []
    for kind in KINDS:
        words = [w for w in _words(command) if kinds.get(w.start) == kind]
        paths, problem = _paths(words, where)
        if kind == "write":
            paths = [path for each in paths for path in _written(command, each, where)]
        if paths or problem:
            deep = recursive and kind != "write"
            found.append(Touch(kind, tuple(paths), deep, problem=problem))
    return found


def _words(command: JudgedCommand) -> Iterator[Word]:
    """Yield the words that may be paths: operands, and values that stand alone."""
    assert command.arguments is not None
    yield from command.arguments.operands
    for _, given in command.arguments.flags:
        yield from (value for value in given.values if value.start != given.word.start)


def _paths(words: list[Word], where: Where) -> tuple[list[str], str | None]:
    paths: list[str] = []
    problem = None
    for word in words:
        try:
            texts = expand(word, where) if word.glob else [word.text]
        except PathRefused as error:
            problem = error.message
            continue
        paths += [_absolute(text, where) for text in texts]
    return paths, problem


def _absolute(text: str, where: Where) -> str:
    return os.path.normpath(os.path.join(where.cwd, text))  # noqa: PTH118 -- text


def _written(command: JudgedCommand, path: str, where: Where) -> Iterator[str]:
    """Yield what is replaced: in a folder, what has the name of what is put there."""
    assert command.arguments is not None
    table = command.arguments.tables[0].name
    if table not in _COPIES or not _is_folder(path):
        yield path
        return
    for word in command.arguments.operands:
        for source in _paths([word], where)[0]:
            if source != path:
                yield f"{path.rstrip('/')}/{os.path.basename(source)}"  # noqa: PTH119 -- text


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 -- `cp` follows links too
    except (OSError, ValueError):
        return False


def _found(command: JudgedCommand, where: Where) -> list[Touch]:
    assert command.arguments is not None
    if not command.arguments.has(frozenset({"-delete"})):
        return []
    starts = command.arguments.operands or [Word(".")]
    paths, problem = _paths([replace(word, glob=False) for word in starts], where)
    search = search_of(command)
    return [
        Touch("remove", tuple(paths), True, search, search.unclear or problem),
    ]
