"""Rows that a statement of ``sqlite3`` would take or change, counted read-only.

Only SQLite can be asked without a connection of one's own and without a password; of
other databases it is said that the rows are not known.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from letsbe.plugin import JudgedCommand, Where

SECONDS = 1.0
"""How long a count may take."""
CLIENTS = frozenset({"psql", "mysql", "mariadb", "mongosh", "redis-cli"})
"""Clients whose servers are not asked."""

_LOOSE = re.IGNORECASE | re.DOTALL
_NAME = r'(?:\w+|"[^"]+"|`[^`]+`|\[[^\]]+\])(?:\.(?:\w+|"[^"]+"))?'
_DELETE = re.compile(rf"delete\s+from\s+({_NAME})(?:\s+(where\b.*))?", _LOOSE)
_UPDATE = re.compile(rf"update\s+(?:or\s+\w+\s+)?({_NAME})\s+set\b(.*)", _LOOSE)
_DROP = re.compile(rf"drop\s+table\s+(?:if\s+exists\s+)?({_NAME})", re.IGNORECASE)
_WHERE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[()]|\bwhere\b", re.IGNORECASE)
_READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that a command takes or changes.

    Args:
        counts: How many, by what is done: ``deletes`` or ``updates``.
        problem: Why not all are counted, if so.
    """

    counts: dict[str, int]
    problem: str | None = None


def rows_of(command: JudgedCommand, where: Where) -> Rows | None:
    """Count what the statements of one command would take or change.

    Args:
        command: A command that was judged.
        where: The place that it runs in.

    Returns:
        The rows as they are now; ``None`` if it asks no database.
    """
    name = command.words[0].text
    if name in CLIENTS:
        return Rows({}, f"how many rows {name} changes: its server is not asked")
    if name != "sqlite3" or command.arguments is None:
        return None
    operands = [word.text for word in command.arguments.operands]
    if len(operands) != 2:
        return Rows({}, "how many rows sqlite3 changes")
    path = os.path.normpath(os.path.join(where.cwd, operands[0]))  # noqa: PTH118 -- text
    try:
        if not Path(path).is_file():  # a pipe would be waited for
            raise sqlite3.OperationalError
        return _counted(path, operands[1])
    except sqlite3.Error:
        return Rows({}, f"how many rows change in {operands[0]}: it cannot be asked")


def _counted(path: str, script: str) -> Rows:
    counts: dict[str, int] = {}
    problem = None
    uri = f"{Path(path).as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=SECONDS)
    try:
        until = time.monotonic() + SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > until, 1000)
        connection.set_authorizer(
            lambda action, *_: (
                sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
            )
        )
        for statement in _statements(script):
            question = _question(statement)
            if question is None:
                if not re.match(r"\s*select\b", statement, re.IGNORECASE):
                    problem = "rows that its other statements change"
                continue
            kind, text = question
            (number,) = connection.execute(text).fetchone()
            counts[kind] = counts.get(kind, 0) + number
    finally:
        connection.close()
    if counts and len(list(_statements(script))) > 1:
        problem = problem or "what one statement changes for the next"
    return Rows(counts, problem)


def _statements(script: str) -> Iterator[str]:
    rest = ""
    for piece in script.split(";"):
        rest += piece
        if sqlite3.complete_statement(rest + ";"):
            if rest.strip():
                yield rest.strip()
            rest = ""
        else:
            rest += ";"
    if rest.strip(" ;\n"):
        yield rest.strip(" ;\n")


def _question(statement: str) -> tuple[str, str] | None:
    """Turn a statement into what counts its rows; ``None`` if that is not known."""
    if found := _DELETE.fullmatch(statement):
        return "deletes", _count(found[1], found[2] or "")
    if found := _DROP.fullmatch(statement):
        return "deletes", _count(found[1], "")
    if found := _UPDATE.fullmatch(statement):
        return "updates", _count(found[1], _condition(found[2]))
    return None


def _count(table: str, condition: str) -> str:
    return f"SELECT count(*) FROM {table} {condition}"  # noqa: S608 -- read-only, and the authorizer allows nothing else


def _condition(text: str) -> str:
    """Return an UPDATE's own condition, not that of a query inside it."""
    depth = 0
    for found in _WHERE.finditer(text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[0].lower() == "where":
            return text[found.start() :]
    return ""
