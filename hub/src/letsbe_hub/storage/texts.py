"""Many rows at once, in and out of the statements of the hot writers.

Each row that is bound or fetched alone hands the interpreter's lock to the event loop
and back; many at once do so once. What SQLite is to write is bound as values, which
costs it a third of what it takes to read JSON; what it tells comes back as one text.
pydantic's JSON is five times as fast as Python's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from pydantic_core import from_json, to_json

AT_ONCE = 96
"""Rows of one statement: more make SQLite no faster."""


def valued(
    statement: str, rows: Sequence[Sequence[object]]
) -> Iterator[tuple[str, list[object]]]:
    """Give the statements that write rows, and what is bound to each.

    Args:
        statement: With ``{}`` in the place of the rows after ``VALUES``.
        rows: All of one length.
    """
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        marks = _marks(len(some), len(some[0]))
        yield statement.replace("{}", marks), list(chain.from_iterable(some))


@lru_cache(AT_ONCE)
def _marks(rows: int, columns: int) -> str:
    row = f"({','.join('?' * columns)})"
    return ",".join([row] * rows)


def json_of(rows: Sequence[object]) -> str:
    """Write rows as one JSON array."""
    return to_json(rows).decode()


def rows_of(text: str) -> Any:  # noqa: ANN401 - JSON
    """Read the JSON that a statement made."""
    return from_json(text, cache_strings="keys")


def array_of(values: Sequence[str] | Sequence[float]) -> str:
    """Write an array as PostgreSQL reads it; drivers take ten times as long.

    Strings and numbers are written as in JSON, but that PostgreSQL knows no ``\\n``:
    the strings hold no control characters.
    """
    return "{" + to_json(values).decode()[1:-1] + "}"
